#include "step_parts.h"

#include "../sdk/binding.h"
#include "../sdk/profile.h"
#include "withhold.h"

#include <stdio.h>
#include <string.h>

#define PATH_MAX_LEN 200
#define PARENTS_MAX  3
#define CAP_MAX      1000000000
#define EVERY_S_MAX  600
#define MAX_S_MAX    86400

int reading_bad(const struct reading *reading, const char *key, const char *expected)
{
    return dsar_error_set(reading->error, "bad_profile", false, "%s%s: expected %s", reading->path, key,
                          expected);
}

bool reading_is_pointer(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && (*text == '\0' || *text == '/');
}

int reading_pointer(const struct reading *reading, const json_t *object, const char *key,
                    const char **pointer)
{
    const json_t *value = json_object_get(object, key);
    if (!value)
        return 0;
    if (!reading_is_pointer(value))
        return dsar_error_set(reading->error, "bad_profile", false, "%s: %s: expected a JSON Pointer",
                              reading->path, key);
    *pointer = json_string_value(value);
    return 0;
}

int reading_number(const struct reading *reading, const json_t *object, const char *key, json_int_t least,
                   json_int_t most, json_int_t *number)
{
    const json_t *value = json_object_get(object, key);
    if (!value)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
        return dsar_error_set(reading->error, "bad_profile", false,
                              "%s: %s: expected a whole number from %lld to %lld", reading->path, key,
                              (long long)least, (long long)most);
    *number = json_integer_value(value);
    return 0;
}

int reading_count(const struct reading *reading, const json_t *object, const char *key,
                  struct count_at *count)
{
    const json_t *value = json_object_get(object, key);
    const char *header = json_string_value(json_object_get(value, "header"));
    if (!json_is_object(value))
        return reading_pointer(reading, object, key, &count->pointer);
    if (json_object_size(value) != 1 || !header || !*header)
        return dsar_error_set(reading->error, "bad_profile", false,
                              "%s: %s: expected a JSON Pointer, or `header` with a name", reading->path, key);
    count->header = header;
    return 0;
}

int reading_tests(const struct reading *reading, const json_t *object, const char *key, enum tests_of of,
                  const json_t **tests)
{
    char path[PATH_MAX_LEN];
    snprintf(path, sizeof path, "%s/%s", reading->path, key);
    *tests = json_object_get(object, key);
    return tests_check(*tests, of, reading->scope, path, reading->error);
}

/* What tells good answers from others, and whose the records are. */
static int read_judgement(const struct reading *reading)
{
    struct step *step = reading->step;
    const json_t *json = reading->json;
    return reading_tests(reading, json, "ok", TESTS_OF_ANSWER, &step->ok) ||
                   reading_tests(reading, json, "refused", TESTS_OF_ANSWER, &step->refused) ||
                   reading_tests(reading, json, "busy", TESTS_OF_ANSWER, &step->busy) ||
                   reading_tests(reading, json, "not_found", TESTS_OF_STATUS, &step->not_found) ||
                   reading_tests(reading, json, "match", TESTS_OF_RECORD, &step->match) ||
                   reading_tests(reading, json, "assert", TESTS_OF_RECORD, &step->assertions)
               ? -1
               : 0;
}

static int read_kind(const struct reading *reading)
{
    const json_t *kind = json_object_get(reading->json, "records_kind");
    const char *name = kind ? json_string_value(kind) : "array";
    if (name && strcmp(name, "array") == 0)
        reading->step->kind = RECORDS_ARRAY;
    else if (name && strcmp(name, "object") == 0)
        reading->step->kind = RECORDS_OBJECT;
    else if (name && strcmp(name, "single") == 0)
        reading->step->kind = RECORDS_SINGLE;
    else
        return reading_bad(reading, "/records_kind", "\"array\", \"object\" or \"single\"");
    return 0;
}

