/* syntax: whether a text has the form that a request's member needs. Questions only; thread-safe. */
#ifndef DSAR_INTAKE_SYNTAX_H
#define DSAR_INTAKE_SYNTAX_H

#include <stdbool.h>

/* A UUID of version 4 (RFC 9562) in lower case. */
bool syntax_is_uuid_v4(const char *text);

/* [a-z][a-z0-9_]*, at most DSAR_NAME_MAX bytes: the kind of an identity. */
bool syntax_is_kind(const char *text);

/* [a-z][a-z0-9_.-]*, at most DSAR_NAME_MAX bytes: a source or a category. */
bool syntax_is_name(const char *text);

/* The form of a BCP 47 language tag: subtags of 1 to 8 letters or digits, the first of 2 to 8 letters, 35
 * bytes in all. */
bool syntax_is_locale(const char *text);

/* A mailbox that can be looked up as it stands: local part @ domain without quotes, comments, lists or
 * display names, in the characters of RFC 5322 atoms and UTF-8 (RFC 6531), at most 254 bytes, the local part
 * at most 64. */
bool syntax_is_email(const char *text);

#endif
