#include "log_match.h"

#include "../sdk/binding.h"

#include <arpa/inet.h>
#include <string.h>

/* The address as one of IPv6. */
static bool read_address(const char *text, struct in6_addr *address)
{
    struct in_addr v4;
    if (inet_pton(AF_INET6, text, address) == 1)
        return true;
    if (inet_pton(AF_INET, text, &v4) != 1)
        return false;
    *address = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(address->s6_addr + 12, &v4, sizeof v4);
    return true;
}

/* A name that a log shows as it is: what is escaped there, or stands for nobody, would never or always be found. */
static bool is_user(const char *text)
{
    if (strcmp(text, "-") == 0)
        return false;
    for (; *text; text++)
        if (*text <= 0x20 || *text >= 0x7f || *text == '"' || *text == '\\')
            return false;
    return true;
}

static int add(struct log_match *match, const char *kind, const char *value, struct dsar_error *error)
{
    if (match->n_values == LOG_VALUES_MAX)
        return dsar_error_set(error, "too_many_identities", false, "%s: more than %d values", kind,
                              LOG_VALUES_MAX);
    if (match->is_by_user ? !is_user(value) : !read_address(value, &match->addresses[match->n_values]))
        return dsar_error_set(error, "bad_identity", false, "%s: expected %s", kind,
                              match->is_by_user
                                  ? "a name of visible ASCII characters, without quotes or backslashes"
                                  : "an IP address");
    match->users[match->n_values++] = value;
    return 0;
}

int log_match_init(struct log_match *match, bool is_by_user, const char *kind, const char *type,
                   const struct dsar_identities *identities, struct dsar_error *error)
{
    *match = (struct log_match){.is_by_user = is_by_user};
    for (size_t i = 0; i < identities->n_items; i++) {
        const struct dsar_identity *item = &identities->items[i];
        if (strcmp(item->kind, kind) == 0 &&
            (binding_check(kind, type, item->value, error) || add(match, kind, item->value, error)))
            return -1;
    }
    return match->n_values ? 0 : binding_check(kind, type, NULL, error);
}

static bool is_text(const struct log_text *text, const char *value)
{
    return text->len == strlen(value) && memcmp(text->data, value, text->len) == 0;
}

static bool has_address(const struct log_match *match, const struct log_text *text)
{
    char found[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (text->len >= sizeof found)
        return false;
    memcpy(found, text->data, text->len);
    found[text->len] = '\0';
    if (!read_address(found, &address))
        return false;
    for (size_t i = 0; i < match->n_values; i++)
        if (memcmp(&address, &match->addresses[i], sizeof address) == 0)
            return true;
    return false;
}

bool log_match_has(const struct log_match *match, const struct log_line *line)
{
    if (!match->is_by_user)
        return has_address(match, &line->address);
    if (is_text(&line->status, "401"))
        return false;
    for (size_t i = 0; i < match->n_values; i++)
        if (is_text(&line->user, match->users[i]))
            return true;
    return false;
}