/* Where the records are, and how many there are to be. */
static int read_records(const struct reading *reading)
{
    struct step *step = reading->step;
    if (!reading_is_pointer(json_object_get(reading->json, "records")))
        return reading_bad(reading, "/records", "a JSON Pointer to the records");
    step->empty = json_object_get(reading->json, "empty");
    if (step->empty && !json_is_array(step->empty))
        return reading_bad(reading, "/empty", "a list of values that stand for no records");
    return reading_page(reading) || read_kind(reading) ||
                   reading_pointer(reading, reading->json, "records", &step->records) ||
                   reading_pointer(reading, reading->json, "key", &step->key) ||
                   reading_count(reading, reading->json, "total", &step->total) ||
                   reading_number(reading, reading->json, "cap", 1, CAP_MAX, &step->cap)
               ? -1
               : 0;
}

/* Where everybody's records come, those of the person are chosen by identities that no call needs to name. */
static int note_matched(const struct reading *reading)
{
    for (size_t i = 0; i < json_array_size(reading->step->match); i++) {
        const char *kind =
            json_string_value(json_object_get(json_array_get(reading->step->match, i), "eq_id"));
        if (kind && value_note(reading->scope, "id", kind, reading->error))
            return -1;
    }
    return 0;
}

/* Every record is tested for whose it is, or the profile says why that cannot be. Tests that a record may pass
 * without naming the person are welcome beside the reason. */
static int check_ownership(const struct reading *reading)
{
    const char *why = json_string_value(json_object_get(reading->json, "unasserted"));
    struct step *step = reading->step;
    bool is_matched = tests_compare_identity(step->match, reading->scope->is_owned);
    step->is_asserted = is_matched || tests_compare_identity(step->assertions, reading->scope->is_owned);
    if (step->is_asserted == (why && *why))
        return reading_bad(
            reading, "/assert",
            "tests of which one that is not optional compares an identity, or `unasserted` with the "
            "reason why not");
    if (!step->is_asserted && reading_stays(reading))
        return -1;
    return step->match && !is_matched
               ? reading_bad(reading, "/match",
                             "tests of which one that is not optional compares an identity")
               : note_matched(reading);
}

static int read_child(const struct reading *reading)
{
    static const char *const single[] = {"request", "ok",   "refused", "busy",       "not_found",
                                         "records", "omit", "assert",  "unasserted", NULL};
    static const char *const several[] = {
        "request", "ok",    "refused", "busy", "not_found", "records", "into",       "records_kind",
        "empty",   "total", "page",    "key",  "cap",       "assert",  "unasserted", NULL};
    struct step *step = reading->step;
    const json_t *into = json_object_get(reading->json, "into");
    if (profile_check_keys(reading->json, reading->path, into ? several : single, reading->error) ||
        read_records(reading))
        return -1;
    if (!into)
        step->kind = RECORDS_SINGLE;
    step->into = json_string_value(into);
    if (into && (!step->into || !*step->into))
        return reading_bad(reading, "/into", "the name of a member");
    step->omit = json_object_get(reading->json, "omit");
    if (step->omit && !json_is_array(step->omit))
        return reading_bad(reading, "/omit", "a list of names");
    return check_ownership(reading);
}

static int read_parent(const struct reading *reading)
{
    static const char *const known[] = {
        "request", "ok",  "refused", "busy",   "not_found",  "records", "records_kind", "empty", "total",
        "page",    "key", "cap",     "assert", "unasserted", "parent",  "match",        NULL};
    return profile_check_keys(reading->json, reading->path, known, reading->error) || read_records(reading) ||
                   check_ownership(reading)
               ? -1
               : 0;
}

static int read_start(const struct reading *reading)
{
    static const char *const known[] = {"request", "ok", "refused", "busy", NULL};
    reading->step->records = "";
    reading->step->kind = RECORDS_SINGLE;
    return profile_check_keys(reading->json, reading->path, known, reading->error);
}

