/* confine: what the connector of each source may do of the system, from its configuration and its hello.
 *
 * Used at start, by one thread; confine_parts by any.
 */
#ifndef DSAR_GATHER_CONFINE_H
#define DSAR_GATHER_CONFINE_H

#include "base/log.h"
#include "config/config.h"
#include "sandbox/sandbox.h"
#include "sandbox/support.h"

#include <jansson.h>

/* For the hello: the program reads itself, its profile and its arguments, and connects to nothing. Both functions fail with
 * "bad_settings" where a user or a path is not there, and as sandbox_new. */
int confine_hello(struct sandbox **sandbox, const struct config *config, const struct source_config *source,
                  struct fault *fault) __attribute__((warn_unused_result));

/* For the work: besides, what its settings name. They are right: config_check_source found them so. */
int confine_work(struct sandbox **sandbox, const struct config *config, const struct source_config *source,
                 const json_t *hello, struct fault *fault) __attribute__((warn_unused_result));

/* One thing that keeps connectors back. */
struct confine_part {
    const char *name;
    bool is_there;
    const char *lack; /* what that means where it is not, and what to do */
};

/* The parts that the system has or lacks, and whether connectors run as another user than root. */
#define CONFINE_PARTS (SUPPORT_COUNT + 1)
void confine_parts(const struct config *config, struct confine_part parts[CONFINE_PARTS]);

/* Whether all parts are there that .sandbox.required asks for. Fails with "sandbox_lacking". */
int confine_check(const struct config *config, struct fault *fault) __attribute__((warn_unused_result));

/* Logs a warning for each part that is missing, and for each source whose connector is not confined. */
void confine_tell(const struct config *config, struct log *log);

#endif
