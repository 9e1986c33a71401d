#include "outcome/claims.h"

#include "base/clock.h"
#include "base/cond.h"
#include "base/hex.h"
#include "base/strict_json.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define CLAIM_FILE      "claim"
#define CLAIM_MAX_BYTES 4096
#define LIFE_BYTES      16
#define DEAD_AFTER      3 /* intervals without a change */

struct claim {
    TAILQ_ENTRY(claim) link;
    struct claims *claims;
    char *request;
    bool busy;   /* somebody works on its file: nobody else may, nor free it */
    bool lost;   /* another worker has taken it over */
    bool failed; /* the last renewal failed, which was logged */
};

struct claims {
    struct store *store;
    struct log *log;
    char *worker;
    char life[2 * LIFE_BYTES + 1];
    int64_t interval_ms;
    pthread_t keeper;

    pthread_mutex_t lock;   /* over what follows */
    pthread_cond_t changed; /* a claim is no longer busy, or it is time to stop */
    TAILQ_HEAD(, claim) held;
    bool stopping;

    atomic_uint_fast64_t count; /* of all that was written, so that no two contents are the same */
};

/* --- the file --- */

/* What a claim's file says. */
struct content {
    bool earlier; /* an earlier life of this worker has it */
    bool ours;    /* this life has it */
    uint64_t digest;
};

static bool says(const json_t *json, const char *member, const char *expected)
{
    const char *text = json_string_value(json_object_get(json, member));
    return text && strcmp(text, expected) == 0;
}

/* What cannot be read as a claim is nobody's, and dies of age as others do. */
static int judge(const struct claims *claims, const struct buf *text, struct content *content,
                 struct fault *fault)
{
    unsigned char digest[32];
    json_t *json = NULL;
    struct fault why;
    if (!EVP_Digest(text->data ? text->data : "", text->len, digest, NULL, EVP_sha256(), NULL))
        return fault_retry(fault, "no_memory", "no memory for a digest");
    memcpy(&content->digest, digest, sizeof content->digest);
    if (strict_json_read(&json, text->data, text->len, &why) && why.retryable)
        return fault_retry(fault, why.code, "%s", why.text);
    content->ours = says(json, "life", claims->life);
    content->earlier = !content->ours && says(json, "worker", claims->worker);
    json_decref(json);
    return 0;
}

/* "not_found" when nobody has it. */
static int look(const struct claims *claims, const char *request, struct content *content,
                struct fault *fault)
{
    struct buf text;
    *content = (struct content){0};
    buf_init(&text, CLAIM_MAX_BYTES);
    int result = store_read(claims->store, request, CLAIM_FILE, &text, fault);
    if (result == 0)
        result = judge(claims, &text, content, fault);
    else if (fault_is(fault, "too_large"))
        result = 0;
    buf_wipe(&text);
    return result;
}

/* With `commit` store_commit, "exists" when somebody has it; store_commit_over takes it from whoever has it. */
static int put(struct claims *claims, const char *request,
               int (*commit)(struct store_object *object, struct fault *fault), struct fault *fault)
{
    struct store_object *object = NULL;
    int result = -1;
    json_int_t count = (json_int_t)atomic_fetch_add(&claims->count, 1);
    json_t *json = json_pack("{s:s,s:s,s:I}", "worker", claims->worker, "life", claims->life, "count", count);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    if (!text)
        fault_retry(fault, "no_memory", "no memory for a claim");
    else if (store_begin(claims->store, request, CLAIM_FILE, &object, fault) == 0 &&
             store_write(object, text, strlen(text), fault) == 0) {
        result = commit(object, fault);
        object = NULL;
    }
    store_abort(object);
    free(text);
    json_decref(json);
    return result;
}

/* --- take --- */

static bool is_dead(const struct claims *claims, struct claim_sight *sight, uint64_t digest)
{
    int64_t now_ms = clock_now_ms();
    if (sight->since_ms && sight->digest == digest)
        return now_ms - sight->since_ms >= DEAD_AFTER * claims->interval_ms;
    *sight = (struct claim_sight){.digest = digest, .since_ms = now_ms};
    return false;
}

