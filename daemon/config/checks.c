#include "config/checks.h"

#include "config/scalar.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The mark of a value, or of `up` where the value is a default. */
static struct config_mark mark_below(const struct node *up, const char *key)
{
    const struct node *node = node_member(up, key);
    return node ? node->mark : up ? up->mark : (struct config_mark){1, 1};
}

static const struct node *first_of(const struct node *list)
{
    return list && list->kind == NODE_LIST ? list->first : NULL;
}

/* What the promise of one answer to each request rests upon is not for the configuration to change. */
static const char *why_reserved(const char *property)
{
    static const struct {
        const char *property, *why;
    } reserved[] = {
        {"bootstrap.servers", "use .kafka.brokers"},
        {"metadata.broker.list", "use .kafka.brokers"},
        {"group.id", "use .kafka.group"},
        {"transactional.id", "use .kafka.transactional_id"},
        {"enable.auto.commit", "an offset is committed only together with the outcome of its request"},
        {"enable.auto.offset.store", "an offset is committed only together with the outcome of its request"},
        {"isolation.level", "only what was committed may be read"},
        {"enable.idempotence", "no event may be written twice"},
        {"auto.offset.reset", "no request may be skipped"},
        {"partition.assignment.strategy", "a request, its retries and its cancel must meet at one worker"},
        {"group.instance.id", "partitions must move at once when a worker leaves"},
        {"group.protocol", "a request, its retries and its cancel must meet at one worker"},
    };
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(reserved[i].property, property) == 0)
            return reserved[i].why;
    return NULL;
}

static void check_properties(const struct kafka_config *kafka, struct problems *problems)
{
    const struct place in_kafka = {NULL, "kafka", 0}, in_properties = {&in_kafka, "properties", 0};
    for (size_t i = 0; i < kafka->n_properties; i++) {
        const struct config_pair *pair = &kafka->properties[i];
        const struct place here = {&in_properties, pair->name, 0};
        const char *why = pair->name ? why_reserved(pair->name) : NULL;
        if (why)
            problem_error(problems, pair->key_mark, &here, "cannot be set: %s", why);
    }
}

/* One topic that the configuration names, and where. */
struct named_topic {
    const char *where; /* for people */
    const char *topic;
    struct config_mark mark;
    struct place place;
};

static void check_topics(const struct config *config, const struct node *root, struct problems *problems)
{
    static const char *const keys[] = {"requests", "control", "events", "dead", "audit"};
    static const char *const paths[] = {".kafka.topics.requests", ".kafka.topics.control",
                                        ".kafka.topics.events", ".kafka.topics.dead", ".kafka.topics.audit"};
    enum { N_KEYS = sizeof keys / sizeof *keys, N_MAX = N_KEYS + 8 };
    const struct topics_config *topics = &config->kafka.topics;
    const char *const named[] = {topics->requests, topics->control, topics->events, topics->dead,
                                 topics->audit};
    const struct place in_kafka = {NULL, "kafka", 0}, in_topics = {&in_kafka, "topics", 0};
    const struct place in_retry = {NULL, "retry", 0}, in_tiers = {&in_retry, "tiers", 0};
    struct place tier[N_MAX];
    struct named_topic all[N_MAX];
    size_t n = 0;
    for (; n < N_KEYS; n++)
        all[n] = (struct named_topic){paths[n],
                                      named[n],
                                      mark_below(node_member(node_member(root, "kafka"), "topics"), keys[n]),
                                      {&in_topics, keys[n], 0}};
    const struct node *node = first_of(node_member(node_member(root, "retry"), "tiers"));
    for (size_t i = 0; i < config->retry.n_tiers && n < N_MAX; i++, n++, node = node ? node->next : NULL) {
        tier[n] = (struct place){&in_tiers, NULL, i};
        all[n] = (struct named_topic){"an earlier one of .retry.tiers",
                                      config->retry.tiers[i].topic,
                                      node ? mark_below(node, "topic") : mark_below(root, "retry"),
                                      {&tier[n], "topic", 0}};
    }
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (all[i].topic && all[j].topic && strcmp(all[i].topic, all[j].topic) == 0)
                problem_error(problems, all[i].mark, &all[i].place, "expected another topic than %s",
                              all[j].where);
}

static void check_requests(const struct config *config, const struct node *root, struct problems *problems)
{
    const struct node *section = node_member(root, "requests");
    const struct place requests = {NULL, "requests", 0}, here = {&requests, "trusted_keys_file", 0};
    /* signatures stand on Kafka's messages: without Kafka there is none to check */
    if (node_member(root, "kafka") && config->requests.require_signature &&
        !node_member(section, "trusted_keys_file") && (!section || section->kind == NODE_MAP))
        problem_error(problems, section ? section->mark : root->mark, &here,
                      "missing; expected the path of a file, as .requests.require_signature is true");
}

static void check_tiers(const struct retry_config *retry, const struct node *root, struct problems *problems)
{
    const struct place in_retry = {NULL, "retry", 0}, in_tiers = {&in_retry, "tiers", 0};
    const struct node *node = first_of(node_member(node_member(root, "retry"), "tiers"));
    for (size_t i = 0; i < retry->n_tiers && node; i++, node = node->next) {
        const struct place tier = {&in_tiers, NULL, i}, here = {&tier, "delay_s", 0};
        if (i && retry->tiers[i].delay_s <= retry->tiers[i - 1].delay_s)
            problem_error(problems, mark_below(node, "delay_s"), &here,
                          "expected more than %u, as the tier before has", retry->tiers[i - 1].delay_s);
    }
}

