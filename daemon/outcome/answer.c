/* The topics of requests and retries. */
#include "outcome/answer.h"

#include "base/clock.h"
#include "outcome/acceptance.h"
#include "outcome/attempt.h"
#include "outcome/ending.h"
#include "outcome/outcomes.h"
#include "outcome/reading.h"
#include "outcome/withdrawal.h"

#include <inttypes.h>
#include <string.h>

/* How long what cannot be accepted is looked at when the time for an answer is over. */
#define TROUBLE_MAX_S 3600

/* One message on its way to its answers. */
struct answer {
    const struct answerer *answerer;
    struct exporter *exporter;
    struct item *item;
    struct reading reading;
    struct about about;
    bool genuine;  /* the message may be relied on */
    bool accepted; /* and the request is this message's: it may end it */
    bool copy;     /* or another's */
};

static void forget(struct answer *answer)
{
    reading_wipe(&answer->reading);
    answer->genuine = answer->accepted = answer->copy = false;
}

static const char *request_id(const struct answer *answer)
{
    return answer->genuine ? answer->reading.request->id : NULL;
}

/* --- ways to end --- */

static int bury(const struct answer *answer, const struct fault *why, struct fault *fault)
{
    return outcomes_dead(answer->exporter, why, answer->item, fault);
}

/* One that is not genuine counts for nothing. */
static int look_for_withdrawal(const struct answer *answer, bool *withdrawn, struct fault *fault)
{
    if (withdrawal_find(&answer->exporter->records, answer->reading.request, answer->reading.event->source,
                        withdrawn, fault) == 0)
        return 0;
    if (fault->retryable)
        return -1;
    log_fault(answer->exporter->log, LOG_LEVEL_WARNING, request_id(answer), "a withdrawal is ignored", fault);
    *withdrawn = false;
    return 0;
}

/* What an orphan cannot answer its new owner may. */
static bool leave_to_owner(const struct answer *answer)
{
    if (desk_owns(answer->answerer->desk, answer->item))
        return false;
    answer->item->fate = ITEM_DROPPED;
    return true;
}

/* Takes over the receipt. */
static int publish(const struct answer *answer, struct receipt *receipt, struct fault *fault)
{
    int result = outcomes_receipt(&answer->about, receipt, answer->item, fault);
    receipt_free(receipt);
    return result;
}

static struct ending ending(const struct answer *answer)
{
    return ending_of(answer->reading.request, &answer->reading.parked.origin);
}

static int end_withdrawn(const struct answer *answer, struct fault *fault)
{
    const struct ending end = ending(answer);
    struct receipt *receipt;
    if (ending_withdraw(&end, answer->exporter, &receipt, fault))
        return -1;
    log_line(answer->exporter->log, LOG_LEVEL_INFO, request_id(answer), "cancelled: it ends as %s",
             event_type_name(receipt->type));
    return publish(answer, receipt, fault);
}

static int end_request(const struct answer *answer, enum event_type type, const struct fault *why,
                       struct fault *fault)
{
    const struct ending end = ending(answer);
    struct receipt *receipt;
    if (leave_to_owner(answer))
        return 0;
    if (ending_take(&end, answer->exporter, type, why, &receipt, fault))
        return -1;
    log_fault(answer->exporter->log, LOG_LEVEL_WARNING, request_id(answer), event_type_name(receipt->type),
              why);
    return publish(answer, receipt, fault);
}

/* --- what the store knows --- */

/* Takes over the receipt, if there is one. */
static int publish_repeated(const struct answer *answer, struct receipt *first, struct fault *fault)
{
    int result = outcomes_repeated(&answer->about, first, answer->item, fault);
    receipt_free(first);
    return result;
}

static int repeat(const struct answer *answer, struct fault *fault)
{
    struct receipt *first;
    return receipt_find(&first, &answer->exporter->records, request_id(answer), fault)
               ? -1
               : publish_repeated(answer, first, fault);
}

/* Takes over the receipt. Another origin's was published for that one, whatever became of its acceptance. */
static int publish_found(const struct answer *answer, struct receipt *receipt, struct fault *fault)
{
    if (!origin_equal(&receipt->origin, &answer->reading.parked.origin))
        return publish_repeated(answer, receipt, fault);
    log_line(answer->exporter->log, LOG_LEVEL_INFO, request_id(answer), "outcome taken from its receipt");
    return publish(answer, receipt, fault);
}