/* Two onlookers may take over at once: who is seen there afterwards has it. */
static int take_over(struct claims *claims, const char *request, bool *taken, struct fault *fault)
{
    struct content content;
    if (put(claims, request, store_commit_over, fault))
        return -1;
    if (look(claims, request, &content, fault))
        return fault_is(fault, "not_found") ? 0 : -1;
    *taken = content.ours;
    return 0;
}

/* *taken is false to begin with. */
static int take_file(struct claims *claims, const char *request, struct claim_sight *sight, bool *taken,
                     struct fault *fault)
{
    struct content content;
    if (look(claims, request, &content, fault) == 0) {
        /* one of this life that nobody holds was left by a release that failed */
        if (!content.ours && !content.earlier && !is_dead(claims, sight, content.digest))
            return 0;
        log_line(claims->log, LOG_LEVEL_INFO, request, "the claim of %s is taken over",
                 content.ours || content.earlier ? "an earlier life of this worker" : "a worker that died");
        return take_over(claims, request, taken, fault);
    }
    if (!fault_is(fault, "not_found"))
        return -1;
    if (put(claims, request, store_commit, fault))
        return fault_is(fault, "exists") ? 0 : -1;
    *taken = true;
    return 0;
}

/* Enters a busy claim among those that are held. NULL in *claim when there is one of the request. */
static int enter(struct claims *claims, const char *request, struct claim **claim, struct fault *fault)
{
    struct claim *new = calloc(1, sizeof *new);
    char *copy = strdup(request);
    if (!new || !copy) {
        free(new);
        free(copy);
        return fault_retry(fault, "no_memory", "no memory for a claim");
    }
    *new = (struct claim){.claims = claims, .request = copy, .busy = true};
    const struct claim *other;
    pthread_mutex_lock(&claims->lock);
    TAILQ_FOREACH (other, &claims->held, link)
        if (strcmp(other->request, request) == 0)
            break;
    if (!other)
        TAILQ_INSERT_HEAD(&claims->held, new, link);
    pthread_mutex_unlock(&claims->lock);
    *claim = other ? NULL : new;
    if (other) {
        free(copy);
        free(new);
    }
    return 0;
}

/* Removes and frees a claim that this thread has made busy. */
static void leave(struct claim *claim)
{
    struct claims *claims = claim->claims;
    pthread_mutex_lock(&claims->lock);
    TAILQ_REMOVE(&claims->held, claim, link);
    pthread_mutex_unlock(&claims->lock);
    free(claim->request);
    free(claim);
}

/* With the lock held. */
static void set_idle(struct claim *claim)
{
    claim->busy = false;
    pthread_cond_broadcast(&claim->claims->changed);
}

int claim_take(struct claims *claims, const char *request, struct claim_sight *sight, struct claim **claim,
               struct fault *fault)
{
    struct claim *new = NULL;
    bool taken = false;
    *claim = NULL;
    if (enter(claims, request, &new, fault))
        return -1;
    if (!new)
        return 0;
    int result = take_file(claims, request, sight, &taken, fault);
    if (result || !taken) {
        leave(new);
        return result;
    }
    pthread_mutex_lock(&claims->lock);
    set_idle(new);
    pthread_mutex_unlock(&claims->lock);
    *claim = new;
    return 0;
}

/* --- release --- */

void claim_release(struct claim *claim)
{
    if (!claim)
        return;
    struct claims *claims = claim->claims;
    struct content content;
    struct fault fault;
    pthread_mutex_lock(&claims->lock);
    while (claim->busy)
        pthread_cond_wait(&claims->changed, &claims->lock);
    claim->busy = true;
    pthread_mutex_unlock(&claims->lock);
    int result = look(claims, claim->request, &content, &fault);
    if (result == 0 && content.ours)
        result = store_remove(claims->store, claim->request, CLAIM_FILE, &fault);
    if (result && !fault_is(&fault, "not_found"))
        log_fault(claims->log, LOG_LEVEL_WARNING, claim->request, "its claim is left", &fault);
    leave(claim);
}