static void check_retry(const struct config *config, const struct node *root, struct problems *problems)
{
    const struct place retry = {NULL, "retry", 0}, here = {&retry, "max_ms", 0};
    const struct retry_config *is = &config->retry;
    if (is->first_ms && is->max_ms && is->max_ms < is->first_ms)
        problem_error(problems, mark_below(node_member(root, "retry"), "max_ms"), &here,
                      "expected at least .retry.first_ms, which is %u", is->first_ms);
    check_tiers(is, root, problems);
}

/* A claim is alive until it was not renewed three times; files tell their age in whole seconds. */
static void check_sweeps(const struct config *config, const struct node *root, struct problems *problems)
{
    const struct place store = {NULL, "store", 0}, here = {&store, "sweep_after_s", 0};
    const unsigned least_s = 3 * config->work.claim_s + 2;
    if (config->store.sweep_after_s && config->store.sweep_after_s < least_s)
        problem_error(problems, mark_below(node_member(root, "store"), "sweep_after_s"), &here,
                      "expected at least %u: three times .work.claim_s, which is %u, and 2 more", least_s,
                      config->work.claim_s);
}

static bool has_source(const struct config *config, const char *name, struct suggestion *suggestion)
{
    for (size_t i = 0; i < config->n_sources; i++) {
        const char *candidate = config->sources[i].name;
        if (candidate && strcmp(candidate, name) == 0)
            return true;
        if (candidate)
            suggestion_offer(suggestion, candidate);
    }
    return false;
}

static void check_source_exists(const struct config *config, const char *name, const struct node *node,
                                const struct place *place, struct problems *problems)
{
    char hint[SUGGESTION_TEXT_MAX];
    struct suggestion suggestion = {.word = name};
    if (name && node && !has_source(config, name, &suggestion))
        problem_error(problems, node->mark, place, "no source '%s' in .sources%s", name,
                      suggestion_text(&suggestion, hint));
}

static void check_edge(const struct config *config, const struct identity_edge *edge, const struct node *node,
                       const struct place *place, struct problems *problems)
{
    const struct place from = {place, "from", 0}, kind = {place, "kind", 0}, to = {place, "to", 0};
    check_source_exists(config, edge->from, node_member(node, "from"), &from, problems);
    /* who controls a source could otherwise make another person's address count as this person's */
    if (edge->kind && strcmp(edge->kind, "email") == 0)
        problem_error(problems, mark_below(node, "kind"), &kind,
                      "no source may find e-mail addresses; only the request names them");
    const struct node *name = first_of(node_member(node, "to"));
    for (size_t i = 0; i < edge->n_to && name; i++, name = name->next) {
        const struct place here = {&to, NULL, i};
        check_source_exists(config, edge->to[i], name, &here, problems);
    }
}

static void check_edges(const struct config *config, const struct node *root, struct problems *problems)
{
    const struct place identities = {NULL, "identities", 0}, allow = {&identities, "allow", 0};
    const struct node *node = first_of(node_member(node_member(root, "identities"), "allow"));
    for (size_t i = 0; i < config->identities.n_allow && node; i++, node = node->next) {
        const struct place here = {&allow, NULL, i};
        check_edge(config, &config->identities.allow[i], node, &here, problems);
    }
}

static void check_name_unique(const struct config *config, size_t index, const struct node *node,
                              const struct place *place, struct problems *problems)
{
    const char *name = config->sources[index].name;
    const struct place here = {place, "name", 0};
    for (size_t i = 0; i < index && name; i++)
        if (config->sources[i].name && strcmp(config->sources[i].name, name) == 0) {
            problem_error(problems, mark_below(node, "name"), &here,
                          "expected another name than .sources[%zu] has", i);
            return;
        }
}

static void check_arguments(const struct source_config *source, const struct node *node,
                            const struct place *place, struct problems *problems)
{
    const struct place arguments = {place, "arguments", 0};
    const struct node *argument = first_of(node_member(node, "arguments"));
    for (size_t i = 0; i < source->n_arguments && argument; i++, argument = argument->next) {
        const struct place here = {&arguments, NULL, i};
        const char *text = source->arguments[i] ? source->arguments[i] : "";
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "= "), text);
        if (scalar_names_secret(name))
            problem_error(
                problems, argument->mark, &here,
                "a secret must not stand in arguments; use a setting 'NAME_file' with the path of a file");
    }
}

static void check_program(const struct source_config *source, const struct node *node,
                          const struct place *place, struct problems *problems)
{
    const struct place connector = {place, "connector", 0}, profile = {place, "profile", 0};
    struct config_mark mark = mark_below(node, "connector");
    struct stat st;
    if (source->program && stat(source->program, &st))
        problem_error(problems, mark, &connector, "%s: %s", source->program, strerror(errno));
    else if (source->program && (!S_ISREG(st.st_mode) || access(source->program, X_OK)))
        problem_error(problems, mark, &connector, "%s: expected a program that may be run", source->program);
    if (source->profile_path)
        scalar_check_file(source->profile_path, false, problems, mark_below(node, "profile"), &profile);
}

static void check_sources(const struct config *config, const struct node *root, struct problems *problems)
{
    const struct place sources = {NULL, "sources", 0};
    const struct node *node = first_of(node_member(root, "sources"));
    for (size_t i = 0; i < config->n_sources && node; i++, node = node->next) {
        const struct place here = {&sources, NULL, i};
        check_name_unique(config, i, node, &here, problems);
        check_program(&config->sources[i], node, &here, problems);
        check_arguments(&config->sources[i], node, &here, problems);
    }
}

void checks_run(const struct config *config, const struct node *root, struct problems *problems)
{
    check_topics(config, root, problems);
    check_properties(&config->kafka, problems);
    check_requests(config, root, problems);
    check_retry(config, root, problems);
    check_sweeps(config, root, problems);
    check_edges(config, root, problems);
    check_sources(config, root, problems);
}
