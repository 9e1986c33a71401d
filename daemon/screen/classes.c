#include "screen/classes.h"
#include "screen/class_rules.h"
#include "screen/hash.h"
#include "screen/pattern.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Patterns with '*' multiply the places to tell apart; beyond this nobody could foresee which class a field
 * has. */
#define EDGES_MAX 65536

/* From one state to the next by the key of a member: a slot of the state's hash table. */
struct edge {
    const char *key; /* NULL: the slot is free; owned by the tree */
    size_t key_len;
    uint32_t next;
};

struct state {
    uint32_t rule;
    uint32_t edges;   /* where its slots begin */
    uint32_t n_slots; /* a power of two, or 0 */
    uint32_t other;   /* the state below it for any other key and for array elements */
};

/* The root is state 0; behind it stands one state for each rule, which no pattern leaves any more. */
struct classes {
    struct class_rules rules;
    struct pattern_tree tree;
    struct state *states;
    size_t n_states;
    size_t states_cap;
    struct edge *edges;
    size_t n_edges;
    size_t edges_cap;
};

/* The pattern nodes that one place stands at, the one that wins first. */
struct places {
    uint32_t *nodes;
    size_t n;
};

static uint32_t leaf_of(uint32_t rule)
{
    return rule + 1;
}

static struct edge *find_slot(const struct classes *classes, const struct state *state, const char *key,
                              size_t key_len)
{
    size_t mask = state->n_slots - 1;
    for (size_t i = hash_bytes(0, key, key_len) & mask;; i = (i + 1) & mask) {
        struct edge *edge = &classes->edges[state->edges + i];
        if (!edge->key || (edge->key_len == key_len && memcmp(edge->key, key, key_len) == 0))
            return edge;
    }
}

static void *grown(void *list, size_t *cap, size_t need, size_t size)
{
    size_t more = *cap ? *cap : 64;
    while (more < need)
        more *= 2;
    void *grew = reallocarray(list, more, size);
    if (grew)
        *cap = more;
    return grew;
}

static int add_state(struct classes *classes, struct state state, struct fault *fault)
{
    if (classes->n_states == classes->states_cap) {
        struct state *states =
            grown(classes->states, &classes->states_cap, classes->n_states + 1, sizeof *states);
        if (!states)
            return fault_retry(fault, "no_memory", "no memory for the classes of fields");
        classes->states = states;
    }
    classes->states[classes->n_states++] = state;
    return 0;
}

/* Gives a state a table that stays at most half full with `n_keys`. */
static int add_slots(struct classes *classes, uint32_t self, size_t n_keys, struct fault *fault)
{
    if (n_keys == 0)
        return 0;
    size_t n_slots = 2;
    while (n_slots < 2 * n_keys)
        n_slots *= 2;
    size_t need = classes->n_edges + n_slots;
    if (need > EDGES_MAX)
        return fault_set(fault, "bad_class",
                         "the patterns have too many combinations: use fewer of them, or fewer with '*'");
    if (need > classes->edges_cap) {
        struct edge *edges = grown(classes->edges, &classes->edges_cap, need, sizeof *edges);
        if (!edges)
            return fault_retry(fault, "no_memory", "no memory for the classes of fields");
        classes->edges = edges;
    }
    memset(classes->edges + classes->n_edges, 0, n_slots * sizeof *classes->edges);
    classes->states[self].edges = (uint32_t)classes->n_edges;
    classes->states[self].n_slots = (uint32_t)n_slots;
    classes->n_edges = need;
    return 0;
}

/* The places below `from` by `key`, or by no key that any pattern names. `below` has room for twice as many.
 */
static void step_places(const struct pattern_tree *tree, const struct places *from, const struct edge *edge,
                        struct places *below)
{
    below->n = 0;
    for (size_t i = 0; i < from->n; i++) {
        uint32_t child = edge ? pattern_child(tree, from->nodes[i], edge->key, edge->key_len) : PATTERN_ROOT;
        if (child != PATTERN_ROOT)
            below->nodes[below->n++] = child;
        if (tree->nodes[from->nodes[i]].star != PATTERN_ROOT)
            below->nodes[below->n++] = tree->nodes[from->nodes[i]].star;
    }
}

static uint32_t rule_at(const struct pattern_tree *tree, const struct places *places, uint32_t inherited)
{
    for (size_t i = 0; i < places->n; i++)
        if (tree->nodes[places->nodes[i]].rule != PATTERN_NO_RULE)
            return tree->nodes[places->nodes[i]].rule;
    return inherited;
}

static int add_below(struct classes *classes, uint32_t self, const struct places *places,
                     struct fault *fault);

/* The state that stands for `places`, below one with the rule `inherited`. */
static int add_places(struct classes *classes, const struct places *places, uint32_t inherited,
                      uint32_t *state, struct fault *fault)
{
    uint32_t rule = rule_at(&classes->tree, places, inherited);
    *state = leaf_of(rule);
    for (size_t i = 0; i < places->n; i++) {
        const struct pattern_node *node = &classes->tree.nodes[places->nodes[i]];
        if (node->first == PATTERN_ROOT && node->star == PATTERN_ROOT)
            continue;
        *state = (uint32_t)classes->n_states;
        if (add_state(classes, (struct state){.rule = rule}, fault))
            return -1;
        return add_below(classes, *state, places, fault);
    }
    return 0;
}

