/* crew: runs a number of jobs on a bounded number of threads and waits for all of them. */
#ifndef DSAR_GATHER_CREW_H
#define DSAR_GATHER_CREW_H

#include <stddef.h>

/* Calls job_cb(ctx, i) for each i below `n_jobs`, on at most `n_threads` threads at once; the calling thread
 * is one of them, so that the jobs are done even when no thread can be made. Returns when the last job has
 * returned. */
void crew_run(size_t n_jobs, size_t n_threads, void (*job_cb)(void *ctx, size_t i), void *ctx);

#endif
