/* job: an export that a system prepares while it is waited for: one call begins it, others ask whether it is ready. */
#ifndef REST_JOB_H
#define REST_JOB_H

#include "exchange.h"

/* The answers that the calls behind it are made from. */
struct job {
    struct exchange started;
    struct exchange polled;
};

struct job_options {
    struct client *client;
    struct dsar_session *session;
    const json_t *job; /* the profile's `export` */
    const struct scope *scope;
    const struct sources *sources;
};

/* Begins the export and waits for it. Whatever comes of it, job_wipe is called later. Besides the errors of the calls:
 * "source_timeout" when it is not ready in time, "source_error" when the system gives it up. */
int job_run(struct job *job, const struct job_options *options, struct dsar_error *error)
    __attribute__((warn_unused_result));
void job_wipe(struct job *job);

/* What calls are made from once the export is ready. Valid as long as the job. */
struct sources job_sources(const struct job *job, const struct sources *sources);

#endif
