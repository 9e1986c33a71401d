#include "step.h"

#include "../sdk/binding.h"
#include "../sdk/profile.h"
#include "tests.h"
#include "withhold.h"

#include <stdio.h>
#include <string.h>

#define PATH_MAX_LEN 200

#define PAGE_SIZE_MAX   10000
#define MAX_PAGES       1000
#define MAX_PAGES_LIMIT 100000

struct reading {
    struct step *step;
    const json_t *json;
    const struct scope *scope;
    const char *path;
    struct dsar_error *error;
};

static int bad_step(const struct reading *reading, const char *key, const char *expected)
{
    return dsar_error_set(reading->error, "bad_profile", false, "%s%s: expected %s", reading->path, key,
                          expected);
}

static bool is_pointer(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && (*text == '\0' || *text == '/');
}

static int read_pointer(const struct reading *reading, const json_t *object, const char *key,
                        const char **pointer)
{
    const json_t *value = json_object_get(object, key);
    if (!value)
        return 0;
    if (!is_pointer(value))
        return dsar_error_set(reading->error, "bad_profile", false, "%s: %s: expected a JSON Pointer",
                              reading->path, key);
    *pointer = json_string_value(value);
    return 0;
}

static int check_map(const struct reading *reading, const char *key)
{
    const json_t *map = json_object_get(reading->step->request, key);
    if (map && !json_is_object(map))
        return bad_step(reading, "/request", "query, form and headers to be objects");
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)map, name, value) {
        char path[PATH_MAX_LEN];
        snprintf(path, sizeof path, "%s/request/%s/%s", reading->path, key, name);
        if (value_check(value, reading->scope, path, reading->error))
            return -1;
    }
    return 0;
}

static int check_target(const struct reading *reading)
{
    const json_t *path = json_object_get(reading->step->request, "path");
    const char *text = json_string_value(path);
    if (text && *text == '/' && !text[strcspn(text, "?# ")])
        return 0;
    if (!json_is_array(path) || json_array_size(path) == 0)
        return bad_step(reading, "/request/path",
                        "a text that begins with '/' and has no query, or a list of segments");
    for (size_t i = 0; i < json_array_size(path); i++) {
        const json_t *segment = json_array_get(path, i);
        if (json_is_array(segment) || json_object_get(segment, "optional"))
            return bad_step(reading, "/request/path", "segments that are one value each, and not optional");
        if (value_check(segment, reading->scope, reading->path, reading->error))
            return -1;
    }
    return 0;
}

static int check_auth(const struct reading *reading)
{
    static const char *const known[] = {"kind", "user", "password", NULL};
    const json_t *auth = json_object_get(reading->step->request, "auth");
    if (!auth)
        return 0;
    if (profile_check_keys(auth, reading->path, known, reading->error))
        return -1;
    const char *kind = json_string_value(json_object_get(auth, "kind"));
    if (!kind || strcmp(kind, "basic") != 0)
        return bad_step(reading, "/request/auth/kind", "\"basic\"");
    if (value_check(json_object_get(auth, "user"), reading->scope, reading->path, reading->error) ||
        value_check(json_object_get(auth, "password"), reading->scope, reading->path, reading->error))
        return -1;
    return 0;
}

static int read_request(const struct reading *reading)
{
    static const char *const known[] = {"method", "path", "query", "form", "headers", "auth", NULL};
    const json_t *request = json_object_get(reading->json, "request");
    reading->step->request = request;
    if (!json_is_object(request))
        return bad_step(reading, "/request", "an object");
    if (profile_check_keys(request, reading->path, known, reading->error))
        return -1;
    const char *method = json_string_value(json_object_get(request, "method"));
    bool is_post = method && strcmp(method, "POST") == 0;
    if (!is_post && (!method || strcmp(method, "GET") != 0))
        return bad_step(reading, "/request/method", "\"GET\" or \"POST\"");
    if (!is_post && json_object_get(request, "form"))
        return bad_step(reading, "/request/form", "no form with GET");
    if (check_target(reading) || check_map(reading, "query") || check_map(reading, "form") ||
        check_map(reading, "headers") || check_auth(reading))
        return -1;
    return 0;
}

static int read_number(const struct reading *reading, const json_t *page, const char *key, json_int_t *number)
{
    const json_t *value = json_object_get(page, key);
    if (!value)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return bad_step(reading, "/page", "first, by and max_pages to be whole numbers");
    *number = json_integer_value(value);
    return 0;
}

