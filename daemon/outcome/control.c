/* The control topic: cancels. */
#include "outcome/answer.h"

#include "outcome/acceptance.h"
#include "outcome/outcomes.h"
#include "outcome/reading.h"
#include "outcome/revocation.h"
#include "outcome/withdrawal.h"

/* The request has ended: if it was completed, its bundle goes. Its receipt stays: it tells what was published. */
static int revoke(const struct exporter *exporter, const struct about *about, struct item *item,
                  struct fault *fault)
{
    static const struct origin anywhere = {.topic = ""};
    struct receipt *receipt;
    size_t n_bad;
    if (receipt_find(&receipt, &exporter->records, about->request, &anywhere, &n_bad, fault))
        return -1;
    bool completed = receipt && receipt->type == EVENT_COMPLETED;
    receipt_free(receipt);
    if (!completed)
        return 0;
    if (revocation_bundles(exporter->store, about->request, fault) || outcomes_revoked(about, item, fault))
        return -1;
    log_line(exporter->log, LOG_LEVEL_INFO, about->request, "cancelled after its end: the bundle is removed");
    return 0;
}

/* A withdrawal and a receipt may be stored at the same time, by us and by whoever works on the request. We store ours
 * first and look for receipts afterwards, they store theirs first and look for withdrawals afterwards (publish in
 * answer.c): at least one of us sees what the other has stored. As long as the request is in hand we wait, since they may
 * have looked already and not yet published. It is the same with acceptances. */
static int withdraw(const struct answerer *answerer, struct item *item, const struct reading *reading,
                    const struct cancellation *cancellation, struct fault *fault)
{
    const struct exporter *exporter = answerer->exporter;
    const struct about about = {exporter, cancellation->id, reading->event->traceparent};
    const char *source = reading->event->source;
    bool matches;
    if (withdrawal_store(&exporter->records, cancellation, source, fault) ||
        acceptance_matches(&exporter->records, cancellation->id, cancellation->sha256, source, &matches,
                           fault))
        return -1;
    if (!matches) {
        log_line(exporter->log, LOG_LEVEL_INFO, cancellation->id,
                 "cancelled, but not accepted yet: it will end as soon as it comes from the same source with "
                 "the same body");
        return 0;
    }
    if (!desk_withdraw(answerer->desk, cancellation->id))
        return revoke(exporter, &about, item, fault);
    item_later(item);
    return 0;
}

static int answer_once(const struct answerer *answerer, struct item *item, struct reading *reading,
                       struct fault *fault)
{
    struct cancellation cancellation;
    return reading_cancellation(reading, answerer->exporter, item, &cancellation, fault) ||
                   withdraw(answerer, item, reading, &cancellation, fault)
               ? -1
               : 0;
}

void answer_control(const struct answerer *answerer, struct item *item)
{
    struct reading reading = {0};
    struct fault why, fault;
    item->fate = ITEM_DONE;
    item->outcome = OUTCOME_NONE;
    int result = answer_once(answerer, item, &reading, &why);
    if (result) {
        item_drop_answers(item);
        fault = why;
    }
    if (result && !why.retryable)
        result = outcomes_dead(answerer->exporter, &why, item, &fault);
    if (result) {
        log_fault(answerer->exporter->log, LOG_LEVEL_ERROR, NULL,
                  "a message of the control topic is looked at again later", &fault);
        item_drop_answers(item);
        item_later(item);
    }
    reading_wipe(&reading);
}
