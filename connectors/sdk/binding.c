#include "binding.h"

#include "base/plain.h"
#include "iterable.h"

#include <dsar/protocol.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NEEDS_MAX 8

#define NUMBER_PREFIX "uint>"

/* Digits without leading zeros, within int64: what every database and JSON reader takes exactly. */
static bool read_number(const char *text, int64_t *number)
{
    size_t len = strspn(text, "0123456789");
    if (len == 0 || text[len] || (text[0] == '0' && len > 1))
        return false;
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    *number = value;
    return errno == 0;
}

bool binding_is_type(const char *type)
{
    int64_t above;
    return strcmp(type, "text") == 0 || (strncmp(type, NUMBER_PREFIX, strlen(NUMBER_PREFIX)) == 0 &&
                                         read_number(type + strlen(NUMBER_PREFIX), &above));
}

static bool is_text(const char *value)
{
    size_t len = strlen(value);
    return len <= DSAR_IDENTITY_MAX && plain_is(value, len);
}

static bool is_of_type(const char *type, const char *value)
{
    if (strcmp(type, "text") == 0)
        return is_text(value);
    int64_t above;
    int64_t number;
    return read_number(type + strlen(NUMBER_PREFIX), &above) && read_number(value, &number) && number > above;
}

int binding_check(const char *kind, const char *type, const char *value, struct dsar_error *error)
{
    if (!value || plain_is_blank(value, strlen(value)))
        return dsar_error_set(error, "empty_bind", false,
                              "%s: no value: asking without one could return everybody's data", kind);
    if (!is_of_type(type, value))
        return dsar_error_set(error, "bad_identity", false, "%s: expected %s, found another value", kind,
                              type);
    return 0;
}

bool binding_is_possible(const json_t *needs, const struct dsar_identities *identities)
{
    const char *kind;
    json_t *type;
    json_object_foreach (iterable(needs), kind, type) {
        if (!dsar_identity_first(identities, kind))
            return false;
    }
    return true;
}

/* The values of one kind, and which of them is bound at present. */
struct dial {
    const char *kind;
    const char **values; /* owned, the texts are borrowed */
    size_t n_values;
    size_t at;
};

static bool has_value(const struct dial *dial, const char *value)
{
    for (size_t i = 0; i < dial->n_values; i++)
        if (strcmp(dial->values[i], value) == 0)
            return true;
    return false;
}

static int collect_values(struct dial *dial, const char *type, const struct dsar_identities *identities,
                          struct dsar_error *error)
{
    dial->values = calloc(identities->n_items + 1, sizeof *dial->values);
    if (!dial->values)
        return dsar_error_set(error, "no_memory", true, "no memory");
    for (size_t i = 0; i < identities->n_items; i++) {
        const struct dsar_identity *item = &identities->items[i];
        if (strcmp(item->kind, dial->kind) != 0 || has_value(dial, item->value))
            continue;
        if (binding_check(dial->kind, type, item->value, error))
            return -1;
        dial->values[dial->n_values++] = item->value;
    }
    return dial->n_values ? 0 : binding_check(dial->kind, type, NULL, error);
}

/* Sets the dials to the next combination; false after the last. */
static bool turn(struct dial *dials, size_t n_dials)
{
    for (size_t i = n_dials; i-- > 0;) {
        if (++dials[i].at < dials[i].n_values)
            return true;
        dials[i].at = 0;
    }
    return false;
}

static int use_all(struct dial *dials, size_t n_dials, binding_use_cb use, void *ctx,
                   struct dsar_error *error)
{
    struct dsar_identity items[NEEDS_MAX];
    do {
        for (size_t i = 0; i < n_dials; i++)
            items[i] = (struct dsar_identity){.kind = dials[i].kind, .value = dials[i].values[dials[i].at]};
        const struct dsar_identities bound = {.items = items, .n_items = n_dials};
        if (use(&bound, error, ctx))
            return -1;
    } while (turn(dials, n_dials));
    return 0;
}

int binding_each(const json_t *needs, const struct dsar_identities *identities, binding_use_cb use, void *ctx,
                 struct dsar_error *error)
{
    struct dial dials[NEEDS_MAX] = {{.kind = NULL}};
    size_t n_dials = 0;
    size_t n_combinations = 1;
    int result = -1;
    const char *kind;
    json_t *type;
    json_object_foreach (iterable(needs), kind, type) {
        if (n_dials == NEEDS_MAX) {
            dsar_error_set(error, "bad_profile", false, "needs: at most %d kinds are possible", NEEDS_MAX);
            goto out;
        }
        struct dial *dial = &dials[n_dials++];
        dial->kind = kind;
        if (collect_values(dial, json_string_value(type), identities, error))
            goto out;
        n_combinations *= dial->n_values;
        if (n_combinations > BINDING_COMBINATIONS_MAX) {
            dsar_error_set(error, "too_many_identities", false,
                           "more than %d combinations of the person's identities", BINDING_COMBINATIONS_MAX);
            goto out;
        }
    }
    result = use_all(dials, n_dials, use, ctx, error);
out:
    for (size_t i = 0; i < n_dials; i++)
        free(dials[i].values);
    return result;
}
