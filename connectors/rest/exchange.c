#include "exchange.h"

void exchange_init(struct exchange *exchange, const struct client *client)
{
    request_init(&exchange->request);
    response_init(&exchange->response, client_answer_max(client));
    exchange->answer = (struct answer){.tree = NULL};
}

void exchange_wipe(struct exchange *exchange)
{
    answer_wipe(&exchange->answer);
    response_wipe(&exchange->response);
    request_wipe(&exchange->request);
}

int exchange_run(struct exchange *exchange, struct client *client, const struct http_wait *wait,
                 const struct step *step, const struct sources *sources, const struct page_at *at,
                 struct dsar_error *error)
{
    if (request_build(&exchange->request, step, sources, at, error) ||
        client_send(client, wait, &exchange->request, &exchange->response, error))
        return -1;
    const struct answer_context context = {client, &exchange->request, step, sources, at && at->number > 0};
    int result = answer_read(&exchange->answer, &context, &exchange->response, error);
    buf_wipe(&exchange->response.body);
    return result;
}