static int read_page(const struct reading *reading)
{
    static const char *const known[] = {"kind", "in", "start", "number",    "first",
                                        "size", "by", "pages", "max_pages", NULL};
    const json_t *page = json_object_get(reading->json, "page");
    struct paging *paging = &reading->step->paging;
    *paging = (struct paging){.first = 1, .by = 100, .max_pages = MAX_PAGES};
    if (!page)
        return 0;
    if (profile_check_keys(page, reading->path, known, reading->error))
        return -1;
    const char *kind = json_string_value(json_object_get(page, "kind"));
    const char *in = json_string_value(json_object_get(page, "in"));
    if (!in || (strcmp(in, "form") != 0 && strcmp(in, "query") != 0))
        return bad_step(reading, "/page/in", "\"form\" or \"query\"");
    paging->in_form = strcmp(in, "form") == 0;
    paging->start = json_string_value(json_object_get(page, "start"));
    paging->number = json_string_value(json_object_get(page, "number"));
    paging->size = json_string_value(json_object_get(page, "size"));
    if (kind && strcmp(kind, "offset") == 0 && paging->start && !paging->number &&
        !json_object_get(page, "pages"))
        paging->kind = PAGING_OFFSET;
    else if (kind && strcmp(kind, "page") == 0 && paging->number && !paging->start)
        paging->kind = PAGING_NUMBER;
    else
        return bad_step(reading, "/page", "kind \"offset\" with `start`, or kind \"page\" with `number`");
    if (read_number(reading, page, "first", &paging->first) ||
        read_number(reading, page, "by", &paging->by) ||
        read_number(reading, page, "max_pages", &paging->max_pages) ||
        read_pointer(reading, page, "pages", &paging->pages))
        return -1;
    if (paging->by < 1 || paging->by > PAGE_SIZE_MAX || paging->max_pages < 1 ||
        paging->max_pages > MAX_PAGES_LIMIT)
        return bad_step(reading, "/page", "`by` from 1 to 10000 and `max_pages` from 1 to 100000");
    const char *method = json_string_value(json_object_get(reading->step->request, "method"));
    if (paging->in_form && strcmp(method, "POST") != 0)
        return bad_step(reading, "/page/in", "\"query\" with GET");
    return 0;
}

static int read_tests(const struct reading *reading, const char *key, enum tests_of of, const json_t **tests)
{
    char path[PATH_MAX_LEN];
    snprintf(path, sizeof path, "%s/%s", reading->path, key);
    *tests = json_object_get(reading->json, key);
    return tests_check(*tests, of, reading->scope, path, reading->error);
}

static int read_answer(const struct reading *reading)
{
    struct step *step = reading->step;
    if (read_tests(reading, "ok", TESTS_OF_ANSWER, &step->ok) ||
        read_tests(reading, "refused", TESTS_OF_ANSWER, &step->refused) ||
        read_tests(reading, "not_found", TESTS_OF_STATUS, &step->not_found) ||
        read_tests(reading, "match", TESTS_OF_RECORD, &step->match) ||
        read_tests(reading, "assert", TESTS_OF_RECORD, &step->assertions))
        return -1;
    if (!is_pointer(json_object_get(reading->json, "records")))
        return bad_step(reading, "/records", "a JSON Pointer to the records");
    if (read_pointer(reading, reading->json, "records", &step->records) ||
        read_pointer(reading, reading->json, "total", &step->total) ||
        read_pointer(reading, reading->json, "key", &step->key))
        return -1;
    step->empty = json_object_get(reading->json, "empty");
    if (step->empty && !json_is_array(step->empty))
        return bad_step(reading, "/empty", "a list of values that stand for no records");
    const json_t *kind = json_object_get(reading->json, "records_kind");
    const char *name = kind ? json_string_value(kind) : "array";
    if (name && strcmp(name, "array") == 0)
        step->kind = RECORDS_ARRAY;
    else if (name && strcmp(name, "object") == 0)
        step->kind = RECORDS_OBJECT;
    else if (name && strcmp(name, "single") == 0)
        step->kind = RECORDS_SINGLE;
    else
        return bad_step(reading, "/records_kind", "\"array\", \"object\" or \"single\"");
    return 0;
}

/* Every record is tested for whose it is, or the profile says why that cannot be. Tests that a record may pass
 * without naming the person are welcome beside the reason. */
