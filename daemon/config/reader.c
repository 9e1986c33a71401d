#include "config/reader.h"

#include "config/options.h"
#include "config/scalar.h"

#include <stdlib.h>
#include <string.h>

#define SCALAR_BYTES_MAX     (64u * 1024)
#define ALL_SCALARS_MAX      (4u * 1024 * 1024) /* a variable that is named often must not fill the memory */
#define FILE_SUFFIX          "_file"
#define FILE_SUFFIX_LEN      (sizeof FILE_SUFFIX - 1)
#define NAME_WITH_SUFFIX_MAX 80

struct reader {
    const char *folder;
    enum config_use use;
    size_t bytes_left;
    struct problems *problems;
};

/* Where a value stands, or where it is missing. */
struct spot {
    struct config_mark mark;
    const struct place *place;
};

static void read_members(struct reader *reader, const struct option *options, void *base,
                         const struct node *map, const struct spot *spot);

static void report_unexpected(struct reader *reader, const struct option *option, const struct node *node,
                              const struct place *place)
{
    char expected[OPTION_EXPECTED_MAX], found[NODE_FOUND_MAX];
    if (node->kind != NODE_REFUSED)
        problem_error(reader->problems, node->mark, place, "expected %s, found %s",
                      option_expected(option, expected), node_found(node, found));
}

/* Whether the text may be shown on one line; line breaks and tabs pass where `free_form`. */
static bool is_printable(const char *text, bool free_form)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 && !(free_form && strchr("\n\t", *text))) || *text == 0x7f)
            return false;
    return true;
}

/* The scalar's text with its variables expanded; owned by the caller. NULL where that was reported. */
static char *expand(struct reader *reader, const struct node *node, const struct place *place, bool free_form)
{
    struct fault fault;
    struct buf out;
    buf_init(&out, reader->bytes_left < SCALAR_BYTES_MAX ? reader->bytes_left : SCALAR_BYTES_MAX);
    char *text = NULL;
    if (buf_reserve(&out, 0, &fault) || scalar_expand(node->text, &out, &fault)) {
        problem_error(reader->problems, node->mark, place, "%s", fault.text);
        goto done;
    }
    reader->bytes_left -= out.len;
    if (!free_form)
        while (out.len && out.data[out.len - 1] == '\n') /* a block scalar ends in one */
            out.data[--out.len] = '\0';
    if (!is_printable(out.data, free_form)) {
        problem_error(reader->problems, node->mark, place,
                      "expected text on one line, without control characters");
        goto done;
    }
    text = strdup(out.data);
    if (!text)
        problem_no_memory(reader->problems);
done:
    buf_wipe(&out);
    return text;
}

static bool parse_choice(const struct option *option, const char *text, unsigned *value)
{
    for (*value = 0; option->choices[*value]; ++*value)
        if (strcmp(option->choices[*value], text) == 0)
            return true;
    return false;
}

static bool parse_integer(const struct option *option, const char *text, unsigned *value)
{
    long long number;
    if (!scalar_is_integer(text, &number) || number < option->min || number > option->max)
        return false;
    *value = (unsigned)number;
    return true;
}

/* Puts the text where the option belongs. False when it is not what was expected. */
static bool store_scalar(struct reader *reader, const struct option *option, void *base, const char *text)
{
    void *at = (char *)base + option->offset;
    if (option->kind == OPTION_BOOLEAN)
        return scalar_is_boolean(text, at);
    if (option->kind == OPTION_INTEGER)
        return parse_integer(option, text, at);
    if (option->kind == OPTION_CHOICE)
        return parse_choice(option, text, at);
    if (!*text || (option->rule && !option->rule->holds(text)))
        return false;
    char *copy = option->kind == OPTION_TEXT ? strdup(text) : scalar_path(reader->folder, text);
    if (!copy)
        problem_no_memory(reader->problems);
    *(char **)at = copy;
    return true;
}

static void report_scalar(struct reader *reader, const struct option *option, const struct node *node,
                          const struct place *place)
{
    if (option->kind != OPTION_CHOICE) {
        report_unexpected(reader, option, node, place);
        return;
    }
    struct suggestion suggestion = {.word = node->text};
    for (const char *const *choice = option->choices; *choice; choice++)
        suggestion_offer(&suggestion, *choice);
    char expected[OPTION_EXPECTED_MAX], found[NODE_FOUND_MAX], hint[SUGGESTION_TEXT_MAX];
    problem_error(reader->problems, node->mark, place, "expected %s, found %s%s",
                  option_expected(option, expected), node_found(node, found),
                  suggestion_text(&suggestion, hint));
}

