#include "engine.h"

#include "../sdk/version.h"
#include "query.h"
#include "template.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 80

static const json_t *find_check(const struct engine *engine)
{
    return json_object_get(profile_document(engine->profile), "check");
}

/* It is asked for nobody, and binds nothing. */
static int check_select(const char *sql, struct dsar_error *error)
{
    struct template template;
    if (template_init(&template, sql, "", false, "/check", error))
        return -1;
    int n_names = template.n_names;
    template_wipe(&template);
    return n_names
               ? dsar_error_set(error, "bad_profile", false, "/check/sql: expected a SELECT without :names")
               : 0;
}

int engine_check_load(const struct engine *engine, struct dsar_error *error)
{
    static const char *const known[] = {"sql", "least", "what", NULL};
    const json_t *check = find_check(engine), *least = json_object_get(check, "least");
    if (!check)
        return 0;
    if (!json_is_object(check))
        return dsar_error_set(error, "bad_profile", false, "/check: expected an object");
    if (profile_check_keys(check, "/check", known, error))
        return -1;
    const char *sql = profile_text(check, "sql", "/check", error);
    if (!sql || check_select(sql, error))
        return -1;
    if (json_object_get(check, "what") && !profile_text(check, "what", "/check", error))
        return -1;
    if (least &&
        (!json_is_string(least) || !version_is_valid(json_string_value(least), json_string_length(least))))
        return dsar_error_set(error, "bad_profile", false, "/check/least: expected a version");
    return 0;
}

static int take_text(struct query *query, const char *what, char text[TEXT_MAX], struct dsar_error *error)
{
    struct sql_value value;
    bool has_row;
    if (query_next(query, &has_row, error))
        return -1;
    if (has_row && query_value(query, 0, &value, error))
        return -1;
    if (!has_row || value.type != SQL_TEXT || value.len == 0 || value.len >= TEXT_MAX)
        return dsar_error_set(error, "source_answer", false,
                              "%s: expected one short text, found another answer", what);
    snprintf(text, TEXT_MAX, "%.*s", (int)value.len, value.data);
    return 0;
}

/* The first column of the first row of the SELECT in `spec`. */
static int select_text(struct engine *engine, const json_t *spec, const char *what, char text[TEXT_MAX],
                       struct dsar_error *error)
{
    const struct dsar_identities nobody = {.n_items = 0};
    const struct query_options options = {
        .driver = engine->driver,
        .database = engine->database,
        .spec = spec,
        .path = what,
        .prefix = engine->prefix,
        .bound = &nobody,
    };
    struct query *query;
    if (query_open(&query, &options, error))
        return -1;
    int result = take_text(query, what, text, error);
    query_close(query);
    return result;
}

static int ask_server(struct engine *engine, char text[TEXT_MAX], struct dsar_error *error)
{
    json_t *spec = json_pack("{s:s}", "sql", engine->driver->version_sql);
    int result = spec ? select_text(engine, spec, "the database's version", text, error)
                      : dsar_error_set(error, "no_memory", true, "no memory");
    json_decref(spec);
    return result;
}

/* Nothing that is not a version is passed on: who knows what it is. */
static int ask_product(struct engine *engine, const char *server, struct dsar_about *about,
                       struct dsar_error *error)
{
    const json_t *check = find_check(engine);
    const char *title = json_string_value(json_object_get(profile_document(engine->profile), "title"));
    const char *least = json_string_value(json_object_get(check, "least"));
    const char *what = json_string_value(json_object_get(check, "what"));
    char version[TEXT_MAX];
    if (select_text(engine, check, "/check", version, error))
        return -1;
    if (!version_is_valid(version, strlen(version)))
        return dsar_error_set(error, "source_answer", false, "/check: the answer is no version of %s", title);
    int n = what ? snprintf(about->system, sizeof about->system, "%s (%s %s)", title, what, version)
                 : snprintf(about->system, sizeof about->system, "%s %s", title, version);
    if (least && !version_is_at_least(version, least))
        return dsar_error_set(error, "source_version", false,
                              "%s: expected at least %s, which the profile is for", about->system, least);
    if (n > 0 && (size_t)n < sizeof about->system)
        snprintf(about->system + n, sizeof about->system - (size_t)n, ", %s", server);
    return 0;
}

int engine_check(void *state, struct dsar_session *session, struct dsar_about *about,
                 struct dsar_error *error)
{
    struct engine *engine = state;
    char server[TEXT_MAX];
    if (engine_connect(engine, session, error) || ask_server(engine, server, error))
        return -1;
    snprintf(about->system, sizeof about->system, "%s", server);
    return find_check(engine) ? ask_product(engine, server, about, error) : 0;
}
