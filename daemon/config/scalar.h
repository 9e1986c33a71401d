/* scalar: what the text of one value means. Thread-safe where the environment is not changed meanwhile. */
#ifndef DSAR_CONFIG_SCALAR_H
#define DSAR_CONFIG_SCALAR_H

#include "base/buf.h"
#include "config/document.h"

/* Appends `text` with each ${NAME} replaced by the environment's value and $$ by a dollar. Fails with
 * "bad_value" where a variable is unset or empty, or a dollar stands alone; the fault never shows a
 * variable's value. */
int scalar_expand(const char *text, struct buf *out, struct fault *fault) __attribute__((warn_unused_result));

/* Whether a name promises a secret as its value: password, api_key, client.secret … */
bool scalar_names_secret(const char *name);

/* The file that `value` names: absolute, relative ones below `folder`. Owned by the caller, NULL without
 * memory. */
char *scalar_path(const char *folder, const char *value) __attribute__((warn_unused_result));

/* Writes an error where `path` is no regular file that can be read, and a warning where others can read what
 * should be secret, or can alter it. */
void scalar_check_file(const char *path, bool secret, struct problems *problems, struct config_mark mark,
                       const struct place *place);

/* An http or https URL with a host, without blanks or a fragment. */
bool scalar_is_url(const char *text);

/* A decimal integer, whole, without blanks. */
bool scalar_is_integer(const char *text, long long *value);

/* "true" or "false". */
bool scalar_is_boolean(const char *text, bool *value);

/* [a-z][a-z0-9_.-]*, at most 64 bytes: the names of the connector protocol. */
bool scalar_is_name(const char *text);

#endif
