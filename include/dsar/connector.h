/* connector: write a connector in C. The library speaks the protocol (PROTOCOL.md); you answer what it asks.
 *
 * A connector outside of dsard's tree: cc … $(pkg-config --cflags --libs dsar-connector); connectors/template is one to start
 * from.
 *
 * A connector is one `struct dsar_connector` and a main() that hands it to dsar_connector_main. Callbacks run one at a
 * time on one thread. Functions return 0, or -1 after they have filled the `struct dsar_error`.
 */
#ifndef DSAR_CONNECTOR_H
#define DSAR_CONNECTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What went wrong. `text` is one line for people, without personal data or secrets. */
struct dsar_error {
    char code[65]; /* "source_unreachable", "source_refused", "source_answer", "cancelled", … */
    char text[300];
    bool retryable;         /* another try may work */
    int64_t retry_after_ms; /* how long the system asked us to wait; 0 when it did not */
};

/* Fills `error` and returns -1. */
int dsar_error_set(struct dsar_error *error, const char *code, bool retryable, const char *format, ...)
    __attribute__((format(printf, 4, 5), cold));

/* What is known of the person: several values of one kind may be there. Owned by the library. */
struct dsar_identity {
    const char *kind;
    const char *value;
};

struct dsar_identities {
    const struct dsar_identity *items;
    size_t n_items;
};

/* The first value of `kind`, or NULL. */
const char *dsar_identity_first(const struct dsar_identities *identities, const char *kind);

struct dsar_session; /* one conversation with dsard */

/* How one collection, or one lookup, came out. */
enum dsar_status { DSAR_COMPLETE, DSAR_ABSENT, DSAR_PARTIAL, DSAR_FAILED };

/* What a system says of itself. */
struct dsar_about {
    char system[201]; /* its name and version in a few words: "PostgreSQL 15.9"; "" when it does not say */
};

struct dsar_connector {
    /* The hello message without `type` and `protocol`: name, version, settings, reads, check, resolve, collections. A new
     * reference that the library takes over; NULL with `error` filled when the arguments are wrong. */
    json_t *(*hello)(int argc, char **argv, void **state, struct dsar_error *error);

    /* Takes settings and secrets (borrowed, both objects). May be NULL. */
    int (*configure)(void *state, const json_t *settings, const json_t *secrets, struct dsar_error *error);

    /* Tries whether the system is there and lets us in, without reading anybody's data, and fills *about. Called only when
     * hello has `"check": true`; may be NULL otherwise. */
    int (*check)(void *state, struct dsar_session *session, struct dsar_about *about,
                 struct dsar_error *error);

    /* Looks the person up: calls dsar_yield for each identity. Sets *found. NULL when hello has no `resolve`. */
    int (*resolve)(void *state, struct dsar_session *session, const struct dsar_identities *identities,
                   bool *found, struct dsar_error *error);

    /* Sends one collection with dsar_record, dsar_file and dsar_withheld and says how it came out. Called for each
     * collection that was asked for, in the order of hello. On -1 the collection is `failed`; when `error->code` is
     * "source_unreachable", "source_refused" or "source_busy" the rest of the fetch is failed too, unasked. What ended
     * before stays as it is. With DSAR_PARTIAL `error` says why. */
    int (*fetch)(void *state, struct dsar_session *session, const char *collection,
                 const struct dsar_identities *identities, enum dsar_status *status,
                 struct dsar_error *error);

    /* Lets go of what was held for one check, resolve or fetch, now that it is over: a connection, a transaction. May be NULL. */
    void (*settle)(void *state);

    /* Frees the state, if `hello` has set one, be it that it failed then. May be NULL. */
    void (*leave)(void *state);

    /* true: only dsard's outer filter of system calls holds, as for connectors in other languages. Otherwise all but
     * reading files, connecting and computing is no longer there once `hello` has returned. */
    bool is_loose;
};

/* Speaks the protocol on standard input and output until dsard closes it. Returns the exit status for main():
 * 0 ok, 1 the conversation broke, 2 wrong arguments. */
int dsar_connector_main(int argc, char **argv, const struct dsar_connector *connector);

/* Sends an identity found. */
int dsar_yield(struct dsar_session *session, const char *kind, const char *value, const char *evidence,
               struct dsar_error *error) __attribute__((warn_unused_result));

/* Sends one record: a JSON object, compact (no raw newline), `len` bytes. Records are gathered into larger messages. */
int dsar_record(struct dsar_session *session, const char *json, size_t len, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Sends a file piece by piece: begin, any number of writes, end. `id` names it within the collection. `id`, `name` and
 * `media_type` have at most 1,024 bytes. */
int dsar_file_begin(struct dsar_session *session, const char *id, const char *name, const char *media_type,
                    struct dsar_error *error) __attribute__((warn_unused_result));
int dsar_file_write(struct dsar_session *session, const void *data, size_t len, struct dsar_error *error)
    __attribute__((warn_unused_result));
int dsar_file_end(struct dsar_session *session, struct dsar_error *error) __attribute__((warn_unused_result));

/* Says that `count` things of the collection were left out for `reason`, a code, of which a collection has 64 at most. Says
 * nothing when `count` is 0. */
int dsar_withheld(struct dsar_session *session, uint64_t count, const char *reason, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Says that work goes on. Cheap: writes at most one message every few seconds. `total` 0 when unknown.
 * Returns -1 with code "cancelled" when dsard wants the work stopped, "source_timeout" when the deadline is over. */
int dsar_progress(struct dsar_session *session, uint64_t done, uint64_t total, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Milliseconds until the deadline of the present check, resolve or fetch; 0 when it is over. */
int64_t dsar_time_left_ms(const struct dsar_session *session);

/* Writes a warning for dsard's log. */
void dsar_warning(struct dsar_session *session, const char *code, const char *text);

#ifdef __cplusplus
}
#endif

#endif
