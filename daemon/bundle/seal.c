#include "bundle/seal.h"

#include "bundle/ae2.h"
#include "bundle/block.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct seal {
    struct seal_pool *pool;
    struct entry_filter filter;
    uint64_t n_submitted; /* the writer's own */

    /* touched in the entry's order only: by who has `committing`, and by the writer when all blocks are
     * settled */
    struct ae2 *ae2;
    EVP_MD_CTX *sha256;
    struct strand *strand;
    uint64_t bytes;

    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t settled;
    struct block *ready; /* by number; waiting for blocks before them */
    uint64_t n_settled;
    bool committing; /* some thread works in order; it will see what becomes ready */
    bool failed;
    struct fault fault; /* the first one */
};

static int start(struct seal *seal, const char *passphrase, struct fault *fault)
{
    unsigned char head[AE2_HEAD_BYTES];
    if (ae2_new(&seal->ae2, passphrase, head, fault))
        return -1;
    seal->sha256 = EVP_MD_CTX_new();
    if (!seal->sha256 || EVP_DigestInit_ex(seal->sha256, EVP_sha256(), NULL) != 1)
        return fault_retry(fault, "crypto_failed", "SHA-256: OpenSSL failed at set-up");
    return strand_append(seal->strand, head, sizeof head, fault);
}

int seal_new(struct seal **seal, const struct seal_options *options, struct fault *fault)
{
    struct seal *made = calloc(1, sizeof *made);
    if (!made)
        return fault_retry(fault, "no_memory", "no memory to seal an entry");
    made->pool = options->pool;
    made->strand = options->strand;
    if (options->filter)
        made->filter = *options->filter;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->settled, NULL);
    if (start(made, options->passphrase, fault)) {
        seal_free(made);
        return -1;
    }
    *seal = made;
    return 0;
}

static void fail(struct seal *seal, const struct fault *fault)
{
    pthread_mutex_lock(&seal->lock);
    if (!seal->failed)
        seal->fault = *fault;
    seal->failed = true;
    pthread_mutex_unlock(&seal->lock);
}

int seal_check(struct seal *seal, struct fault *fault)
{
    pthread_mutex_lock(&seal->lock);
    bool failed = seal->failed;
    if (failed && fault)
        *fault = seal->fault;
    pthread_mutex_unlock(&seal->lock);
    return failed ? -1 : 0;
}

static void wait_until_settled(struct seal *seal)
{
    pthread_mutex_lock(&seal->lock);
    while (seal->n_settled < seal->n_submitted)
        pthread_cond_wait(&seal->settled, &seal->lock);
    pthread_mutex_unlock(&seal->lock);
}

void seal_free(struct seal *seal)
{
    if (!seal)
        return;
    struct fault dropped;
    fault_set(&dropped, "dropped", "the entry is dropped");
    fail(seal, &dropped);
    wait_until_settled(seal);
    ae2_free(seal->ae2);
    EVP_MD_CTX_free(seal->sha256);
    pthread_cond_destroy(&seal->settled);
    pthread_mutex_destroy(&seal->lock);
    free(seal);
}

bool seal_wants_last(const struct seal *seal)
{
    return seal->filter.apply != NULL;
}

void seal_submit(struct seal *seal, struct block *block, bool last)
{
    block->seal = seal;
    block->last = last;
    block->number = seal->n_submitted++;
    seal_pool_submit(seal->pool, block);
}

/* What leaves: the filtered bytes, or the raw ones themselves where there is no filter. */
static const char *plain_of(const struct seal *seal, const struct block *block, size_t *len)
{
    *len = seal->filter.apply ? block->filtered_bytes : block->raw_bytes;
    return seal->filter.apply ? block->filtered : block->raw;
}

