/* engine: a profile, its roots, and the settings it runs with. */
#ifndef DSAR_FILES_ENGINE_H
#define DSAR_FILES_ENGINE_H

#include "../sdk/profile.h"
#include "root.h"

struct engine {
    struct profile *profile;
    json_t *settings; /* effective; NULL before configure */
    struct root *roots;
    size_t n_roots;
};

/* The root of a collection, which hello has. */
const struct root *engine_root(const struct engine *engine, const char *collection);

/* The callbacks of struct dsar_connector (dsar/connector.h), which documents them; `state` is a struct engine.
 * engine_hello loads the profile and checks the keys that are this engine's, engine_configure opens nothing, engine_check
 * opens each collection's base. */
json_t *engine_hello(int argc, char **argv, void **state, struct dsar_error *error);
int engine_configure(void *state, const json_t *settings, const json_t *secrets, struct dsar_error *error);
int engine_check(void *state, struct dsar_session *session, struct dsar_about *about,
                 struct dsar_error *error);
int engine_fetch(void *state, struct dsar_session *session, const char *collection,
                 const struct dsar_identities *identities, enum dsar_status *status,
                 struct dsar_error *error);
void engine_leave(void *state);

#endif
