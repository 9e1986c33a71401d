/* template: the SELECT of a profile, read into what a database takes and what is bound to it.
 *
 * "{prefix}" stands for the tables' prefix, which is the only thing that is ever put into the text. ":name"
 * is a parameter: an identity kind, or `after` and `n` for paging. Within quotes nothing is replaced.
 * Comments are refused, as is a ':' or '{' that is neither.
 */
#ifndef DSAR_SQL_TEMPLATE_H
#define DSAR_SQL_TEMPLATE_H

#include <dsar/connector.h>
#include <dsar/protocol.h>

#define TEMPLATE_PARAMETERS_MAX 8

struct template
{
    char *sql; /* parameters as ?1, ?2, … */
    char names[TEMPLATE_PARAMETERS_MAX][DSAR_NAME_MAX + 1];
    int n_names; /* names[0] is ?1; each name once */
};

/* Fails with "bad_profile"; the text begins with `path`. `prefix` may be "". */
int template_init(struct template *template, const char *text, const char *prefix, const char *path,
                  struct dsar_error *error) __attribute__((warn_unused_result));
void template_wipe(struct template *template);

/* Which parameter `name` is, from 1 on; 0 when it is none. */
int template_find(const struct template *template, const char *name);

#endif
