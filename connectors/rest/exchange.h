/* exchange: one call of a step with its answer. */
#ifndef REST_EXCHANGE_H
#define REST_EXCHANGE_H

#include "answer.h"

struct exchange {
    struct request request;
    struct response response;
    struct answer answer;
};

void exchange_init(struct exchange *exchange, const struct client *client);
void exchange_wipe(struct exchange *exchange);

/* Makes the call of `step` and reads its answer. `at` is NULL for a step without pages. What response.sink has taken
 * is not read. Errors are those of request_build, client_send and answer_read. */
int exchange_run(struct exchange *exchange, struct client *client, const struct http_wait *wait,
                 const struct step *step, const struct sources *sources, const struct page_at *at,
                 struct dsar_error *error) __attribute__((warn_unused_result));

#endif
