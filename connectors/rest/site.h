/* site: where a system answers, and where something is that it names: always at the same place, whatever host an
 * answer says. */
#ifndef REST_SITE_H
#define REST_SITE_H

#include "base/buf.h"

#include <dsar/connector.h>
#include <stdbool.h>

struct site {
    char *origin;  /* scheme, host and port, without a slash at its end */
    char *base;    /* the same with the path of the URL, without a slash at its end */
    char *path;    /* that path as it was written, "/" at least */
    char *host;    /* for error texts */
    bool is_plain; /* HTTP, to this machine alone */
};

/* Reads a URL: HTTPS, or HTTP to this machine's own addresses, without user, query and fragment. `setting` is its
 * name for the text ("bad_settings"). Whatever comes of it, site_wipe is called later. */
int site_read(struct site *site, const char *setting, const char *url, struct dsar_error *error)
    __attribute__((warn_unused_result));
void site_wipe(struct site *site);

/* Appends path and query of `reference`, which a system gave in answer to a call of `url`: relative ones are resolved
 * (RFC 3986), whole ones lose their scheme and host. *is_elsewhere says whether these were others than the
 * site's; `site` may be NULL, and they are then. Codes: "bad_reference", "no_memory". */
int site_locate(const struct site *site, const char *url, const char *reference, struct buf *target,
                bool *is_elsewhere, struct fault *fault) __attribute__((warn_unused_result));

/* Whether a segment of a path, percent-encoded or not, means the same to every server: some cut it at its ';' or a NUL, or
 * decode it twice, before they look for the dots of a way up. */
bool site_is_segment(const char *segment, size_t len);

/* Whether `target`, path and query behind the origin, lies in a folder behind the base URL: `under`, from '/' to '/'.
 * What a server might read as a way out of it, such as "..;" or "%252e", does not. */
bool site_holds(const struct site *site, const char *under, const char *target);

#endif
