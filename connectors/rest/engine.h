/* engine: carries profiles out. These are the callbacks of struct dsar_connector (dsar/connector.h), which
 * documents them; the state is the engine's own. */
#ifndef REST_ENGINE_H
#define REST_ENGINE_H

#include <dsar/connector.h>

/* Loads and checks the whole profile that the arguments name ("bad_profile"). */
json_t *engine_hello(int argc, char **argv, void **state, struct dsar_error *error);

int engine_configure(void *state, const json_t *settings, const json_t *secrets, struct dsar_error *error);

int engine_check(void *state, struct dsar_session *session, struct dsar_about *about,
                 struct dsar_error *error);

int engine_resolve(void *state, struct dsar_session *session, const struct dsar_identities *identities,
                   bool *found, struct dsar_error *error);

int engine_fetch(void *state, struct dsar_session *session, const char *collection,
                 const struct dsar_identities *identities, enum dsar_status *status,
                 struct dsar_error *error);

void engine_leave(void *state);

#endif
