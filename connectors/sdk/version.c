#include "version.h"

#include <stdlib.h>
#include <string.h>

bool version_is_valid(const char *text, size_t len)
{
    static const char known[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+~:-";
    if (len == 0 || len > VERSION_MAX || text[0] < '0' || text[0] > '9')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!text[i] || !strchr(known, text[i]))
            return false;
    return true;
}

/* The number at *text, which moves behind it and its dot; 0 where there is none. */
static unsigned long next_number(const char **text)
{
    char *end;
    if (**text < '0' || **text > '9')
        return 0;
    unsigned long number = strtoul(*text, &end, 10);
    *text = *end == '.' ? end + 1 : end;
    return number;
}

bool version_is_at_least(const char *version, const char *least)
{
    while (*least >= '0' && *least <= '9') {
        unsigned long has = next_number(&version), wants = next_number(&least);
        if (has != wants)
            return has > wants;
    }
    return true;
}
