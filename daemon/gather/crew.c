#include "gather/crew.h"

#include <pthread.h>
#include <stdatomic.h>

#define CREW_MAX 64

struct crew {
    atomic_size_t next;
    size_t n_jobs;
    void (*job_cb)(void *ctx, size_t i);
    void *ctx;
};

static void *work(void *arg)
{
    struct crew *crew = arg;
    for (size_t i; (i = atomic_fetch_add(&crew->next, 1)) < crew->n_jobs;)
        crew->job_cb(crew->ctx, i);
    return NULL;
}

void crew_run(size_t n_jobs, size_t n_threads, void (*job_cb)(void *ctx, size_t i), void *ctx)
{
    struct crew crew = {.n_jobs = n_jobs, .job_cb = job_cb, .ctx = ctx};
    pthread_t threads[CREW_MAX];
    size_t n = 0;
    while (n + 1 < n_threads && n + 1 < n_jobs && n < CREW_MAX &&
           pthread_create(&threads[n], NULL, work, &crew) == 0)
        n++;
    work(&crew);
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}