/* --- keep --- */

static int renew_file(struct claim *claim, struct fault *fault)
{
    struct content content;
    int result = look(claim->claims, claim->request, &content, fault);
    if (result == 0 && content.ours)
        return put(claim->claims, claim->request, store_commit_over, fault);
    if (result && !fault_is(fault, "not_found"))
        return -1;
    claim->lost = true;
    log_line(claim->claims->log, LOG_LEVEL_DEBUG, claim->request, "its claim is no longer its own");
    return 0;
}

static void renew(struct claim *claim)
{
    struct fault fault;
    bool failed = renew_file(claim, &fault) != 0;
    if (failed && !claim->failed)
        log_fault(claim->claims->log, LOG_LEVEL_WARNING, claim->request, "its claim cannot be renewed",
                  &fault);
    claim->failed = failed;
}

/* With the lock held, but for the work on the disk. */
static void renew_all(struct claims *claims)
{
    struct claim *claim;
    TAILQ_FOREACH (claim, &claims->held, link) {
        if (claim->busy || claim->lost)
            continue;
        claim->busy = true;
        pthread_mutex_unlock(&claims->lock);
        renew(claim);
        pthread_mutex_lock(&claims->lock);
        set_idle(claim);
    }
}

static void *keep(void *arg)
{
    struct claims *claims = arg;
    int64_t next_ms = clock_now_ms() + claims->interval_ms;
    pthread_mutex_lock(&claims->lock);
    while (!claims->stopping) {
        if (clock_now_ms() < next_ms) {
            cond_wait_until(&claims->changed, &claims->lock, next_ms);
            continue;
        }
        next_ms = clock_now_ms() + claims->interval_ms;
        renew_all(claims);
    }
    pthread_mutex_unlock(&claims->lock);
    return NULL;
}

/* --- begin and end --- */

static int begin(struct claims *claims, const struct claims_options *options, struct fault *fault)
{
    unsigned char life[LIFE_BYTES];
    claims->store = options->store;
    claims->log = options->log;
    claims->interval_ms = (int64_t)options->interval_s * 1000;
    claims->worker = strdup(options->worker);
    if (!claims->worker)
        return fault_retry(fault, "no_memory", "no memory for claims");
    if (RAND_bytes(life, sizeof life) != 1)
        return fault_set(fault, "internal", "no random numbers");
    hex_encode(life, sizeof life, claims->life);
    return 0;
}

static int start_keeper(struct claims *claims, struct fault *fault)
{
    /* signals are for the threads that wait for them */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error_number = pthread_create(&claims->keeper, NULL, keep, claims);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error_number
               ? fault_errno(fault, "no_thread", error_number, "the keeper of claims cannot be started")
               : 0;
}

static void end(struct claims *claims)
{
    pthread_cond_destroy(&claims->changed);
    pthread_mutex_destroy(&claims->lock);
    free(claims->worker);
    free(claims);
}

int claims_new(struct claims **claims, const struct claims_options *options, struct fault *fault)
{
    struct claims *new = calloc(1, sizeof *new);
    *claims = NULL;
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for claims");
    TAILQ_INIT(&new->held);
    pthread_mutex_init(&new->lock, NULL);
    cond_init(&new->changed);
    if (begin(new, options, fault) || start_keeper(new, fault)) {
        end(new);
        return -1;
    }
    *claims = new;
    return 0;
}

void claims_free(struct claims *claims)
{
    if (!claims)
        return;
    pthread_mutex_lock(&claims->lock);
    claims->stopping = true;
    pthread_cond_broadcast(&claims->changed);
    pthread_mutex_unlock(&claims->lock);
    pthread_join(claims->keeper, NULL);
    end(claims);
}
