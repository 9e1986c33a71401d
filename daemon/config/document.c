#include "config/document.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

struct builder {
    yaml_parser_t parser;
    struct problems *problems;
};

static struct config_mark mark_of(yaml_mark_t mark)
{
    return (struct config_mark){(unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

void node_free(struct node *node)
{
    while (node) {
        struct node *next = node->next;
        node_free(node->first);
        free(node->key);
        free(node->text);
        free(node);
        node = next;
    }
}

const struct node *node_member(const struct node *map, const char *key)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    const struct node *entry = map->first;
    while (entry && strcmp(entry->key, key) != 0)
        entry = entry->next;
    return entry;
}

bool node_is_null(const struct node *node)
{
    return node->kind == NODE_SCALAR && node->plain &&
           (!*node->text || strcmp(node->text, "~") == 0 || strcasecmp(node->text, "null") == 0);
}

const char *node_found(const struct node *node, char text[NODE_FOUND_MAX])
{
    if (node->kind == NODE_MAP)
        return "a mapping";
    if (node->kind == NODE_LIST)
        return "a list";
    if (node_is_null(node))
        return "nothing";
    size_t len = strlen(node->text);
    bool cut = len > 40;
    if (cut)
        for (len = 40; len > 0 && ((unsigned char)node->text[len] & 0xc0) == 0x80;)
            len--;
    snprintf(text, NODE_FOUND_MAX, "'%.*s%s'", (int)len, node->text, cut ? "..." : "");
    return text;
}

/* libyaml gives a byte offset, not a mark, where the text is no UTF-8. */
static struct config_mark mark_of_offset(const yaml_parser_t *parser)
{
    struct config_mark mark = {1, 1};
    const unsigned char *text = parser->input.string.start;
    for (size_t i = 0; i < parser->problem_offset && text + i < parser->input.string.end; i++) {
        if (text[i] == '\n')
            mark = (struct config_mark){mark.line + 1, 1};
        else if ((text[i] & 0xc0) != 0x80)
            mark.column++;
    }
    return mark;
}

static void report_yaml(const struct builder *builder)
{
    const yaml_parser_t *parser = &builder->parser;
    const char *problem = parser->problem ? parser->problem : "not YAML";
    if (parser->error == YAML_MEMORY_ERROR)
        problem_no_memory(builder->problems);
    else if (parser->error == YAML_READER_ERROR)
        problem_error(builder->problems, mark_of_offset(parser), NULL, "%s", problem);
    else if (parser->context)
        problem_error(builder->problems, mark_of(parser->problem_mark), NULL, "%s, %s on line %zu", problem,
                      parser->context, parser->context_mark.line + 1);
    else
        problem_error(builder->problems, mark_of(parser->problem_mark), NULL, "%s", problem);
}

static int next_event(struct builder *builder, yaml_event_t *event)
{
    if (yaml_parser_parse(&builder->parser, event))
        return 0;
    report_yaml(builder);
    return -1;
}

/* Aliases, anchors and tags let a reader see something else than what stands there. */
static bool refuse_references(struct builder *builder, const yaml_event_t *event, const struct place *place)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    const char *what = event->type == YAML_ALIAS_EVENT ? "an alias (*)"
                       : anchor                        ? "an anchor (&)"
                       : tag                           ? "a tag (!)"
                                                       : NULL;
    if (!what)
        return false;
    problem_error(builder->problems, mark_of(event->start_mark), place,
                  "%s is not allowed; write the value out", what);
    return true;
}

static char *scalar_text(struct builder *builder, const yaml_event_t *event, const struct place *place)
{
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length) {
        problem_error(builder->problems, mark_of(event->start_mark), place,
                      "expected text without NUL characters");
        return NULL;
    }
    char *copy = strdup(text);
    if (!copy)
        problem_no_memory(builder->problems);
    return copy;
}

static struct node *build(struct builder *builder, const yaml_event_t *event, const struct place *up,
                          unsigned depth);

/* Builds what the next event begins. NULL when reading cannot go on. */
static struct node *build_next(struct builder *builder, const struct place *place, unsigned depth)
{
    yaml_event_t event;
    if (next_event(builder, &event))
        return NULL;
    struct node *node = build(builder, &event, place, depth);
    yaml_event_delete(&event);
    return node;
}

/* Hangs `entry` behind `*tail`. Returns where the one after it belongs, or NULL when there are too many. */
static struct node **append(struct builder *builder, struct node *parent, struct node **tail,
                            struct node *entry)
{
    *tail = entry;
    if (++parent->n_entries <= DOCUMENT_ENTRIES_MAX)
        return &entry->next;
    problem_error(builder->problems, entry->mark, NULL, "expected at most %d entries in one mapping or list",
                  DOCUMENT_ENTRIES_MAX);
    return NULL;
}

static int build_list(struct builder *builder, struct node *list, const struct place *place, unsigned depth)
{
    struct node **tail = &list->first;
    while (tail) {
        yaml_event_t event;
        if (next_event(builder, &event))
            return -1;
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        const struct place here = {place, NULL, list->n_entries};
        struct node *entry = end ? NULL : build(builder, &event, &here, depth + 1);
        yaml_event_delete(&event);
        if (!entry)
            return end ? 0 : -1;
        tail = append(builder, list, tail, entry);
    }
    return -1;
}

