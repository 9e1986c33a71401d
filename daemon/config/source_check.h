/* source_check: a source's settings, held against what its connector says it takes (`settings` of its hello,
 * include/dsar/PROTOCOL.md). Thread-safe. */
#ifndef DSAR_CONFIG_SOURCE_CHECK_H
#define DSAR_CONFIG_SOURCE_CHECK_H

#include "config/config.h"

#include <jansson.h>

/* The largest file of a secret, in bytes, with its newline. */
#define CONFIG_SECRET_BYTES_MAX 65536

/* Checks the settings of `source`, one of config->sources, against the connector's hello message. 0, or -1
 * after having written every problem to `errors` as config_load does: unknown and missing settings, values of
 * the wrong kind, secrets that stand in the configuration, files for what is no secret. `NAME_file` gives the
 * secret NAME, unless the hello has a setting of just that key. */
int config_check_source(const struct config *config, const struct source_config *source, const json_t *hello,
                        FILE *errors) __attribute__((warn_unused_result));

/* Makes the two objects of the `configure` message from settings that config_check_source found right:
 * *settings by kind, the defaults of the hello filled in, paths absolute; *secrets read now from their files,
 * without the newline at their end, or left alone when `secrets` is NULL. Both are new references, NULL after a failure: "bad_settings",
 * "file_unreadable", "too_large", and, retryable, "no_memory" or "no_descriptor". Freed JSON has held secrets: see secret_harden_process. */
int config_source_settings(const struct source_config *source, const json_t *hello, json_t **settings,
                           json_t **secrets, struct fault *fault) __attribute__((warn_unused_result));

#endif
