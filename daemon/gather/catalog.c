#include "gather/catalog.h"

#include "base/clock.h"
#include "base/cond.h"
#include "config/source_check.h"
#include "gather/confine.h"
#include "gather/hello.h"
#include "gather/session.h"

#include <stdlib.h>
#include <string.h>

static char **make_argv(const struct source_config *config)
{
    char **argv = calloc(config->n_arguments + 4, sizeof *argv);
    if (!argv)
        return NULL;
    size_t n = 0;
    argv[n++] = config->program;
    if (config->profile_path) {
        static char profile_option[] = "--profile";
        argv[n++] = profile_option;
        argv[n++] = config->profile_path;
    }
    for (size_t i = 0; i < config->n_arguments; i++)
        argv[n++] = config->arguments[i];
    return argv;
}

static int read_collections(struct catalog_source *source, struct fault *fault)
{
    const json_t *list = json_object_get(source->hello, "collections");
    source->collections = calloc(json_array_size(list), sizeof *source->collections);
    if (!source->collections)
        return fault_retry(fault, "no_memory", "no memory for the collections of source %s",
                           source->config->name);
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        struct catalog_collection *collection = &source->collections[source->n_collections++];
        collection->name = json_string_value(json_object_get(item, "name"));
        collection->title = json_string_value(json_object_get(item, "title"));
        collection->category = json_string_value(json_object_get(item, "category"));
        collection->needs = json_object_get(item, "needs");
        if (classes_new(&collection->classes, json_object_get(item, "fields"), fault))
            return fault_prefix(fault, "source %s, collection %s", source->config->name, collection->name);
    }
    return 0;
}

static int ask_hello(struct catalog_source *source, const struct config *config, const struct cancel *never,
                     struct fault *fault)
{
    const struct session_options options = {.cancel = never};
    struct sandbox *sandbox;
    if (confine_hello(&sandbox, config, source->config, fault))
        return -1;
    int result = session_ask_hello(source, sandbox, &options, &source->hello, fault);
    sandbox_free(sandbox);
    return result;
}

static int learn(struct catalog_source *source, const struct config *config, const struct cancel *never,
                 struct fault *fault)
{
    source->argv = make_argv(source->config);
    if (!source->argv)
        return fault_retry(fault, "no_memory", "no memory for source %s", source->config->name);
    if (ask_hello(source, config, never, fault) || hello_check(source->hello, source->config->name, fault))
        return -1;
    const json_t *resolve = json_object_get(source->hello, "resolve");
    source->resolve_needs = json_object_get(resolve, "needs");
    source->resolve_yields = json_object_get(resolve, "yields");
    return read_collections(source, fault);
}

static bool add_source(struct catalog *catalog, const struct config *config,
                       const struct source_config *source_config, const struct cancel *never, FILE *errors)
{
    struct catalog_source *source = &catalog->sources[catalog->n_sources++];
    source->config = source_config;
    pthread_mutex_init(&source->gate_lock, NULL);
    cond_init(&source->gate_free);
    breaker_init(&source->breaker, source_config->name, config->retry.breaker_failures,
                 config->retry.breaker_open_s);
    struct fault fault;
    bool learned = learn(source, config, never, &fault) == 0;
    if (learned && config_check_source(config, source_config, source->hello, errors))
        return false;
    if (learned && confine_work(&source->sandbox, config, source_config, source->hello, &fault) == 0)
        return true;
    bool is_kept_back = source_config->sandbox.enabled &&
                        (fault_is(&fault, "source_crashed") || fault_is(&fault, "source_start"));
    fprintf(errors, "%s:%u:%u: error: %s%s\n", config->path, source_config->mark.line,
            source_config->mark.column, fault.text,
            is_kept_back ? "; does it need files outside of /usr? sandbox.read grants them" : "");
    return false;
}

int catalog_new(struct catalog **catalog, const struct config *config, FILE *errors)
{
    struct catalog *new = calloc(1, sizeof *new);
    struct cancel *never = NULL;
    struct fault fault;
    bool good = new && (new->sources = calloc(config->n_sources, sizeof *new->sources)) &&
                cancel_new(&never, &fault) == 0;
    if (!good)
        fprintf(errors, "%s: error: no memory for its sources\n", config->path);
    for (size_t i = 0; never && i < config->n_sources; i++)
        good = add_source(new, config, &config->sources[i], never, errors) && good;
    cancel_free(never);
    if (good)
        *catalog = new;
    else
        catalog_free(new);
    return good ? 0 : -1;
}

void catalog_free(struct catalog *catalog)
{
    if (!catalog)
        return;
    for (size_t i = 0; i < catalog->n_sources; i++) {
        struct catalog_source *source = &catalog->sources[i];
        for (size_t k = 0; k < source->n_collections; k++)
            classes_free(source->collections[k].classes);
        free(source->collections);
        free(source->argv);
        json_decref(source->hello);
        sandbox_free(source->sandbox);
        breaker_destroy(&source->breaker);
        pthread_cond_destroy(&source->gate_free);
        pthread_mutex_destroy(&source->gate_lock);
    }
    free(catalog->sources);
    free(catalog);
}

static void await_place(struct catalog_source *source)
{
    /* neither a cancelled request nor time wakes the condition, so they are looked at now and then */
    cond_wait_until(&source->gate_free, &source->gate_lock, clock_now_ms() + 200);
}

static int left_alone(const struct catalog_source *source, struct fault *fault)
{
    return fault_retry(fault, "circuit_open",
                       "source %s: not asked, because its last tries failed one after another",
                       source->config->name);
}

static int enter_locked(struct catalog_source *source, const struct cancel *cancel,
                        enum breaker_admission *admission, struct fault *fault)
{
    while (source->n_working >= source->config->max_concurrent) {
        if (breaker_refuses(&source->breaker, clock_now_ms()))
            return left_alone(source, fault);
        await_place(source);
        if (cancel_raised(cancel))
            return fault_set(fault, "cancelled", "source %s: the request was cancelled",
                             source->config->name);
    }
    *admission = breaker_admit(&source->breaker, clock_now_ms());
    if (*admission == BREAKER_REFUSED) {
        pthread_cond_signal(&source->gate_free);
        return left_alone(source, fault);
    }
    source->n_working++;
    return 0;
}

int catalog_enter(struct catalog_source *source, const struct cancel *cancel,
                  enum breaker_admission *admission, struct fault *fault)
{
    pthread_mutex_lock(&source->gate_lock);
    int result = enter_locked(source, cancel, admission, fault);
    pthread_mutex_unlock(&source->gate_lock);
    return result;
}

void catalog_leave(struct catalog_source *source, enum breaker_admission admission,
                   enum breaker_verdict verdict, struct log *log)
{
    breaker_settle(&source->breaker, admission, verdict, clock_now_ms(), log);
    pthread_mutex_lock(&source->gate_lock);
    source->n_working--;
    pthread_cond_signal(&source->gate_free);
    pthread_mutex_unlock(&source->gate_lock);
}
