/* Attempts that fail, and requests whose due time is over. */
#include "test_office.h"

#include <sys/mman.h>

/* Called when an attempt begins, which then finds no memory. */
static void (*at_attempt)(const struct office *office);
static const struct office *at_office;

int madvise(void *address, size_t len, int advice)
{
    (void)address, (void)len, (void)advice;
    if (!at_attempt)
        return 0;
    at_attempt(at_office);
    errno = ENOMEM;
    return -1;
}

static void let_fail(const struct office *office)
{
    (void)office;
}

static struct item *at_item;

static struct item fail_attempt(const struct office *office, rd_kafka_message_t *message,
                                void (*meanwhile)(const struct office *office))
{
    struct item item = take(message);
    item.told = true; /* there is no publisher */
    at_item = &item;
    at_office = office;
    at_attempt = meanwhile;
    answer_request(&office->answerer, &item);
    at_attempt = NULL;
    return item;
}

static void raise_cancel(const struct office *office)
{
    (void)office;
    cancel_raise(at_item->cancel);
}

static void what_is_ours_is_not_dropped(void **state)
{
    struct office *office = *state;
    struct item item = fail_attempt(office, office->first, raise_cancel);
    assert_int_equal(item.fate, ITEM_LATER);
    assert_int_equal(item.later_ms, 1000);
    wipe(&item);
}

static void withdraw_meanwhile(const struct office *office)
{
    withdraw(office, SOURCE);
}

/* A request that has time for another attempt, and a tier for it. */
static rd_kafka_message_t *send_early(struct office *office, struct config *with_tiers)
{
    char value[VALUE_MAX];
    struct fault fault;
    *with_tiers = config;
    with_tiers->retry.tiers = &tier;
    with_tiers->retry.n_tiers = 1;
    with_tiers->retry.horizon_s = UINT32_MAX;
    office->world->exporter.config = with_tiers;
    request_free(office->request);
    request_with(office->world, "\"due_time\":\"2099-01-01T00:00:00Z\",", value);
    assert_int_equal(request_parse(&office->request, value, strlen(value), CAME, NULL, &fault), REQUEST_OK);
    memcpy(office->cancellation.sha256, office->request->sha256, 32);
    return send_message(write_message(office->world, REQUEST_TYPE, value, PORTAL, DAY));
}

static void what_is_withdrawn_is_not_parked(void **state)
{
    struct office *office = *state;
    struct config with_tiers;
    char id[128];
    rd_kafka_message_t *message = send_early(office, &with_tiers);
    struct item item = fail_attempt(office, message, let_fail);
    assert_event(&item, "org.dsard.retrying.v1", id);
    assert_int_equal(item.outcome, OUTCOME_PARKED);
    assert_non_null(to_topic(&item, topic_retry));
    wipe(&item);

    item = fail_attempt(office, message, withdraw_meanwhile);
    assert_event(&item, "org.dsard.cancelled.v1", id);
    assert_int_equal(item.outcome, OUTCOME_CANCELLED);
    assert_null(to_topic(&item, topic_retry));
    wipe(&item);
    rd_kafka_message_destroy(message);
}

static const rd_kafka_message_t *ended_message;

static void end_meanwhile(const struct office *office)
{
    const struct origin origin = place_of(ended_message);
    const struct ending ending = ending_of(office->request, &origin);
    struct receipt *receipt;
    struct fault why, fault;
    fault_set(&why, "any", "another worker was faster");
    assert_int_equal(ending_take(&ending, &office->world->exporter, EVENT_REFUSED, &why, &receipt, &fault),
                     0);
    receipt_free(receipt);
}

static void what_has_ended_meanwhile_is_not_parked(void **state)
{
    struct office *office = *state;
    struct config with_tiers;
    char id[128];
    rd_kafka_message_t *message = send_early(office, &with_tiers);
    ended_message = message;
    struct item item = fail_attempt(office, message, end_meanwhile);
    assert_event(&item, "org.dsard.refused.v1", id);
    assert_null(to_topic(&item, topic_retry));
    wipe(&item);
    rd_kafka_message_destroy(message);
}

static void a_copy_is_not_parked(void **state)
{
    struct office *office = *state;
    struct config with_tiers;
    rd_kafka_message_t *message = send_early(office, &with_tiers);
    accept_first(office);
    put_object(office->world->stage, ID, "receipt", "spoiled", 7);
    struct item item = take(message);
    answer_request(&office->answerer, &item);
    assert_int_equal(item.fate, ITEM_LATER);
    assert_null(item.answers);
    wipe(&item);
    rd_kafka_message_destroy(message);
}

#define OVERDUE "\"due_time\":\"2026-11-23T08:00:01Z\","

static rd_kafka_message_t *send_overdue(const struct office *office)
{
    char value[VALUE_MAX];
    request_with(office->world, OVERDUE, value);
    return send_message(write_message(office->world, REQUEST_TYPE, value, PORTAL, DAY));
}

static void then_no_claim_is_waited_for(void **state)
{
    struct office *office = *state;
    struct claims *others = make_claims(office, "two");
    struct claim_sight sight = {0};
    struct claim *claim;
    struct fault fault;
    char id[128];
    assert_int_equal(claim_take(others, ID, &sight, &claim, &fault), 0);
    assert_non_null(claim);
    rd_kafka_message_t *message = send_overdue(office);
    struct item item = fail_attempt(office, message, let_fail);
    assert_event(&item, "org.dsard.failed.v1", id);
    assert_reason(&item, "no_memory");
    wipe(&item);
    rd_kafka_message_destroy(message);
    claim_release(claim);
    claims_free(others);
}

/* Its acceptance may be genuine, for all that is known. */
static void then_what_cannot_be_accepted_is_dead(void **state)
{
    struct office *office = *state;
    const struct stage *stage = office->world->stage;
    struct keyring *other = new_ring(stage, "other");
    const struct records records = {stage->store, other};
    json_t *any = json_object();
    struct fault fault;
    assert_int_equal(record_store(&records, ID, "accepted", "acceptance", any, &fault), 0);
    rd_kafka_message_t *message = send_overdue(office);
    struct item item = take(message);
    answer_request(&office->answerer, &item);
    assert_int_equal(item.fate, ITEM_LATER);
    assert_true(item.trouble_unix_s > 0);
    item.trouble_unix_s -= 3600;
    answer_request(&office->answerer, &item);
    char text[128];
    assert_int_equal(item.fate, ITEM_DONE);
    assert_string_equal(header(to_topic(&item, topic_dead), "dsar-dead-code", text), "bad_record");
    wipe(&item);

    /* not before */
    item = take(office->first);
    item.trouble_unix_s = 1;
    answer_request(&office->answerer, &item);
    assert_int_equal(item.fate, ITEM_LATER);
    wipe(&item);
    rd_kafka_message_destroy(message);
    json_decref(any);
    keyring_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_ours_is_not_dropped),
        TEST(what_is_withdrawn_is_not_parked),
        TEST(what_has_ended_meanwhile_is_not_parked),
        TEST(a_copy_is_not_parked),
        TEST(then_no_claim_is_waited_for),
        TEST(then_what_cannot_be_accepted_is_dead),
    };
    return cmocka_run_group_tests(tests, open_post, close_post);
}
