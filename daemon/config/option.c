#include "config/options.h"

#include "config/config.h"

#include <stdlib.h>
#include <string.h>

const char *option_expected(const struct option *option, char text[OPTION_EXPECTED_MAX])
{
    switch (option->kind) {
    case OPTION_TEXT: return option->rule ? option->rule->expected : "text";
    case OPTION_PATH: return "a path";
    case OPTION_FILE:
    case OPTION_SECRET_FILE: return "the path of a file";
    case OPTION_BOOLEAN: return "true or false";
    case OPTION_TEXTS:
    case OPTION_LIST: return "a list";
    case OPTION_PAIRS:
    case OPTION_SECTION: return "a mapping";
    case OPTION_INTEGER:
        snprintf(text, OPTION_EXPECTED_MAX, "an integer from %u to %u", option->min, option->max);
        return text;
    case OPTION_CHOICE: break;
    }
    size_t len = 0;
    for (const char *const *choice = option->choices; *choice && len < OPTION_EXPECTED_MAX; choice++)
        len += (size_t)snprintf(text + len, OPTION_EXPECTED_MAX - len, "%s%s", len ? " or " : "", *choice);
    return text;
}

static void free_pairs(struct config_pair *pairs, size_t n_pairs)
{
    for (size_t i = 0; i < n_pairs; i++) {
        free(pairs[i].name);
        free(pairs[i].value);
    }
    free(pairs);
}

static void free_texts(char **texts, size_t n_texts)
{
    for (size_t i = 0; i < n_texts; i++)
        free(texts[i]);
    free(texts);
}

/* The pointer that an option keeps; all pointers to structs look alike in memory. */
static void *owned_by(const struct option *option, const void *base)
{
    void *owned;
    memcpy(&owned, (const char *)base + option->offset, sizeof owned);
    return owned;
}

static size_t count_of(const struct option *option, const void *base)
{
    size_t count;
    memcpy(&count, (const char *)base + option->count_offset, sizeof count);
    return count;
}

static void free_list(const struct option *option, char *items, size_t n_items)
{
    for (size_t i = 0; i < n_items; i++)
        options_free(option->members, items + i * option->item_size);
    free(items);
}

void options_free(const struct option *options, void *base)
{
    for (const struct option *option = options; option->name; option++) {
        switch (option->kind) {
        case OPTION_TEXT:
        case OPTION_PATH:
        case OPTION_FILE:
        case OPTION_SECRET_FILE: free(owned_by(option, base)); break;
        case OPTION_TEXTS: free_texts(owned_by(option, base), count_of(option, base)); break;
        case OPTION_PAIRS: free_pairs(owned_by(option, base), count_of(option, base)); break;
        case OPTION_LIST: free_list(option, owned_by(option, base), count_of(option, base)); break;
        case OPTION_SECTION: options_free(option->members, (char *)base + option->offset); break;
        case OPTION_INTEGER:
        case OPTION_BOOLEAN:
        case OPTION_CHOICE: break;
        }
    }
}
