/* engine: a profile, the settings it runs with, and while a lookup or a fetch lasts the database. */
#ifndef DSAR_SQL_ENGINE_H
#define DSAR_SQL_ENGINE_H

#include "../sdk/profile.h"
#include "base/buf.h"
#include "driver.h"

struct engine {
    struct profile *profile;
    json_t *settings; /* effective; NULL before configure */
    json_t *password; /* NULL without */
    const struct sql_driver *driver;
    const char *prefix; /* of the tables, from `settings` */
    struct sql_options options;
    struct buf row; /* the record being made */
    void *database; /* NULL between lookups and fetches */
    struct sql_watch watch;
    struct dsar_session *session; /* present while `database` works */
    int64_t row_ms;               /* when the last row came, on the clock of clock_now_ms */
    uint64_t n_rows;              /* of the present collection */
};

/* Loads the profile and checks the keys that are this engine's. The engine is a zeroed struct. */
int engine_load(struct engine *engine, int argc, char **argv, struct dsar_error *error)
    __attribute__((warn_unused_result));
void engine_wipe(struct engine *engine);

/* Takes the settings. Connects to nothing. */
int engine_configure(struct engine *engine, const json_t *settings, const json_t *secrets,
                     struct dsar_error *error) __attribute__((warn_unused_result));

/* Connects, unless that is done: all that follows sees one snapshot, until engine_disconnect. */
int engine_connect(struct engine *engine, struct dsar_session *session, struct dsar_error *error)
    __attribute__((warn_unused_result));
void engine_disconnect(struct engine *engine);

/* The two callbacks of struct dsar_connector that ask the database; `state` is a struct engine. */
int engine_resolve(void *state, struct dsar_session *session, const struct dsar_identities *identities,
                   bool *found, struct dsar_error *error);
int engine_fetch(void *state, struct dsar_session *session, const char *collection,
                 const struct dsar_identities *identities, enum dsar_status *status,
                 struct dsar_error *error);

#endif
