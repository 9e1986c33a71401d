#include "screen/own.h"
#include "screen/text.h"
#include "screen/unit.h"

#include <openssl/crypto.h>
#include <stdlib.h>

/* RFC 5321 allows 64 octets, '@' and 255 octets; more is no address that mail could reach. */
#define OWN_LEN_MAX 320

struct own_address {
    char text[OWN_LEN_MAX]; /* lower case in ASCII */
    size_t local_len;
    size_t domain_at;
    size_t len;
};

struct own_addresses {
    size_t n;
    struct own_address list[];
};

static int take(struct own_address *address, const char *text, size_t number, struct fault *fault)
{
    size_t len = strlen(text);
    const char *at = strrchr(text, '@');
    if (!at || at == text || at[1] == '\0' || len > OWN_LEN_MAX || text_check_utf8(text, len) < len)
        return fault_set(fault, "bad_address",
                         "own address %zu: expected local@domain in UTF-8 of at most %d bytes", number,
                         OWN_LEN_MAX);
    for (size_t i = 0; i < len; i++)
        address->text[i] = text_lower(text[i]);
    address->local_len = (size_t)(at - text);
    address->domain_at = address->local_len + 1;
    address->len = len;
    return 0;
}

int own_addresses_new(struct own_addresses **own, const char *const *addresses, size_t n_addresses,
                      struct fault *fault)
{
    struct own_addresses *made = NULL;
    if (n_addresses < SIZE_MAX / sizeof *made->list - 1)
        made = calloc(1, sizeof *made + n_addresses * sizeof *made->list);
    if (!made)
        return fault_retry(fault, "no_memory", "no memory for %zu own addresses", n_addresses);
    made->n = n_addresses;
    for (size_t i = 0; i < n_addresses; i++)
        if (take(&made->list[i], addresses[i], i + 1, fault)) {
            own_addresses_free(made);
            return -1;
        }
    *own = made;
    return 0;
}

void own_addresses_free(struct own_addresses *own)
{
    if (own)
        OPENSSL_cleanse(own, sizeof *own + own->n * sizeof *own->list);
    free(own);
}

static bool same_bytes(const struct unit *unit, const char *lower)
{
    for (size_t i = 0; i < unit->n_bytes; i++)
        if (text_lower(unit->bytes[i]) != lower[i])
            return false;
    return true;
}

static bool is_domain(const struct own_address *own, const char *text, size_t start, size_t end)
{
    size_t seen = own->domain_at;
    while (start < end) {
        if (unit_is_simple(text[start])) {
            if (seen == own->len || own->text[seen++] != text_lower(text[start++]))
                return false;
            continue;
        }
        struct unit unit = unit_at(text, end, start);
        if (unit.n_bytes > own->len - seen || !same_bytes(&unit, own->text + seen))
            return false;
        seen += unit.n_bytes;
        start = unit.end;
    }
    return seen == own->len;
}

bool own_is_wrap(unsigned code)
{
    return code > 0 && code < 0x80 && strchr("!#$&'*=^`{|}~", (int)code);
}

/* Where the own local part at the end of [start, end) begins, or `end`. */
static size_t local_start(const struct own_address *own, const char *text, size_t start, size_t end)
{
    size_t left = own->local_len;
    size_t at = end;
    while (left > 0) {
        if (at == start)
            return end;
        if (unit_is_simple_before(text, start, at)) {
            if (own->text[--left] != text_lower(text[--at]))
                return end;
            continue;
        }
        struct unit unit = unit_before(text, start, at);
        if (unit.n_bytes > left || !same_bytes(&unit, own->text + left - unit.n_bytes))
            return end;
        left -= unit.n_bytes;
        at = unit.start;
    }
    return at == start || own_is_wrap(unit_before(text, start, at).code) ? at : end;
}

bool own_has(const struct own_addresses *own, const char *text, struct own_place *place)
{
    for (size_t i = 0; i < own->n; i++) {
        if (!is_domain(&own->list[i], text, place->domain, place->domain_end))
            continue;
        size_t start = local_start(&own->list[i], text, place->local, place->local_end);
        if (start < place->local_end) {
            place->local = start;
            return true;
        }
    }
    return false;
}