static void read_scalar(struct reader *reader, const struct option *option, void *base,
                        const struct node *node, const struct place *place)
{
    if (node->kind != NODE_SCALAR || node_is_null(node)) {
        report_unexpected(reader, option, node, place);
        return;
    }
    char *text = expand(reader, node, place, false);
    if (!text)
        return;
    if (!store_scalar(reader, option, base, text)) {
        report_scalar(reader, option, node, place);
    } else if (option->kind == OPTION_FILE || option->kind == OPTION_SECRET_FILE) {
        const char *path = *(char **)(void *)((char *)base + option->offset);
        if (path)
            scalar_check_file(path, option->kind == OPTION_SECRET_FILE, reader->problems, node->mark, place);
    }
    free(text);
}

/* Memory for the elements of a list, its number checked. NULL when there is nothing to read into. */
static void *list_memory(struct reader *reader, const struct option *option, const struct node *node,
                         const struct place *place, size_t item_size)
{
    if (node->n_entries < option->min)
        problem_error(reader->problems, node->mark, place, "expected at least %u, found %zu", option->min,
                      node->n_entries);
    if (node->n_entries > option->max)
        problem_error(reader->problems, node->mark, place, "expected at most %u, found %zu", option->max,
                      node->n_entries);
    if (!node->n_entries)
        return NULL;
    void *items = calloc(node->n_entries, item_size);
    if (!items)
        problem_no_memory(reader->problems);
    return items;
}

static void store_list(const struct option *option, void *base, void *items, size_t n_items)
{
    memcpy((char *)base + option->offset, &items, sizeof items);
    memcpy((char *)base + option->count_offset, &n_items, sizeof n_items);
}

static void read_texts(struct reader *reader, const struct option *option, void *base,
                       const struct node *list, const struct place *place)
{
    char **texts = list_memory(reader, option, list, place, sizeof *texts);
    if (!texts)
        return;
    store_list(option, base, texts, list->n_entries);
    const struct option element = {.name = option->name, .kind = OPTION_TEXT, .rule = option->rule};
    size_t i = 0;
    for (const struct node *node = list->first; node; node = node->next, i++) {
        const struct place here = {place, NULL, i};
        read_scalar(reader, &element, &texts[i], node, &here);
    }
}

static void read_list(struct reader *reader, const struct option *option, void *base, const struct node *list,
                      const struct place *place)
{
    char *items = list_memory(reader, option, list, place, option->item_size);
    if (!items)
        return;
    store_list(option, base, items, list->n_entries);
    const struct option element = {.kind = OPTION_SECTION};
    size_t i = 0;
    for (const struct node *node = list->first; node; node = node->next, i++) {
        const struct place here = {place, NULL, i};
        const struct spot spot = {node->mark, &here};
        if (node->kind == NODE_MAP)
            read_members(reader, option->members, items + i * option->item_size, node, &spot);
        else
            report_unexpected(reader, &element, node, &here);
    }
}

/* Whether the key of a free mapping may stand there. */
static bool check_pair_key(struct reader *reader, const struct node *node, const struct place *place)
{
    if (!scalar_is_name(node->key)) {
        problem_error(reader->problems, node->key_mark, place, "expected as its name %s",
                      "1 to 64 of a-z, 0-9, '_', '.' and '-', the first a letter");
        return false;
    }
    if (scalar_names_secret(node->key)) {
        problem_error(reader->problems, node->key_mark, place,
                      "a secret must not stand in the configuration; use '%s" FILE_SUFFIX
                      "' with the path of a file",
                      node->key);
        return false;
    }
    return true;
}

static void read_pair(struct reader *reader, struct config_pair *pair, const struct node *node,
                      const struct place *place)
{
    if (!check_pair_key(reader, node, place))
        return;
    if (node->kind != NODE_SCALAR || node_is_null(node)) {
        const struct option expected = {.kind = OPTION_TEXT};
        report_unexpected(reader, &expected, node, place);
        return;
    }
    size_t len = strlen(node->key);
    pair->is_file = len > FILE_SUFFIX_LEN && strcmp(node->key + len - FILE_SUFFIX_LEN, FILE_SUFFIX) == 0;
    pair->key_mark = node->key_mark;
    pair->value_mark = node->mark;
    pair->name = strndup(node->key, pair->is_file ? len - FILE_SUFFIX_LEN : len);
    if (!pair->name) {
        problem_no_memory(reader->problems);
        return;
    }
    if (!pair->is_file) {
        pair->value = expand(reader, node, place, true);
        return;
    }
    /* not each file is a secret: config_check_source knows better than the name */
    const struct option file = {.kind = scalar_names_secret(pair->name) ? OPTION_SECRET_FILE : OPTION_FILE};
    read_scalar(reader, &file, &pair->value, node, place);
}