static int read_poll(const struct reading *reading)
{
    static const char *const known[] = {"request", "ok",      "refused", "busy", "done",
                                        "failed",  "every_s", "max_s",   NULL};
    struct step *step = reading->step;
    step->records = "";
    step->kind = RECORDS_SINGLE;
    step->every_s = 5;
    step->max_s = 1800;
    if (profile_check_keys(reading->json, reading->path, known, reading->error) ||
        reading_tests(reading, reading->json, "done", TESTS_OF_ANSWER, &step->done) ||
        reading_tests(reading, reading->json, "failed", TESTS_OF_ANSWER, &step->failed) ||
        reading_number(reading, reading->json, "every_s", 1, EVERY_S_MAX, &step->every_s) ||
        reading_number(reading, reading->json, "max_s", 1, MAX_S_MAX, &step->max_s))
        return -1;
    return step->done ? 0 : reading_bad(reading, "/done", "tests that hold when the export is ready");
}

static int read_withhold(const struct reading *reading)
{
    const json_t *rules = json_object_get(reading->json, "withhold");
    reading->step->withhold = rules;
    if (rules && !json_is_array(rules))
        return reading_bad(reading, "/withhold", "a list of rules");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        char path[PATH_MAX_LEN];
        snprintf(path, sizeof path, "%s/withhold/%zu", reading->path, i);
        if (withhold_check(json_array_get(rules, i), reading->scope, path, reading->error))
            return -1;
    }
    return 0;
}

/* The steps of a list, each with `scope`. */
static int check_list(const struct reading *reading, const json_t *list, const char *key, enum step_role role,
                      const struct scope *scope)
{
    if (list && (!json_is_array(list) || json_array_size(list) == 0))
        return dsar_error_set(reading->error, "bad_profile", false, "%s/%s: expected a list of at least one",
                              reading->path, key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct step step;
        char path[PATH_MAX_LEN];
        snprintf(path, sizeof path, "%s/%s/%zu", reading->path, key, i);
        if (step_read(&step, &(struct step_plan){json_array_get(list, i), role, path}, scope, reading->error))
            return -1;
    }
    return 0;
}

static int read_job(const struct reading *reading)
{
    static const char *const known[] = {"start", "poll", NULL};
    const json_t *job = json_object_get(reading->json, "export");
    struct scope scope = *reading->scope;
    struct step step;
    char path[PATH_MAX_LEN];
    snprintf(path, sizeof path, "%s/export", reading->path);
    reading->step->job = job;
    if (!job)
        return 0;
    if (!json_is_object(job) || !json_object_get(job, "start"))
        return reading_bad(reading, "/export", "an object with `start`");
    if (profile_check_keys(job, path, known, reading->error))
        return -1;
    scope.has_started = scope.has_polled = false;
    snprintf(path, sizeof path, "%s/export/start", reading->path);
    if (step_read(&step, &(struct step_plan){json_object_get(job, "start"), STEP_START, path}, &scope,
                  reading->error))
        return -1;
    scope.has_started = true;
    snprintf(path, sizeof path, "%s/export/poll", reading->path);
    return !json_object_get(job, "poll") ||
                   !step_read(&step, &(struct step_plan){json_object_get(job, "poll"), STEP_POLL, path},
                              &scope, reading->error)
               ? 0
               : -1;
}

static int read_collection(const struct reading *reading)
{
    struct step *step = reading->step;
    struct scope below = *reading->scope;
    if (read_records(reading) || check_ownership(reading) || read_withhold(reading) || read_job(reading) ||
        reading_pointer(reading, reading->json, "unread", &step->unread))
        return -1;
    below.n_records++;
    below.is_owned = step->is_asserted;
    step->each = json_object_get(reading->json, "each");
    if (check_list(reading, step->each, "each", STEP_CHILD, &below))
        return -1;
    below.has_element = true;
    step->files = json_object_get(reading->json, "files");
    return check_list(reading, step->files, "files", STEP_FILE, &below);
}