static int check_ownership(const struct reading *reading)
{
    const char *why = json_string_value(json_object_get(reading->json, "unasserted"));
    if (tests_compare_identity(reading->step->assertions) == (why && *why))
        return bad_step(
            reading, "/assert",
            "tests of which one that is not optional compares an identity, or `unasserted` with the "
            "reason why not");
    return 0;
}

static int read_child(const struct reading *reading)
{
    static const char *const known[] = {"request", "ok",     "refused",    "not_found", "records",
                                        "omit",    "assert", "unasserted", NULL};
    struct step *step = reading->step;
    if (profile_check_keys(reading->json, reading->path, known, reading->error))
        return -1;
    step->kind = RECORDS_SINGLE;
    step->omit = json_object_get(reading->json, "omit");
    if (step->omit && !json_is_array(step->omit))
        return bad_step(reading, "/omit", "a list of names");
    return check_ownership(reading);
}

static int read_collection(const struct reading *reading)
{
    const struct scope scope = {reading->scope->settings, reading->scope->needs, .has_record = true};
    char path[PATH_MAX_LEN];
    struct step child;
    if (check_ownership(reading))
        return -1;
    reading->step->withhold = json_object_get(reading->json, "withhold");
    for (size_t i = 0; i < json_array_size(reading->step->withhold); i++) {
        snprintf(path, sizeof path, "%s/withhold/%zu", reading->path, i);
        if (withhold_check(json_array_get(reading->step->withhold, i), reading->scope, path, reading->error))
            return -1;
    }
    if (read_pointer(reading, reading->json, "unread", &reading->step->unread))
        return -1;
    reading->step->each = json_object_get(reading->json, "each");
    if (!reading->step->each)
        return 0;
    snprintf(path, sizeof path, "%s/each", reading->path);
    const struct step_plan plan = {reading->step->each, STEP_CHILD, path};
    return step_read(&child, &plan, &scope, reading->error);
}

/* What an identity is made of: one member, or several, joined. */
static bool is_yield(const json_t *yield)
{
    const json_t *join = json_object_get(yield, "join");
    const char *type = json_string_value(json_object_get(yield, "type"));
    const json_t *as = json_object_get(yield, "as");
    for (size_t i = 0; i < json_array_size(join); i++)
        if (!is_pointer(json_array_get(join, i)))
            return false;
    return (join ? json_array_size(join) >= 2 && !json_object_get(yield, "ptr")
                 : is_pointer(json_object_get(yield, "ptr"))) &&
           type && binding_is_type(type) &&
           (!as || (json_is_string(as) && strcmp(json_string_value(as), "lower") == 0));
}

static int read_resolve(const struct reading *reading)
{
    static const char *const known[] = {"ptr", "join", "type", "as", NULL};
    struct step *step = reading->step;
    step->yields = json_object_get(reading->json, "yields");
    step->evidence = profile_text(reading->json, "evidence", reading->path, reading->error);
    if (!step->evidence)
        return -1;
    if (!tests_compare_identity(step->match))
        return bad_step(
            reading, "/match",
            "tests of which one that is not optional compares an identity: they tell the person from "
            "look-alikes");
    if (step->assertions && !tests_compare_identity(step->assertions))
        return bad_step(reading, "/assert", "tests of which one that is not optional compares an identity");
    const char *kind;
    json_t *yield;
    json_object_foreach ((json_t *)(uintptr_t)step->yields, kind, yield) {
        if (profile_check_keys(yield, reading->path, known, reading->error))
            return -1;
        if (!is_yield(yield))
            return bad_step(reading, "/yields",
                            "`ptr` with a JSON Pointer or `join` with several, `type`, and no `as` but "
                            "\"lower\"");
    }
    return 0;
}

int step_read(struct step *step, const struct step_plan *plan, const struct scope *scope,
              struct dsar_error *error)
{
    const struct reading reading = {step, plan->json, scope, plan->path, error};
    *step = (struct step){.needs = scope->needs};
    if (!json_is_object(plan->json))
        return bad_step(&reading, "", "an object");
    if (read_request(&reading) || read_page(&reading) || read_answer(&reading))
        return -1;
    switch (plan->role) {
    case STEP_RESOLVE: return read_resolve(&reading);
    case STEP_COLLECTION: return read_collection(&reading);
    case STEP_CHILD: return read_child(&reading);
    }
    return -1;
}
