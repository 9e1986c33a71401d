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

/* Connects, unless that is done: all that follows sees one snapshot, until engine_disconnect. */
int engine_connect(struct engine *engine, struct dsar_session *session, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Checks the profile's `check`, if it has one ("bad_profile"). */
int engine_check_load(const struct engine *engine, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* The callbacks of struct dsar_connector (dsar/connector.h), which documents them; `state` is a struct engine.
 * engine_hello loads the profile and checks the keys that are this engine's, engine_configure connects to nothing. */
json_t *engine_hello(int argc, char **argv, void **state, struct dsar_error *error);
int engine_configure(void *state, const json_t *settings, const json_t *secrets, struct dsar_error *error);
int engine_check(void *state, struct dsar_session *session, struct dsar_about *about,
                 struct dsar_error *error);
int engine_resolve(void *state, struct dsar_session *session, const struct dsar_identities *identities,
                   bool *found, struct dsar_error *error);
int engine_fetch(void *state, struct dsar_session *session, const char *collection,
                 const struct dsar_identities *identities, enum dsar_status *status,
                 struct dsar_error *error);
void engine_disconnect(void *state); /* settle */
void engine_leave(void *state);

#endif