/* Ends the request if it was withdrawn, or if its end was stored and then nobody could publish it. */
static int end_by_store(const struct answer *answer, bool *ended, struct fault *fault)
{
    struct receipt *receipt;
    if (receipt_find(&receipt, &answer->exporter->records, request_id(answer), fault))
        return -1;
    *ended = receipt != NULL;
    if (receipt)
        return publish_found(answer, receipt, fault);
    if (look_for_withdrawal(answer, ended, fault))
        return -1;
    return *ended ? end_withdrawn(answer, fault) : 0;
}

/* --- another time --- */

/* What is to be known of the next attempt. */
static struct parked next_attempt(const struct answer *answer)
{
    struct parked next = answer->reading.parked;
    next.n_attempts++;
    return next;
}

static bool find_place(const struct answer *answer, int64_t retry_after_ms, const struct retry_tier **tier)
{
    const struct parked next = next_attempt(answer);
    return outgoing_forward_size(answer->item->message) <= PARKING_BYTES_MAX &&
           parking_place(answer->exporter->config, &next, answer->reading.request->due_unix_s,
                         clock_now_unix_s(), retry_after_ms, tier);
}

/* Unless it has ended meanwhile or was withdrawn: whoever waits would have to wait for the next attempt. If that cannot be
 * said now, the next attempt looks. */
static int park(const struct answer *answer, const struct retry_tier *tier, const struct fault *why,
                struct fault *fault)
{
    bool ended = false;
    if (answer->accepted && end_by_store(answer, &ended, fault) == 0 && ended)
        return 0;
    item_drop_answers(answer->item);
    const struct parked next = next_attempt(answer);
    const struct retry retry = {
        .parked = &next,
        .tier = tier,
        .due_unix_s = answer->reading.request->due_unix_s,
        .why = why,
    };
    if (outcomes_parked(&answer->about, &retry, answer->item, fault))
        return -1;
    log_line(answer->exporter->log, LOG_LEVEL_WARNING, request_id(answer),
             "attempt %u failed: %s (%s); the next is made from topic %s", next.n_attempts, why->text,
             why->code, tier->topic);
    return 0;
}

/* When the time for an answer is over: for what is not genuine or does not say when it is due, with the horizon of
 * retries. */
static int64_t last_moment(const struct answer *answer)
{
    if (answer->genuine && answer->reading.request->due_unix_s)
        return answer->reading.request->due_unix_s;
    return answer->item->received_unix_s + (int64_t)answer->exporter->config->retry.horizon_s;
}

static bool is_too_late(const struct answer *answer)
{
    return clock_now_unix_s() >= last_moment(answer);
}

/* In memory: for what cannot be parked. Not longer than the request has time. */
static void look_again_later(const struct answer *answer)
{
    struct item *item = answer->item;
    item_drop_answers(item);
    item_later(item);
    const int64_t left_ms = (last_moment(answer) - clock_now_unix_s()) * 1000;
    if (left_ms > 0 && left_ms < item->later_ms)
        item->later_ms = left_ms;
}

/* --- the work --- */

static void notify(const struct answer *answer, enum event_type type, json_t *extension)
{
    struct fault ignored;
    struct outgoing *message =
        outcomes_notice(&answer->about, type, answer->reading.request->due_unix_s, extension, &ignored);
    if (message)
        publisher_notify(answer->answerer->publisher, message);
}

static void notify_progress(void *ctx, size_t n_done, size_t n_sources)
{
    notify(
        ctx, EVENT_PROGRESS,
        json_pack("{s:{s:I,s:I}}", "progress", "done", (json_int_t)n_done, "total", (json_int_t)n_sources));
}

static void announce(const struct answer *answer)
{
    const struct request *request = answer->reading.request;
    struct item *item = answer->item;
    if (item->told)
        return;
    if (answer->reading.parked.n_attempts == 0)
        notify(answer, EVENT_ACCEPTED, NULL);
    item->told = true;
    const int64_t left_s = request->due_unix_s - clock_now_unix_s();
    if (left_s < (int64_t)answer->exporter->config->retry.margin_s)
        log_line(answer->exporter->log, LOG_LEVEL_WARNING, request->id,
                 "at risk: due in %" PRId64 " s, no more attempts after this one", left_s);
}

