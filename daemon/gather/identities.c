#include "gather/identities.h"

#include "base/plain.h"
#include "dsar/protocol.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The request's own identities come from nobody's source. */
#define FROM_REQUEST ""

struct known {
    char *from;
    char *kind;
    char *value;
};

struct identities {
    const struct config *config;
    const struct request *request;
    pthread_mutex_t lock;
    struct known *items;
    size_t n_items;
    size_t cap;
};

static void wipe_text(char *text)
{
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
}

static void known_wipe(struct known *known)
{
    free(known->from);
    free(known->kind);
    wipe_text(known->value);
}

/* The items are few (a cap per source and kind bounds them), so they are searched one by one. */
static int add(struct identities *identities, const char *from, const char *kind, const char *value,
               struct fault *fault)
{
    if (identities->n_items == identities->cap) {
        size_t cap = identities->cap ? identities->cap * 2 : 16;
        struct known *items = reallocarray(identities->items, cap, sizeof *items);
        if (!items)
            return fault_retry(fault, "no_memory", "no memory for identities");
        identities->items = items;
        identities->cap = cap;
    }
    struct known known = {strdup(from), strdup(kind), strdup(value)};
    if (!known.from || !known.kind || !known.value) {
        known_wipe(&known);
        return fault_retry(fault, "no_memory", "no memory for identities");
    }
    identities->items[identities->n_items++] = known;
    return 0;
}

int identities_new(struct identities **identities, const struct config *config, const struct request *request,
                   struct fault *fault)
{
    struct identities *new = calloc(1, sizeof *new);
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for identities");
    new->config = config;
    new->request = request;
    pthread_mutex_init(&new->lock, NULL);
    for (size_t i = 0; i < request->n_identities; i++) {
        if (add(new, FROM_REQUEST, request->identities[i].kind, request->identities[i].value, fault)) {
            identities_free(new);
            return -1;
        }
    }
    *identities = new;
    return 0;
}

void identities_free(struct identities *identities)
{
    if (!identities)
        return;
    for (size_t i = 0; i < identities->n_items; i++)
        known_wipe(&identities->items[i]);
    free(identities->items);
    pthread_mutex_destroy(&identities->lock);
    free(identities);
}

static bool verified_by_request(const struct request *request, const char *kind)
{
    for (size_t i = 0; i < request->n_identities; i++)
        if (strcmp(request->identities[i].kind, kind) == 0)
            return true;
    return false;
}

static int yield_locked(struct identities *identities, const char *source, const char *kind,
                        const char *value, struct fault *fault)
{
    size_t same_kind = 0;
    for (size_t i = 0; i < identities->n_items; i++) {
        const struct known *known = &identities->items[i];
        if (strcmp(known->from, source) != 0 || strcmp(known->kind, kind) != 0)
            continue;
        if (strcmp(known->value, value) == 0)
            return 0;
        same_kind++;
    }
    unsigned most = identities->config->work.identities_per_source;
    if (same_kind >= most)
        return fault_set(fault, "ambiguous", "source %s found more than %u values of %s for one person",
                         source, most, kind);
    return add(identities, source, kind, value, fault);
}

int identities_yield(struct identities *identities, const char *source, const char *kind, const char *value,
                     struct fault *fault)
{
    if (strcasecmp(kind, "email") == 0 || verified_by_request(identities->request, kind))
        return fault_set(fault, "identity_refused",
                         "source %s answered with a %s, which only the request may name", source, kind);
    size_t len = strlen(value);
    if (len > DSAR_IDENTITY_MAX || !plain_is(value, len))
        return fault_set(fault, "identity_refused",
                         "source %s answered with a %s that is empty, too long or no plain text", source,
                         kind);
    pthread_mutex_lock(&identities->lock);
    int result = yield_locked(identities, source, kind, value, fault);
    pthread_mutex_unlock(&identities->lock);
    return result;
}

void identities_forget(struct identities *identities, const char *source)
{
    size_t n = 0;
    pthread_mutex_lock(&identities->lock);
    for (size_t i = 0; i < identities->n_items; i++) {
        if (strcmp(identities->items[i].from, source) == 0)
            known_wipe(&identities->items[i]);
        else
            identities->items[n++] = identities->items[i];
    }
    identities->n_items = n;
    pthread_mutex_unlock(&identities->lock);
}

bool identities_edge(const struct config *config, const char *from, const char *kind, const char *to)
{
    if (strcmp(from, to) == 0)
        return true;
    for (size_t i = 0; i < config->identities.n_allow; i++) {
        const struct identity_edge *edge = &config->identities.allow[i];
        if (strcmp(edge->from, from) != 0 || strcmp(edge->kind, kind) != 0)
            continue;
        for (size_t t = 0; t < edge->n_to; t++)
            if (strcmp(edge->to[t], to) == 0)
                return true;
    }
    return false;
}

static bool visible(const struct identities *identities, const struct known *known, const char *source)
{
    return strcmp(known->from, FROM_REQUEST) == 0 ||
           identities_edge(identities->config, known->from, known->kind, source);
}

json_t *identities_visible(struct identities *identities, const char *source)
{
    json_t *list = json_array();
    pthread_mutex_lock(&identities->lock);
    for (size_t i = 0; list && i < identities->n_items; i++) {
        const struct known *known = &identities->items[i];
        if (!visible(identities, known, source))
            continue;
        json_t *item = json_pack("{s:s,s:s}", "kind", known->kind, "value", known->value);
        if (!item || json_array_append_new(list, item)) {
            json_decref(list);
            list = NULL;
        }
    }
    pthread_mutex_unlock(&identities->lock);
    return list;
}

bool identities_has(struct identities *identities, const char *source, const char *kind)
{
    bool has = false;
    pthread_mutex_lock(&identities->lock);
    for (size_t i = 0; !has && i < identities->n_items; i++)
        has = strcmp(identities->items[i].kind, kind) == 0 &&
              visible(identities, &identities->items[i], source);
    pthread_mutex_unlock(&identities->lock);
    return has;
}

json_t *identities_json(struct identities *identities)
{
    json_t *list = json_array();
    pthread_mutex_lock(&identities->lock);
    for (size_t i = 0; list && i < identities->n_items; i++) {
        const struct known *known = &identities->items[i];
        json_t *item = json_pack("{s:s,s:s,s:s}", "kind", known->kind, "value", known->value, "from",
                                 *known->from ? known->from : "request");
        if (!item || json_array_append_new(list, item)) {
            json_decref(list);
            list = NULL;
        }
    }
    pthread_mutex_unlock(&identities->lock);
    return list;
}
