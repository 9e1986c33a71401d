/* root: what a collection of a profile says of the files that it is.
 *
 *   "kind": "folder" | "maildir" | "mbox" | "access_log"
 *   "base": {"setting": NAME}      a setting of kind `path`: the folder below which everybody's lie
 *   "path": [...]                  whose is whose (place.h)
 *   "content": "own" | "mixed"     not of an access_log: whether it holds the person's data alone
 *   "owner": {"uid": VALUE} | {"user": VALUE}, VALUE {"id": KIND} | {"setting": NAME}
 *                                  not of an access_log: whose the folder or file must be; may be left out
 *   "hard_links": "own" | "any"    of a folder or maildir: see tree.h; "own" when it is left out
 *   "limits": {"bytes": N, "entries": N, "depth": N}
 *                                  each a number or {"setting": NAME}; may be left out
 *   "format", "match"              of an access_log: see log.h
 */
#ifndef DSAR_FILES_ROOT_H
#define DSAR_FILES_ROOT_H

#include <dsar/connector.h>

enum root_kind { ROOT_FOLDER, ROOT_MAILDIR, ROOT_MBOX, ROOT_ACCESS_LOG };

enum log_format { LOG_COMMON, LOG_COMBINED, LOG_VHOST_COMBINED };

struct root {
    enum root_kind kind;
    const char *name;   /* of the collection */
    const json_t *spec; /* the collection; all is borrowed from it */
    const json_t *path;
    const json_t *owner; /* NULL without */
    bool is_mixed;
    bool is_any_link_kept;
    enum log_format format;
    bool is_matched_by_user; /* of a log: by its field `user` instead of `address` */
    const char *match_kind;  /* the identity kind that lines of a log are matched by */
    json_t *place_needs;     /* `needs` without match_kind; owned */
    /* from the settings */
    const char *base; /* NULL before root_settle */
    uint64_t bytes_max;
    uint64_t entries_max;
    unsigned depth_max;
};

/* Reads and checks a collection. `declared` are the profile's settings as hello says them, `path` its JSON Pointer.
 * "bad_profile". */
int root_read(struct root *root, const json_t *collection, const json_t *declared, const char *path,
              struct dsar_error *error) __attribute__((warn_unused_result));

/* Takes what is configured. `settings` must outlive the root. "bad_settings". */
int root_settle(struct root *root, const json_t *settings, struct dsar_error *error)
    __attribute__((warn_unused_result));

void root_wipe(struct root *root);

#endif