/* The part of a block's work that needs no other block. */
static int prepare(const struct seal *seal, struct block *block, struct deflater *deflater,
                   struct fault *fault)
{
    const struct entry_filter *filter = &seal->filter;
    if (filter->apply) {
        /* whatever a failing filter leaves behind is wiped with the block */
        block->filtered_bytes = block->filtered_cap;
        size_t len = 0;
        unsigned where = (block->number == 0 ? ENTRY_FIRST : 0) | (block->last ? ENTRY_LAST : 0);
        if (filter->apply(filter->ctx, where, block->raw, block->raw_bytes, block->filtered,
                          block->filtered_cap, &len, fault))
            return -1;
        if (len > block->filtered_cap)
            return fault_set(fault, "internal", "a filter wrote more than there is room for");
        block->filtered_bytes = len;
    }
    size_t len;
    const char *plain = plain_of(seal, block, &len);
    if (len == 0)
        return 0;
    block->sealed_bytes = deflate_piece(deflater, plain, len, block->sealed, fault);
    return block->sealed_bytes ? 0 : -1;
}

/* The part that must be done in the entry's order. */
static int commit(struct seal *seal, struct block *block, struct fault *fault)
{
    size_t len;
    const char *plain = plain_of(seal, block, &len);
    if (len == 0)
        return 0;
    if (EVP_DigestUpdate(seal->sha256, plain, len) != 1)
        return fault_retry(fault, "crypto_failed", "SHA-256: OpenSSL failed");
    if (seal->filter.seen)
        seal->filter.seen(seal->filter.ctx, plain, len);
    seal->bytes += len;
    if (ae2_crypt(seal->ae2, block->sealed, block->sealed_bytes, fault) ||
        ae2_authenticate(seal->ae2, block->sealed, block->sealed_bytes, fault))
        return -1;
    return strand_append(seal->strand, block->sealed, block->sealed_bytes, fault);
}

static void insert_by_number(struct block **list, struct block *block)
{
    while (*list && (*list)->number < block->number)
        list = &(*list)->next;
    block->next = *list;
    *list = block;
}

/* The block whose turn it is, if it is ready; who gets one must commit it. The lock is held. */
static struct block *take_next(struct seal *seal)
{
    struct block *block = seal->ready;
    if (!block || block->number != seal->n_settled)
        return NULL;
    seal->ready = block->next;
    return block;
}

static void settle(struct seal *seal, struct block *block)
{
    struct fault fault;
    if (seal_check(seal, NULL) == 0 && commit(seal, block, &fault))
        fail(seal, &fault);
    seal_pool_release(seal->pool, block);
}

void seal_block(struct block *block, struct deflater *deflater)
{
    struct seal *seal = block->seal;
    struct fault fault;
    if (seal_check(seal, NULL) == 0 && prepare(seal, block, deflater, &fault))
        fail(seal, &fault);

    pthread_mutex_lock(&seal->lock);
    insert_by_number(&seal->ready, block);
    if (!seal->committing) {
        seal->committing = true;
        while ((block = take_next(seal))) {
            pthread_mutex_unlock(&seal->lock);
            settle(seal, block);
            pthread_mutex_lock(&seal->lock);
            seal->n_settled++;
        }
        seal->committing = false;
        pthread_cond_signal(&seal->settled);
    }
    pthread_mutex_unlock(&seal->lock);
}

static int seal_end(struct seal *seal, struct fault *fault)
{
    unsigned char end[DEFLATE_END_BYTES + AE2_TAG_BYTES];
    memcpy(end, deflate_end, sizeof deflate_end);
    if (ae2_crypt(seal->ae2, end, DEFLATE_END_BYTES, fault) ||
        ae2_authenticate(seal->ae2, end, DEFLATE_END_BYTES, fault) ||
        ae2_tag(seal->ae2, end + DEFLATE_END_BYTES, fault))
        return -1;
    return strand_append(seal->strand, end, sizeof end, fault);
}

int seal_finish(struct seal *seal, struct entry_info *info, struct fault *fault)
{
    wait_until_settled(seal);
    if (seal_check(seal, fault))
        return -1;
    struct fault met;
    int result = seal_end(seal, &met);
    if (result == 0 && EVP_DigestFinal_ex(seal->sha256, info->sha256, NULL) != 1)
        result = fault_retry(&met, "crypto_failed", "SHA-256: OpenSSL failed");
    if (result == 0) {
        info->bytes = seal->bytes;
        return 0;
    }
    fail(seal, &met); /* a second try must not go on from here */
    return seal_check(seal, fault);
}