/* What an identity is made of: one member, or several, joined. */
static bool is_yield(const json_t *yield)
{
    const json_t *join = json_object_get(yield, "join");
    const char *type = json_string_value(json_object_get(yield, "type"));
    const json_t *as = json_object_get(yield, "as");
    for (size_t i = 0; i < json_array_size(join); i++)
        if (!reading_is_pointer(json_array_get(join, i)))
            return false;
    return (join ? json_array_size(join) >= 2 && !json_object_get(yield, "ptr")
                 : reading_is_pointer(json_object_get(yield, "ptr"))) &&
           type && binding_is_type(type) &&
           (!as || (json_is_string(as) && strcmp(json_string_value(as), "lower") == 0));
}

static int read_resolve(const struct reading *reading)
{
    static const char *const known[] = {"ptr", "join", "type", "as", NULL};
    struct step *step = reading->step;
    step->yields = json_object_get(reading->json, "yields");
    step->evidence = profile_text(reading->json, "evidence", reading->path, reading->error);
    if (!step->evidence || read_records(reading))
        return -1;
    if (!tests_compare_identity(step->match, false))
        return reading_bad(
            reading, "/match",
            "tests of which one that is not optional compares an identity: they tell the person from "
            "look-alikes");
    step->is_asserted = tests_compare_identity(step->assertions, false);
    if (step->assertions && !step->is_asserted)
        return reading_bad(reading, "/assert",
                           "tests of which one that is not optional compares an identity");
    const char *kind;
    json_t *yield;
    json_object_foreach ((json_t *)(uintptr_t)step->yields, kind, yield) {
        if (profile_check_keys(yield, reading->path, known, reading->error))
            return -1;
        if (!is_yield(yield))
            return reading_bad(reading, "/yields",
                               "`ptr` with a JSON Pointer or `join` with several, `type`, and no `as` but "
                               "\"lower\"");
    }
    return note_matched(reading);
}

static int read_role(const struct reading *reading, enum step_role role)
{
    switch (role) {
    case STEP_RESOLVE: return read_resolve(reading);
    case STEP_COLLECTION: return read_collection(reading);
    case STEP_PARENT: return read_parent(reading);
    case STEP_CHILD: return read_child(reading);
    case STEP_START: return read_start(reading);
    case STEP_POLL: return read_poll(reading);
    case STEP_FILE: return reading_file(reading);
    }
    return -1;
}

/* What is above a step is read first: how many records its values may name, and whose they are. */
static int read_above(struct step *step, const struct step_plan *plan, struct scope *scope,
                      struct dsar_error *error)
{
    struct step above;
    char path[PATH_MAX_LEN];
    if (plan->role != STEP_COLLECTION && plan->role != STEP_PARENT)
        return 0;
    step->parent = json_object_get(plan->json, "parent");
    for (const json_t *at = step->parent; at; at = json_object_get(at, "parent"))
        if (++step->n_parents > PARENTS_MAX)
            return dsar_error_set(error, "bad_profile", false, "%s/parent: expected %d levels at most",
                                  plan->path, PARENTS_MAX);
    if (!step->parent)
        return 0;
    snprintf(path, sizeof path, "%.180s/parent", plan->path);
    if (step_read(&above, &(struct step_plan){step->parent, STEP_PARENT, path}, scope, error))
        return -1;
    scope->n_records += step->n_parents;
    scope->is_owned = above.is_asserted;
    return 0;
}

int step_read(struct step *step, const struct step_plan *plan, const struct scope *scope,
              struct dsar_error *error)
{
    struct scope own = *scope;
    const struct reading reading = {step, plan->json, &own, plan->path, error};
    *step = (struct step){.needs = scope->needs};
    if (!json_is_object(plan->json))
        return reading_bad(&reading, "", "an object");
    if (read_above(step, plan, &own, error))
        return -1;
    own.has_started =
        own.has_started || (plan->role == STEP_COLLECTION && json_object_get(plan->json, "export"));
    own.has_polled = own.has_polled || json_object_get(json_object_get(plan->json, "export"), "poll");
    bool is_asked = plan->role != STEP_FILE || !json_object_get(plan->json, "data");
    if ((is_asked && reading_request(&reading)) || read_judgement(&reading))
        return -1;
    return read_role(&reading, plan->role);
}