static int attempt(struct answer *answer, enum attempt_gaps gaps, struct receipt **receipt,
                   int64_t *retry_after_ms, struct fault *fault)
{
    const struct attempt attempt = {
        .exporter = answer->exporter,
        .request = answer->reading.request,
        .origin = &answer->reading.parked.origin,
        .gaps = gaps,
        .cancel = answer->item->cancel,
        .progress_cb = notify_progress,
        .ctx = answer,
    };
    return attempt_run(&attempt, receipt, retry_after_ms, fault);
}

static int export(struct answer *answer, struct fault *fault)
{
    const struct retry_tier *tier;
    struct receipt *receipt;
    int64_t retry_after_ms;
    announce(answer);
    int result = attempt(answer, find_place(answer, 0, &tier) ? GAPS_RETRIED : GAPS_FINAL, &receipt,
                         &retry_after_ms, fault);
    if (result && fault_is(fault, "sources_unavailable")) {
        const struct fault why = *fault;
        if (find_place(answer, retry_after_ms, &tier))
            return park(answer, tier, &why, fault);
        /* it took so long that there is no time for another one later */
        result = attempt(answer, GAPS_FINAL, &receipt, &retry_after_ms, fault);
    }
    if (result)
        return -1;
    return publish(answer, receipt, fault);
}

static int work(struct answer *answer, struct fault *fault)
{
    struct exporter *exporter = answer->exporter;
    struct claim *claim;
    bool ended;
    if (claim_take(answer->answerer->claims, request_id(answer), &answer->item->sight, &claim, fault))
        return -1;
    /* nothing rests on a claim, so one that never ends is not waited for */
    if (!claim && !is_too_late(answer)) {
        log_line(exporter->log, LOG_LEVEL_INFO, request_id(answer), "another worker is working on it");
        answer->item->fate = ITEM_LATER;
        answer->item->later_ms = (int64_t)exporter->config->work.claim_s * 1000;
        return 0;
    }
    /* whoever had the claim may have ended it since we looked */
    int result = end_by_store(answer, &ended, fault);
    if (result == 0 && !ended)
        result = export(answer, fault);
    claim_release(claim);
    return result;
}

/* The request is this message's. */
static int answer_ours(struct answer *answer, enum request_verdict verdict, const struct fault *why,
                       struct fault *fault)
{
    bool ended;
    if (end_by_store(answer, &ended, fault))
        return -1;
    if (ended)
        return 0;
    return verdict == REQUEST_UNANSWERABLE ? end_request(answer, EVENT_REFUSED, why, fault)
                                           : work(answer, fault);
}

/* What cannot be relied on is a dead letter, unless it is only for the moment. */
static int reject(const struct answer *answer, const struct fault *why, struct fault *fault)
{
    *fault = *why;
    return why->retryable ? -1 : bury(answer, why, fault);
}

/* Finds out whether the message is a part of the chain that the request is: its first one, or that of its next attempt. */
static int place_in_chain(struct answer *answer, enum acceptance *acceptance, struct fault *fault)
{
    const struct records *records = &answer->exporter->records;
    const rd_kafka_message_t *message = answer->item->message;
    const struct request *request = answer->reading.request;
    struct parked *parked = &answer->reading.parked;
    if (acceptance_take(records, request, answer->reading.event->source, &parked->origin,
                        &parked->received_unix_s, acceptance, fault))
        return -1;
    if (*acceptance != ACCEPTANCE_OURS || !parked->n_attempts)
        return 0;
    const struct origin place = {rd_kafka_topic_name(message->rkt), message->partition, message->offset};
    return acceptance_take_attempt(records, request->id, parked->n_attempts, &place, acceptance, fault);
}

