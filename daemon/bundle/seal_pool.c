#include "bundle/seal_pool.h"

#include "bundle/block.h"
#include "bundle/deflater.h"
#include "bundle/seal.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#define THREADS_MAX     64
#define BLOCKS_MAX      65536
#define BLOCK_BYTES_MIN ((size_t)4096)
#define BLOCK_BYTES_MAX ((size_t)64 << 20)

struct worker {
    struct seal_pool *pool;
    struct deflater *deflater;
    pthread_t thread;
};

struct seal_pool {
    size_t block_bytes;
    struct block *blocks;
    size_t n_blocks;
    struct worker *workers;
    size_t n_workers; /* how many run */

    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t released, submitted;
    struct block *free;
    struct block *queue, **queue_end;
    bool stopping;
};

static struct block *take_from_queue(struct seal_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (!pool->queue && !pool->stopping)
        pthread_cond_wait(&pool->submitted, &pool->lock);
    struct block *block = pool->queue;
    if (block) {
        pool->queue = block->next;
        if (!pool->queue)
            pool->queue_end = &pool->queue;
        block->next = NULL;
    }
    pthread_mutex_unlock(&pool->lock);
    return block;
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct block *block;
    while ((block = take_from_queue(worker->pool)))
        seal_block(block, worker->deflater);
    return NULL;
}

static int make_blocks(struct seal_pool *pool, const struct seal_pool_options *options, struct fault *fault)
{
    pool->blocks = calloc(options->n_blocks, sizeof *pool->blocks);
    if (!pool->blocks)
        return fault_retry(fault, "no_memory", "no memory for %u blocks", options->n_blocks);
    for (; pool->n_blocks < options->n_blocks; pool->n_blocks++) {
        struct block *block = &pool->blocks[pool->n_blocks];
        if (block_init(block, pool->block_bytes, fault))
            return -1;
        block->next = pool->free;
        pool->free = block;
    }
    return 0;
}

static int start_worker(struct seal_pool *pool, struct fault *fault)
{
    struct worker *worker = &pool->workers[pool->n_workers];
    worker->pool = pool;
    if (deflater_new(&worker->deflater, fault))
        return -1;
    /* signals are for the threads that wait for them */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error_number = pthread_create(&worker->thread, NULL, work, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error_number) {
        deflater_free(worker->deflater);
        return fault_errno(fault, "no_thread", error_number, "a sealing thread cannot be started");
    }
    pool->n_workers++;
    return 0;
}

static int start_workers(struct seal_pool *pool, unsigned n_threads, struct fault *fault)
{
    pool->workers = calloc(n_threads, sizeof *pool->workers);
    if (!pool->workers)
        return fault_retry(fault, "no_memory", "no memory for %u threads", n_threads);
    while (pool->n_workers < n_threads)
        if (start_worker(pool, fault))
            return -1;
    return 0;
}

int seal_pool_new(struct seal_pool **pool, const struct seal_pool_options *options, struct fault *fault)
{
    if (options->n_threads < 1 || options->n_threads > THREADS_MAX ||
        options->n_blocks <= options->n_threads || options->n_blocks > BLOCKS_MAX ||
        options->block_bytes < BLOCK_BYTES_MIN || options->block_bytes > BLOCK_BYTES_MAX)
        return fault_set(
            fault, "bad_pool",
            "%u threads with %u blocks of %zu bytes: expected 1 to %d threads, more blocks than threads, "
            "blocks of %zu to %zu bytes",
            options->n_threads, options->n_blocks, options->block_bytes, THREADS_MAX, BLOCK_BYTES_MIN,
            BLOCK_BYTES_MAX);
    struct seal_pool *made = calloc(1, sizeof *made);
    if (!made)
        return fault_retry(fault, "no_memory", "no memory for a pool");
    made->block_bytes = options->block_bytes;
    made->queue_end = &made->queue;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->released, NULL);
    pthread_cond_init(&made->submitted, NULL);
    if (make_blocks(made, options, fault) || start_workers(made, options->n_threads, fault)) {
        seal_pool_free(made);
        return -1;
    }
    *pool = made;
    return 0;
}

void seal_pool_free(struct seal_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->submitted);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->n_workers; i++) {
        pthread_join(pool->workers[i].thread, NULL);
        deflater_free(pool->workers[i].deflater);
    }
    free(pool->workers);
    for (size_t i = 0; i < pool->n_blocks; i++)
        block_wipe(&pool->blocks[i]);
    free(pool->blocks);
    pthread_cond_destroy(&pool->submitted);
    pthread_cond_destroy(&pool->released);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

size_t seal_pool_block_bytes(const struct seal_pool *pool)
{
    return pool->block_bytes;
}

struct block *seal_pool_acquire(struct seal_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (!pool->free)
        pthread_cond_wait(&pool->released, &pool->lock);
    struct block *block = pool->free;
    pool->free = block->next;
    block->next = NULL;
    pthread_mutex_unlock(&pool->lock);
    return block;
}

void seal_pool_submit(struct seal_pool *pool, struct block *block)
{
    pthread_mutex_lock(&pool->lock);
    block->next = NULL;
    *pool->queue_end = block;
    pool->queue_end = &block->next;
    pthread_cond_signal(&pool->submitted);
    pthread_mutex_unlock(&pool->lock);
}

void seal_pool_release(struct seal_pool *pool, struct block *block)
{
    block_clear(block);
    pthread_mutex_lock(&pool->lock);
    block->next = pool->free;
    pool->free = block;
    pthread_cond_signal(&pool->released);
    pthread_mutex_unlock(&pool->lock);
}