static void read_pairs(struct reader *reader, const struct option *option, void *base, const struct node *map,
                       const struct place *place)
{
    struct config_pair *pairs = list_memory(reader, option, map, place, sizeof *pairs);
    if (!pairs)
        return;
    store_list(option, base, pairs, map->n_entries);
    size_t i = 0;
    for (const struct node *node = map->first; node; node = node->next, i++) {
        const struct place here = {place, node->key, 0};
        read_pair(reader, &pairs[i], node, &here);
        if (pairs[i].is_file && pairs[i].name && node_member(map, pairs[i].name))
            problem_error(reader->problems, node->key_mark, &here, "expected either this or '%s', not both",
                          pairs[i].name);
    }
}

static void read_option(struct reader *reader, const struct option *option, void *base,
                        const struct node *node, const struct place *place)
{
    const struct spot spot = {node->mark, place};
    bool list = option->kind == OPTION_TEXTS || option->kind == OPTION_LIST;
    bool map = option->kind == OPTION_PAIRS || option->kind == OPTION_SECTION;
    if (!list && !map)
        read_scalar(reader, option, base, node, place);
    else if (node->kind != (list ? NODE_LIST : NODE_MAP))
        report_unexpected(reader, option, node, place);
    else if (option->kind == OPTION_TEXTS)
        read_texts(reader, option, base, node, place);
    else if (option->kind == OPTION_LIST)
        read_list(reader, option, base, node, place);
    else if (option->kind == OPTION_PAIRS)
        read_pairs(reader, option, base, node, place);
    else
        read_members(reader, option->members, (char *)base + option->offset, node, &spot);
}

static void read_absent(struct reader *reader, const struct option *option, void *base,
                        const struct spot *spot)
{
    if (option->need == OPTION_REQUIRED_FOR_RUN && reader->use != CONFIG_FOR_RUN)
        return;
    char expected[OPTION_EXPECTED_MAX];
    if (option->kind == OPTION_SECTION) /* its own members may be required or have defaults */
        read_members(reader, option->members, (char *)base + option->offset, NULL, spot);
    else if (option->need == OPTION_REQUIRED)
        problem_error(reader->problems, spot->mark, spot->place, "missing; expected %s",
                      option_expected(option, expected));
    else if (option->fallback && !store_scalar(reader, option, base, option->fallback))
        problem_error(reader->problems, spot->mark, spot->place, "the default is no valid value");
}

static const struct option *find_option(const struct option *options, const char *name)
{
    while (options->name && strcmp(options->name, name) != 0)
        options++;
    return options->name ? options : NULL;
}

static void report_unknown(struct reader *reader, const struct option *options, const struct node *node,
                           const struct place *place)
{
    char file_key[NAME_WITH_SUFFIX_MAX], hint[SUGGESTION_TEXT_MAX];
    snprintf(file_key, sizeof file_key, "%.64s" FILE_SUFFIX, node->key);
    if (find_option(options, file_key)) {
        problem_error(reader->problems, node->key_mark, place,
                      "unknown key; use '%s' with the path of a file", file_key);
        return;
    }
    struct suggestion suggestion = {.word = node->key};
    for (const struct option *option = options; option->name; option++)
        suggestion_offer(&suggestion, option->name);
    problem_error(reader->problems, node->key_mark, place, "unknown key%s",
                  suggestion_text(&suggestion, hint));
}

/* Reads a mapping; `map` is NULL where it is absent. */
static void read_members(struct reader *reader, const struct option *options, void *base,
                         const struct node *map, const struct spot *spot)
{
    for (const struct node *node = map ? map->first : NULL; node; node = node->next) {
        const struct place here = {spot->place, node->key, 0};
        const struct option *option = find_option(options, node->key);
        if (option)
            read_option(reader, option, base, node, &here);
        else
            report_unknown(reader, options, node, &here);
    }
    for (const struct option *option = options; option->name; option++) {
        const struct place here = {spot->place, option->name, 0};
        const struct spot missing = {spot->mark, &here};
        if (!node_member(map, option->name))
            read_absent(reader, option, base, &missing);
    }
}

void reader_read(struct config *config, const struct node *root, enum config_use use,
                 struct problems *problems)
{
    struct reader reader = {
        .folder = config->folder, .use = use, .bytes_left = ALL_SCALARS_MAX, .problems = problems};
    const struct option whole = {.kind = OPTION_SECTION, .members = config_options()};
    if (root->kind == NODE_MAP)
        read_members(&reader, whole.members, config, root, &(struct spot){root->mark, NULL});
    else
        report_unexpected(&reader, &whole, root, NULL);
}