/* From the bytes to the answers, once. 0: the item's fate is set. */
static int answer_once(struct answer *answer, struct fault *fault)
{
    enum request_verdict verdict;
    enum acceptance acceptance;
    struct fault why, unaccepted;
    answer->item->fate = ITEM_DONE;
    if (reading_request(&answer->reading, answer->exporter, answer->item, &verdict, &why))
        return reject(answer, &why, fault);
    const struct reading *reading = &answer->reading;
    answer->about = (struct about){answer->exporter, reading->request->id, reading->event->traceparent};
    answer->genuine = true;
    if (place_in_chain(answer, &acceptance, &unaccepted))
        return reject(answer, &unaccepted, fault);
    answer->copy = acceptance == ACCEPTANCE_REPEATED;
    if (answer->copy)
        return repeat(answer, fault);
    if (acceptance == ACCEPTANCE_DIFFERENT) {
        fault_set(&why, "id_reused", "another request with this id came before: use a fresh UUID");
        return bury(answer, &why, fault);
    }
    answer->accepted = true;
    return answer_ours(answer, verdict, &why, fault);
}

/* --- when it fails --- */

/* The work is no longer wanted: since the request was withdrawn, or since this worker leaves or has lost it. What is still
 * ours is not dropped: it would not come again. */
static void end_unwanted(const struct answer *answer)
{
    struct item *item = answer->item;
    struct fault fault;
    bool ended = false;
    if (!answer->accepted || end_by_store(answer, &ended, &fault))
        look_again_later(answer);
    else if (!ended && !leave_to_owner(answer))
        item_later(item);
}

/* Whether another attempt cannot help: the fault does not pass with time, or the time for an answer is over. */
static bool is_hopeless(const struct answer *answer, const struct fault *fault)
{
    return answer->accepted && (!fault->retryable || is_too_late(answer));
}

/* What is not known to be accepted by then gets no outcome, but whoever is to know gets it. Trouble is given an hour to
 * pass, so that a store that was away for a moment costs no overdue request its outcome. */
static bool give_up(const struct answer *answer, const struct fault *why)
{
    struct item *item = answer->item;
    struct fault ignored;
    const int64_t now_unix_s = clock_now_unix_s();
    if (!item->trouble_unix_s)
        item->trouble_unix_s = now_unix_s;
    if (answer->accepted || !is_too_late(answer) || now_unix_s < item->trouble_unix_s + TROUBLE_MAX_S)
        return false;
    item->fate = ITEM_DONE;
    return bury(answer, why, &ignored) == 0;
}

/* Whatever ails store, disk or memory: parking needs nothing but Kafka. */
static bool park_if_possible(const struct answer *answer, const struct fault *why)
{
    const struct retry_tier *tier;
    struct fault ignored;
    return answer->genuine && !answer->copy && find_place(answer, 0, &tier) &&
           park(answer, tier, why, &ignored) == 0;
}

/* False: to be tried again in place. */
static bool settle_failure(const struct answer *answer, bool last_try, const struct fault *why)
{
    struct item *item = answer->item;
    struct fault ignored;
    item_drop_answers(item);
    item->fate = ITEM_DONE;
    if (cancel_raised(item->cancel)) {
        end_unwanted(answer);
        return true;
    }
    if (is_hopeless(answer, why) && end_request(answer, EVENT_FAILED, why, &ignored) == 0)
        return true;
    item_drop_answers(item);
    if (last_try && (park_if_possible(answer, why) || give_up(answer, why)))
        return true;
    item_drop_answers(item);
    log_fault(answer->exporter->log, LOG_LEVEL_ERROR, request_id(answer),
              "the attempt failed and will be made again", why);
    if (last_try)
        look_again_later(answer);
    return last_try;
}

void answer_request(const struct answerer *answerer, struct item *item)
{
    struct answer answer = {.answerer = answerer, .exporter = answerer->exporter, .item = item};
    const struct retry_config *retry = &answer.exporter->config->retry;
    int64_t pause_ms = retry->first_ms;
    struct fault why;
    for (unsigned n_tries = 1;
         answer_once(&answer, &why) && !settle_failure(&answer, n_tries >= retry->attempts, &why);
         n_tries++) {
        forget(&answer);
        cancel_wait(item->cancel, pause_ms);
        pause_ms = pause_ms * 2 < retry->max_ms ? pause_ms * 2 : retry->max_ms;
    }
    forget(&answer);
}