/* The entry that a key begins; *key is its text. A key that is refused has been reported: its value is read
 * all the same, and *key is NULL. NULL when reading cannot go on. */
static struct node *build_entry(struct builder *builder, const yaml_event_t *event, const struct place *place,
                                unsigned depth, char **key)
{
    *key = NULL;
    if (event->type != YAML_SCALAR_EVENT) {
        if (event->type != YAML_ALIAS_EVENT)
            problem_error(builder->problems, mark_of(event->start_mark), place, "expected text as a key");
        struct node *skipped = build(builder, event, place, depth + 1);
        if (!skipped)
            return NULL;
        node_free(skipped);
    } else if (!refuse_references(builder, event, place)) {
        *key = scalar_text(builder, event, place);
    }
    const struct place here = {place, *key ? *key : "?", 0};
    struct node *value = build_next(builder, &here, depth + 1);
    if (value && *key) {
        value->key_mark = mark_of(event->start_mark);
        value->key = *key; /* the node owns it now */
    } else {
        free(*key);
        *key = NULL;
    }
    return value;
}

static int build_map(struct builder *builder, struct node *map, const struct place *place, unsigned depth)
{
    struct node **tail = &map->first;
    while (tail) {
        yaml_event_t event;
        if (next_event(builder, &event))
            return -1;
        bool end = event.type == YAML_MAPPING_END_EVENT;
        char *key = NULL;
        struct node *entry = end ? NULL : build_entry(builder, &event, place, depth, &key);
        yaml_event_delete(&event);
        if (!entry)
            return end ? 0 : -1;
        const struct node *first = key ? node_member(map, key) : NULL;
        if (key && !first) {
            tail = append(builder, map, tail, entry);
            continue;
        }
        const struct place here = {place, key, 0};
        if (first)
            problem_error(builder->problems, entry->key_mark, &here,
                          "duplicate key; it stands on line %u already", first->key_mark.line);
        node_free(entry);
    }
    return -1;
}

static struct node *build(struct builder *builder, const yaml_event_t *event, const struct place *place,
                          unsigned depth)
{
    struct config_mark mark = mark_of(event->start_mark);
    if (depth > DOCUMENT_DEPTH_MAX) {
        problem_error(builder->problems, mark, NULL, "expected at most %d levels of nesting",
                      DOCUMENT_DEPTH_MAX);
        return NULL;
    }
    struct node *node = calloc(1, sizeof *node);
    if (!node) {
        problem_no_memory(builder->problems);
        return NULL;
    }
    *node = (struct node){.kind = NODE_REFUSED, .mark = mark};
    bool refused = refuse_references(builder, event, place);
    int result = 0;
    if (event->type == YAML_MAPPING_START_EVENT) {
        node->kind = NODE_MAP;
        result = build_map(builder, node, place, depth);
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        node->kind = NODE_LIST;
        result = build_list(builder, node, place, depth);
    } else if (event->type == YAML_SCALAR_EVENT && !refused) {
        node->text = scalar_text(builder, event, place);
        node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        node->kind = node->text ? NODE_SCALAR : NODE_REFUSED;
    }
    if (result) {
        node_free(node);
        return NULL;
    }
    return node;
}

/* Takes one event and says what it was: YAML_NO_EVENT after an error. */
static yaml_event_type_t skip_event(struct builder *builder, struct config_mark *mark)
{
    yaml_event_t event;
    if (next_event(builder, &event))
        return YAML_NO_EVENT;
    yaml_event_type_t type = event.type;
    *mark = mark_of(event.start_mark);
    yaml_event_delete(&event);
    return type;
}

static struct node *build_document(struct builder *builder)
{
    struct config_mark mark = {1, 1};
    if (skip_event(builder, &mark) == YAML_NO_EVENT)
        return NULL;
    yaml_event_type_t type = skip_event(builder, &mark);
    if (type == YAML_STREAM_END_EVENT)
        problem_error(builder->problems, mark, NULL, "the file is empty; expected a mapping");
    if (type != YAML_DOCUMENT_START_EVENT)
        return NULL;
    struct node *root = build_next(builder, NULL, 1);
    if (!root || skip_event(builder, &mark) == YAML_NO_EVENT)
        return root;
    if (skip_event(builder, &mark) == YAML_DOCUMENT_START_EVENT)
        problem_error(builder->problems, mark, NULL,
                      "a second document is not allowed; expected one in a file");
    return root;
}

struct node *document_load(struct problems *problems)
{
    struct builder builder = {.problems = problems};
    struct node *root = NULL;
    struct fault fault;
    struct buf text;
    buf_init(&text, DOCUMENT_BYTES_MAX);
    if (buf_read_file(&text, problems->file, &fault)) {
        problems->n_errors++;
        fprintf(problems->out, "error: %s\n", fault.text);
    } else if (!yaml_parser_initialize(&builder.parser)) {
        problem_no_memory(problems);
    } else {
        yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&builder.parser, (const unsigned char *)text.data, text.len);
        root = build_document(&builder);
        yaml_parser_delete(&builder.parser);
    }
    buf_wipe(&text);
    return root;
}
