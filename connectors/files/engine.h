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

/* Loads the profile and checks the keys that are this engine's. The engine is a zeroed struct. */
int engine_load(struct engine *engine, int argc, char **argv, struct dsar_error *error)
    __attribute__((warn_unused_result));
void engine_wipe(struct engine *engine);

/* The hello message: a new reference; NULL with an error. */
json_t *engine_hello(const struct engine *engine, struct dsar_error *error);

/* Takes the settings. Opens nothing. */
int engine_configure(struct engine *engine, const json_t *settings, const json_t *secrets,
                     struct dsar_error *error) __attribute__((warn_unused_result));

/* The root of a collection, which hello has. */
const struct root *engine_root(const struct engine *engine, const char *collection);

/* The callback of struct dsar_connector; `state` is a struct engine. */
int engine_fetch(void *state, struct dsar_session *session, const char *collection,
                 const struct dsar_identities *identities, enum dsar_status *status,
                 struct dsar_error *error);

#endif
