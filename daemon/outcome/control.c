/* The control topic: cancels. */
#include "outcome/answer.h"

#include "outcome/acceptance.h"
#include "outcome/ending.h"
#include "outcome/outcomes.h"
#include "outcome/reading.h"
#include "outcome/withdrawal.h"

#include <string.h>

struct removal {
    struct store *store;
    const char *request;
    struct fault *fault;
};

static int remove_bundle(const char *file, void *ctx)
{
    const struct removal *removal = ctx;
    const char *suffix = strrchr(file, '.');
    return suffix && strcmp(suffix, ".zip") == 0
               ? store_remove(removal->store, removal->request, file, removal->fault)
               : 0;
}

/* The request was completed: its bundle goes, and whatever attempts have left. Its receipt stays: it tells what was
 * published. */
static int revoke(const struct exporter *exporter, const struct about *about, struct item *item,
                  struct fault *fault)
{
    struct removal removal = {exporter->store, about->request, fault};
    if (store_each(exporter->store, about->request, remove_bundle, &removal, fault) ||
        outcomes_revoked(about, item, fault))
        return -1;
    log_line(exporter->log, LOG_LEVEL_INFO, about->request, "cancelled after its end: the bundle is removed");
    return 0;
}

/* Ends the request with a receipt, which its own message will publish, unless it has ended: then its bundle goes. As long
 * as it is in hand we come back: it may just be about to be parked for long, and nobody is to hear that a bundle is gone
 * before it was told of. */
static int end_accepted(const struct answerer *answerer, const struct about *about, struct item *item,
                        const struct ending *ending, struct fault *fault)
{
    struct receipt *receipt;
    if (ending_withdraw(ending, answerer->exporter, &receipt, fault))
        return -1;
    const enum event_type outcome = receipt->type;
    receipt_free(receipt);
    if (desk_withdraw(answerer->desk, about->request)) {
        item_later(item);
        return 0;
    }
    log_line(answerer->exporter->log, LOG_LEVEL_INFO, about->request, "cancelled: it ends as %s",
             event_type_name(outcome));
    return outcome == EVENT_COMPLETED ? revoke(answerer->exporter, about, item, fault) : 0;
}

/* A withdrawal is for a request that comes after it. We store ours first and look for the request's acceptance afterwards,
 * its worker does it the other way round: at least one of us sees what the other has stored. */
static int withdraw(const struct answerer *answerer, struct item *item, const struct reading *reading,
                    const struct cancellation *cancellation, struct fault *fault)
{
    const struct exporter *exporter = answerer->exporter;
    const struct about about = {exporter, cancellation->id, reading->event->traceparent};
    const char *source = reading->event->source;
    struct ending ending = {.request = cancellation->id, .body_sha256 = cancellation->sha256};
    struct origin origin;
    json_t *acceptance;
    if (withdrawal_store(&exporter->records, cancellation, source, fault) ||
        acceptance_find(&exporter->records, cancellation->id, cancellation->sha256, source, &acceptance,
                        &origin, &ending.due_unix_s, fault))
        return -1;
    if (!acceptance) {
        log_line(exporter->log, LOG_LEVEL_INFO, cancellation->id,
                 "cancelled, but not accepted yet: it will end as soon as it comes from the same source with "
                 "the same body");
        return 0;
    }
    ending.origin = &origin;
    int result = end_accepted(answerer, &about, item, &ending, fault);
    json_decref(acceptance);
    return result;
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
