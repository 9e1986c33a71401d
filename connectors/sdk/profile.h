/* profile: what one product holds, as a JSON file that an engine (rest, sql, files) carries out.
 *
 * {"profile": 1,
 *  "name": "forum/phpbb",         folder and file; hello says it as "forum.phpbb"
 *  "title": "phpBB",
 *  "engine": "sql",
 *  "version": "1.0.0",            of the profile
 *  "settings": [{"name": "table_prefix", "kind": "text", "required": false, "help": "…", "default":
 * "phpbb_"}], "resolve": [{"needs": {"email": "text"}, "yields": {"phpbb_user_id": ENGINE}, ENGINE KEYS}],
 *  "collections": [{"name": "posts", "title": "Posts", "category": "forum", "needs": {"phpbb_user_id":
 * "uint>1"}, "fields": {"/post_text": "free_text"}, ENGINE KEYS}], ENGINE KEYS}
 *
 * `settings` and `resolve` may be left out. `needs` gives each identity kind its type (sdk/binding.h).
 * `settings` and `fields` are as in PROTOCOL.md. A `$comment` may stand in any object and is gone after
 * loading. Any other key that is neither above nor the engine's own is refused, with its JSON Pointer in the
 * text.
 *
 * A profile is immutable once loaded. Errors have code "bad_profile", or "bad_settings" where said.
 */
#ifndef DSAR_SDK_PROFILE_H
#define DSAR_SDK_PROFILE_H

#include <dsar/connector.h>

struct profile;

/* What an engine adds to the common shape. Each list ends with NULL; a NULL list is an empty one. */
struct profile_engine {
    const char *name;                   /* "sql": what the profile's `engine` must say */
    const char *settings;               /* a JSON array: settings that every profile of this engine has */
    const char *const *keys;            /* of the profile itself */
    const char *const *resolve_keys;    /* of a resolve step */
    const char *const *collection_keys; /* of a collection */
    bool checks;                        /* whether it can try the system without the profile's `check`, too */
};

/* Loads the file that the arguments "--profile PATH" name. */
int profile_load(struct profile **profile, const struct profile_engine *engine, int argc, char **argv,
                 struct dsar_error *error) __attribute__((warn_unused_result));
void profile_free(struct profile *profile);

/* The hello message for struct dsar_connector's `hello`: a new reference; NULL with an error. */
json_t *profile_hello(const struct profile *profile, struct dsar_error *error);

/* The whole document, its array of resolve steps, its array of collections, and one collection by its name
 * (NULL when there is none). Borrowed. Each is checked as described above; what an engine's keys hold is not.
 */
const json_t *profile_document(const struct profile *profile);
const json_t *profile_resolve_steps(const struct profile *profile);
const json_t *profile_collections(const struct profile *profile);
const json_t *profile_collection(const struct profile *profile, const char *name);

/* Checks what `configure` brought: everything required is there, of its kind, and known ("bad_settings").
 * *effective becomes a new object of all settings that have a value, defaults filled in. Secrets stay where
 * they are. */
int profile_settle(const struct profile *profile, const json_t *settings, const json_t *secrets,
                   json_t **effective, struct dsar_error *error) __attribute__((warn_unused_result));

/* For an engine that checks its own keys. `path` is the JSON Pointer of `object`, for the text. */

/* Refuses keys that are not in `known` (NULL at its end). `object` must be a JSON object. */
int profile_check_keys(const json_t *object, const char *path, const char *const *known,
                       struct dsar_error *error) __attribute__((warn_unused_result));

/* The text under `key`, which must be there and not empty; NULL with an error otherwise. Borrowed. */
const char *profile_text(const json_t *object, const char *key, const char *path, struct dsar_error *error);

#endif