static int add_keys(struct classes *classes, uint32_t self, const struct places *places, struct fault *fault)
{
    const struct pattern_node *nodes = classes->tree.nodes;
    size_t n_keys = 0;
    for (size_t i = 0; i < places->n; i++)
        for (uint32_t child = nodes[places->nodes[i]].first; child != PATTERN_ROOT; child = nodes[child].next)
            n_keys++;
    if (add_slots(classes, self, n_keys, fault))
        return -1;
    const struct state *state = &classes->states[self];
    for (size_t i = 0; i < places->n; i++)
        for (uint32_t child = nodes[places->nodes[i]].first; child != PATTERN_ROOT;
             child = nodes[child].next) {
            struct edge *edge = find_slot(classes, state, nodes[child].key, nodes[child].key_len);
            edge->key = nodes[child].key;
            edge->key_len = nodes[child].key_len;
        }
    return 0;
}

/* Adds all states below the one that stands for `places`. */
static int add_below(struct classes *classes, uint32_t self, const struct places *places, struct fault *fault)
{
    if (add_keys(classes, self, places, fault))
        return -1;
    struct places below = {.nodes = reallocarray(NULL, places->n, 2 * sizeof *below.nodes)};
    if (!below.nodes)
        return fault_retry(fault, "no_memory", "no memory for the classes of fields");
    const struct state state = classes->states[self]; /* both lists move while they grow */
    uint32_t next = 0;
    step_places(&classes->tree, places, NULL, &below);
    int result = add_places(classes, &below, state.rule, &next, fault);
    classes->states[self].other = next;
    for (size_t i = state.edges; i < (size_t)state.edges + state.n_slots && result == 0; i++) {
        const struct edge edge = classes->edges[i];
        if (!edge.key)
            continue;
        step_places(&classes->tree, places, &edge, &below);
        result = add_places(classes, &below, state.rule, &next, fault);
        classes->edges[i].next = next;
    }
    free(below.nodes);
    return result;
}

static bool drops(uint32_t rule)
{
    return rule == CLASS_SECRET || rule == CLASS_CVV || rule >= CLASS_WITHHOLD;
}

static int add_all(struct classes *classes, struct fault *fault)
{
    uint32_t root = PATTERN_ROOT;
    const struct places places = {.nodes = &root, .n = 1};
    uint32_t rule = rule_at(&classes->tree, &places, CLASS_FREE_TEXT);
    if (drops(rule))
        return fault_set(fault, "bad_class",
                         "field '' would drop whole records: leave the collection out instead");
    if (add_state(classes, (struct state){.rule = rule}, fault))
        return -1;
    for (uint32_t i = 0; i < classes->rules.n; i++)
        if (add_state(classes, (struct state){.rule = i, .other = leaf_of(i)}, fault))
            return -1;
    return add_below(classes, CLASSES_ROOT, &places, fault);
}

static int read_fields(struct classes *classes, const json_t *fields, struct fault *fault)
{
    if (!fields)
        return 0;
    if (!json_is_object(fields))
        return fault_set(fault, "bad_class", "fields: expected an object of JSON Pointers and classes");
    if (json_object_size(fields) > CLASSES_PATTERNS_MAX)
        return fault_set(fault, "bad_class", "fields: more than %d patterns", CLASSES_PATTERNS_MAX);
    const char *pointer;
    json_t *name;
    json_object_foreach ((json_t *)(uintptr_t)fields, pointer, name) {
        uint32_t rule = CLASS_FREE_TEXT;
        int result = json_is_string(name)
                         ? class_rules_find(&classes->rules, json_string_value(name), &rule, fault)
                         : fault_set(fault, "bad_class", "expected the name of a class");
        if (result == 0)
            result = pattern_tree_add(&classes->tree, pointer, rule, fault);
        if (result)
            return fault_prefix(fault, "field '%.120s'", pointer);
    }
    return 0;
}

int classes_new(struct classes **classes, const json_t *fields, struct fault *fault)
{
    struct classes *made = calloc(1, sizeof *made);
    if (!made)
        return fault_retry(fault, "no_memory", "no memory for the classes of fields");
    class_rules_init(&made->rules);
    if (pattern_tree_init(&made->tree, fault) || read_fields(made, fields, fault) || add_all(made, fault)) {
        classes_free(made);
        return -1;
    }
    *classes = made;
    return 0;
}

void classes_free(struct classes *classes)
{
    if (!classes)
        return;
    pattern_tree_wipe(&classes->tree);
    free(classes->states);
    free(classes->edges);
    free(classes);
}

unsigned classes_step(const struct classes *classes, unsigned state, const char *key, size_t key_len)
{
    const struct state *from = &classes->states[state];
    if (!key || from->n_slots == 0)
        return from->other;
    const struct edge *edge = find_slot(classes, from, key, key_len);
    return edge->key ? edge->next : from->other;
}

enum class_kind classes_at(const struct classes *classes, unsigned state, const char **reason)
{
    const struct class_rule *rule = &classes->rules.list[classes->states[state].rule];
    *reason = rule->kind == CLASS_WITHHOLD ? rule->reason : NULL;
    return rule->kind;
}
