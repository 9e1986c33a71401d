/* serve: a worker's life: takes requests from Kafka and answers them until it is told to leave. */
#ifndef DSAR_OUTCOME_SERVE_H
#define DSAR_OUTCOME_SERVE_H

#include "base/cancel.h"
#include "outcome/exporter.h"

struct serve_options {
    struct exporter *exporter;
    const struct cancel *leave; /* raised by the first SIGTERM: take no more, finish what is going on */
    const struct cancel *now;   /* raised by the second: give up what is going on */
    int hung_status;            /* the process ends with it when leaving takes far too long */
};

/* Returns 0 once it has left after `leave`, with everything that was finished published. -1 when Kafka makes
 * it impossible to go on: a new process takes up where this one ended. Signals are to be blocked in the
 * calling thread's children. */
int serve(const struct serve_options *options, struct fault *fault) __attribute__((warn_unused_result));

#endif
