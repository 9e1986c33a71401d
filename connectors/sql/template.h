/* template: the SELECT of a profile, read into what a database takes and what is bound to it.
 *
 * It begins with SELECT or WITH. "{prefix}" stands for the tables' prefix, which is the only thing that is ever
 * put into the text. ":name" is a parameter: an identity kind, or `after` and `n` for paging. Within quotes
 * nothing is replaced; a quote is doubled to stand in its own kind, and '\\' means itself. Comments are refused,
 * as are a ';' and a ':' or '{' that is neither.
 */
#ifndef DSAR_SQL_TEMPLATE_H
#define DSAR_SQL_TEMPLATE_H

#include <dsar/connector.h>
#include <dsar/protocol.h>

#define TEMPLATE_PARAMETERS_MAX 32

struct template
{
    char *sql;
    char names[TEMPLATE_PARAMETERS_MAX]
              [DSAR_NAME_MAX + 1]; /* a name for each parameter, some more than once */
    int n_names;
};

/* Fails with "bad_profile"; the text begins with `path`. `prefix` may be "". With `has_dollars` the parameters are
 * $1, $2, …, otherwise each is a ?. */
int template_init(struct template *template, const char *text, const char *prefix, bool has_dollars,
                  const char *path, struct dsar_error *error) __attribute__((warn_unused_result));
void template_wipe(struct template *template);

/* Whether `name` is one of the parameters. */
bool template_has(const struct template *template, const char *name);

#endif
