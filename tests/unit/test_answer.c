#include "outcome/answer.h"
#include "outcome/ending.h"

#include "base/hex.h"
#include "outcome/acceptance.h"
#include "outcome/attempt.h"
#include "outcome/holdings.h"
#include "outcome/reading.h"
#include "outcome/withdrawal.h"

#include "test_portal.h"

#include <sys/mman.h>

/* What answers a message without any attempt: what the store knows, and what was cancelled. */
struct office {
    struct world *world;
    struct answerer answerer;
    struct claims *claims;
    struct desk *desk;
    rd_kafka_message_t *first;  /* the request */
    rd_kafka_message_t *second; /* the same once more */
    struct request *request;
    struct cancellation cancellation;
};

static struct partition lost = {.owned = false};
static struct partition ours = {.owned = true};

static struct retry_tier tier = {topic_retry, 300};

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

static struct claims *make_claims(const struct office *office, const char *worker)
{
    const struct claims_options options = {
        .store = office->world->stage->store, .worker = worker, .interval_s = 1};
    struct claims *claims;
    struct fault fault;
    assert_int_equal(claims_new(&claims, &options, &fault), 0);
    return claims;
}

static int open_office(void **state)
{
    struct office *office = calloc(1, sizeof *office);
    char value[VALUE_MAX];
    struct fault fault;
    void *world;
    if (!office || make_world(&world))
        return -1;
    office->world = world;
    office->claims = make_claims(office, "one");
    assert_int_equal(desk_new(&office->desk, &config, &fault), 0);
    office->answerer = (struct answerer){
        .exporter = &office->world->exporter, .claims = office->claims, .desk = office->desk};
    request_with(office->world, "", value);
    assert_int_equal(request_parse(&office->request, value, strlen(value), CAME, NULL, &fault), REQUEST_OK);
    office->cancellation = (struct cancellation){.id = ID};
    memcpy(office->cancellation.sha256, office->request->sha256, 32);
    office->first = send_message(world, write_message(world, REQUEST_TYPE, value, PORTAL, DAY));
    office->second = send_message(world, write_message(world, REQUEST_TYPE, value, PORTAL, DAY));
    *state = office;
    return 0;
}

static int close_office(void **state)
{
    struct office *office = *state;
    void *world = office->world;
    if (office->first)
        rd_kafka_message_destroy(office->first);
    rd_kafka_message_destroy(office->second);
    desk_free(office->desk);
    claims_free(office->claims);
    request_free(office->request);
    free(office);
    return end_world(&world);
}

/* --- looking at answers --- */

static const char *header(const struct outgoing *message, const char *name, char text[128])
{
    const void *value;
    size_t len;
    assert_non_null(message);
    assert_int_equal(rd_kafka_header_get_last(message->headers, name, &value, &len), 0);
    snprintf(text, 128, "%.*s", (int)len, (const char *)value);
    return text;
}

static const struct outgoing *to_topic(const struct item *item, const char *topic)
{
    const struct outgoing *found = NULL;
    for (const struct outgoing *message = item->answers; message; message = message->next) {
        if (strcmp(message->topic, topic) != 0)
            continue;
        assert_null(found);
        found = message;
    }
    return found;
}

/* Its one event is of this type; the event's id. */
static const char *assert_event(const struct item *item, const char *type, char id[128])
{
    char text[128];
    assert_int_equal(item->fate, ITEM_DONE);
    const struct outgoing *event = to_topic(item, topic_events);
    assert_non_null(event);
    assert_string_equal(header(event, "ce_type", text), type);
    return header(event, "ce_id", id);
}

static json_t *data_of(const struct outgoing *message)
{
    json_t *data = json_loadb(message->value, message->value_len, 0, NULL);
    assert_non_null(data);
    return data;
}

static struct item take(rd_kafka_message_t *message)
{
    struct item item = {.message = message, .received_unix_s = CAME, .partition = &ours};
    struct fault fault;
    assert_int_equal(cancel_new(&item.cancel, &fault), 0);
    return item;
}

static struct item ask(const struct office *office, rd_kafka_message_t *message)
{
    struct item item = take(message);
    answer_request(&office->answerer, &item);
    return item;
}

/* One that lies on a retry topic. */
static struct item ask_again(const struct office *office, rd_kafka_message_t *message)
{
    struct item item = take(message);
    item.tier = &tier;
    answer_request(&office->answerer, &item);
    return item;
}

static struct item control(const struct office *office, const struct cancellation *cancellation)
{
    char value[VALUE_MAX], sha256[HEX_SHA256_MAX];
    hex_encode(cancellation->sha256, 32, sha256);
    snprintf(value, sizeof value, "{\"subject_request_id\":\"" ID "\",\"body_sha256\":\"%s\"}", sha256);
    struct item item = {.received_unix_s = CAME, .partition = &ours};
    item.message =
        send_message(office->world, write_message(office->world, CANCELLATION_TYPE, value, PORTAL, DAY));
    answer_control(&office->answerer, &item);
    return item;
}

static void wipe(struct item *item)
{
    outgoing_free(item->answers);
    cancel_free(item->cancel);
}

static void wipe_control(struct item *item)
{
    rd_kafka_message_destroy(item->message);
    wipe(item);
}

/* --- what the store knows --- */

static struct origin place_of(const rd_kafka_message_t *message)
{
    return (struct origin){rd_kafka_topic_name(message->rkt), message->partition, message->offset};
}

static void accept_first(const struct office *office)
{
    const struct origin origin = place_of(office->first);
    enum acceptance acceptance;
    int64_t came = CAME;
    struct fault fault;
    assert_int_equal(acceptance_take(&office->world->stage->records, office->request, SOURCE, &origin, &came,
                                     &acceptance, &fault),
                     0);
    assert_int_equal(acceptance, ACCEPTANCE_OURS);
}

static void withdraw(const struct office *office, const char *source)
{
    struct fault fault;
    assert_int_equal(withdrawal_store(&office->world->stage->records, &office->cancellation, source, &fault),
                     0);
}

/* An export that was stored and not published; the id of its event. */
static void complete(const struct office *office, char id[128])
{
    const struct origin origin = place_of(office->first);
    const struct stage *stage = office->world->stage;
    json_t *data = json_pack("{s:s}", "request_status", "completed");
    const struct receipt_facts facts = {.request = ID,
                                        .body_sha256 = office->request->sha256,
                                        .origin = &origin,
                                        .bundle = "attempt.zip",
                                        .type = EVENT_COMPLETED,
                                        .event_data = data};
    struct receipt *receipt;
    struct fault fault;
    accept_first(office);
    put_object(stage, ID, "attempt.zip", "sealed", 6);
    assert_int_equal(receipt_take(&receipt, &facts, &stage->records, &fault), 0);
    snprintf(id, 128, "%s", receipt->event_id);
    receipt_free(receipt);
    json_decref(data);
}

static int count_one(const char *file, void *ctx)
{
    *(size_t *)ctx += strcmp(file, "receipt") == 0;
    return 0;
}

static size_t count_receipts(const struct office *office)
{
    size_t n = 0;
    struct fault fault;
    assert_int_equal(store_each(office->world->stage->store, ID, count_one, &n, &fault), 0);
    return n;
}

static void an_outcome_that_was_stored_is_published_as_it_is(void **state)
{
    struct office *office = *state;
    char stored[128], id[128];
    complete(office, stored);
    for (int i = 0; i < 2; i++) {
        struct item item = ask(office, office->first);
        assert_string_equal(assert_event(&item, "org.dsard.completed.v1", id), stored);
        assert_int_equal(item.outcome, OUTCOME_COMPLETED);
        assert_non_null(to_topic(&item, topic_audit));
        wipe(&item);
    }
}

static void a_cancel_does_not_change_an_outcome_that_was_stored(void **state)
{
    struct office *office = *state;
    char stored[128], id[128];
    complete(office, stored);
    withdraw(office, SOURCE);
    for (int i = 0; i < 2; i++) {
        struct item item = ask(office, office->first);
        assert_string_equal(assert_event(&item, "org.dsard.completed.v1", id), stored);
        wipe(&item);
    }
    assert_true(has_object(office->world->stage, ID, "attempt.zip"));
}

static void the_receipt_of_another_message_is_not_published_again(void **state)
{
    struct office *office = *state;
    char stored[128], id[128];
    struct fault fault;
    complete(office, stored);
    assert_int_equal(store_remove(office->world->stage->store, ID, "accepted", &fault), 0);
    struct item item = ask(office, office->second);
    assert_event(&item, "org.dsard.repeated.v1", id);
    wipe(&item);
}

static void what_was_cancelled_before_it_came_is_not_begun(void **state)
{
    struct office *office = *state;
    char id[128];
    withdraw(office, SOURCE);
    struct item item = ask(office, office->first);
    assert_event(&item, "org.dsard.cancelled.v1", id);
    assert_non_null(to_topic(&item, topic_audit));
    json_t *data = data_of(to_topic(&item, topic_events));
    assert_string_equal(json_string_value(json_object_get(json_object_get(data, "reason"), "code")),
                        "withdrawn");
    json_decref(data);
    wipe(&item);
}

/* Goes on to the claim, which another worker has. */
static void assert_goes_on(const struct office *office)
{
    struct claims *others = make_claims(office, "two");
    struct claim_sight sight = {0};
    struct claim *claim;
    struct fault fault;
    assert_int_equal(claim_take(others, ID, &sight, &claim, &fault), 0);
    assert_non_null(claim);
    struct item item = ask(office, office->first);
    assert_int_equal(item.fate, ITEM_LATER);
    assert_int_equal(item.later_ms, 7000);
    assert_null(item.answers);
    assert_false(item.told);
    wipe(&item);
    claim_release(claim);
    claims_free(others);
}

static void while_another_worker_has_a_claim_it_waits(void **state)
{
    assert_goes_on(*state);
}

static void who_did_not_ask_cannot_cancel(void **state)
{
    struct office *office = *state;
    withdraw(office, "//else.example");
    office->cancellation.sha256[0] ^= 1;
    withdraw(office, SOURCE);
    assert_goes_on(office);
}

static int spoil_withdrawal(const char *file, void *ctx)
{
    if (strncmp(file, "withdrawal", strlen("withdrawal")) == 0)
        put_object(ctx, ID, file, "{}\n", 3);
    return 0;
}

static void a_withdrawal_that_is_not_genuine_counts_for_nothing(void **state)
{
    struct office *office = *state;
    struct stage *stage = office->world->stage;
    struct fault fault;
    withdraw(office, SOURCE);
    assert_int_equal(store_each(stage->store, ID, spoil_withdrawal, stage, &fault), 0);
    assert_goes_on(office);
}

static void who_comes_second_repeats(void **state)
{
    struct office *office = *state;
    char stored[128], id[128];
    static const char *const types[] = {"org.dsard.accepted.v1", "org.dsard.completed.v1"};
    static const char *const statuses[] = {"in_progress", "completed"};
    accept_first(office);
    for (int i = 0; i < 2; i++) {
        struct item item = ask(office, office->second);
        assert_event(&item, "org.dsard.repeated.v1", id);
        assert_int_equal(item.outcome, OUTCOME_REPEATED);
        assert_null(to_topic(&item, topic_audit));
        json_t *data = data_of(to_topic(&item, topic_events));
        const json_t *own = json_object_get(json_object_get(data, "extensions"), "dsard");
        const json_t *repeats = json_object_get(own, "repeats");
        assert_string_equal(json_string_value(json_object_get(repeats, "type")), types[i]);
        assert_string_equal(json_string_value(json_object_get(data, "request_status")), statuses[i]);
        assert_int_equal(json_object_get(repeats, "time") != NULL, i);
        json_decref(data);
        wipe(&item);
        if (i == 0)
            complete(office, stored);
    }
}

static void assert_dead(struct office *office, rd_kafka_message_t *message, const char *code)
{
    char text[128];
    struct item item = ask(office, message);
    assert_int_equal(item.fate, ITEM_DONE);
    assert_int_equal(item.outcome, OUTCOME_DEAD);
    assert_null(to_topic(&item, topic_events));
    assert_string_equal(header(to_topic(&item, topic_dead), "dsar-dead-code", text), code);
    wipe(&item);
}

static void another_request_under_the_id_is_dead(void **state)
{
    struct office *office = *state;
    char value[VALUE_MAX];
    accept_first(office);
    request_with(office->world, "\"locale\":\"fr\",", value);
    rd_kafka_message_t *other =
        send_message(office->world, write_message(office->world, REQUEST_TYPE, value, PORTAL, DAY));
    assert_dead(office, other, "id_reused");
    rd_kafka_message_destroy(other);
}

static void where_somebody_wrote_into_the_store_it_is_dead(void **state)
{
    struct office *office = *state;
    put_object(office->world->stage, ID, "accepted", "{}\n", 3);
    assert_dead(office, office->first, "bad_record");
}

static void what_cannot_be_answered_is_refused_once(void **state)
{
    struct office *office = *state;
    char value[VALUE_MAX], id[128], again[128];
    request_with(office->world, "\"envelope\":\"rar\",", value);
    rd_kafka_message_t *message =
        send_message(office->world, write_message(office->world, REQUEST_TYPE, value, PORTAL, DAY));
    struct item item = ask(office, message);
    assert_event(&item, "org.dsard.refused.v1", id);
    assert_int_equal(item.outcome, OUTCOME_REFUSED);
    json_t *data = data_of(to_topic(&item, topic_events));
    assert_string_equal(json_string_value(json_object_get(json_object_get(data, "reason"), "code")),
                        "unknown_envelope");
    json_decref(data);
    wipe(&item);
    item = ask(office, message);
    assert_string_equal(assert_event(&item, "org.dsard.refused.v1", again), id);
    wipe(&item);
    rd_kafka_message_destroy(message);
}

/* What ails store and disk is for the retry topics; where there are none, it waits in memory and holds up nobody. */
static void without_a_store_it_is_looked_at_again_later(void **state)
{
    struct office *office = *state;
    char path[256];
    snprintf(path, sizeof path, "%s/" ID, office->world->stage->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    struct item item = {.message = office->first, .received_unix_s = CAME, .partition = &ours};
    struct fault fault;
    assert_int_equal(cancel_new(&item.cancel, &fault), 0);
    for (int64_t ms = 1000; ms < 9000; ms *= 2) {
        answer_request(&office->answerer, &item);
        assert_int_equal(item.fate, ITEM_LATER);
        assert_int_equal(item.later_ms, ms);
        assert_null(item.answers);
    }
    /* not even when it is no longer wanted: nobody knows whether it was cancelled */
    cancel_raise(item.cancel);
    answer_request(&office->answerer, &item);
    assert_int_equal(item.fate, ITEM_LATER);
    wipe(&item);
}

static rd_kafka_message_t *park(const struct office *office, unsigned n_attempts)
{
    const struct parked parked = {place_of(office->first), CAME, n_attempts};
    struct fault fault;
    struct outgoing *message =
        parking_message(&tier, office->first, ID, &parked, office->world->stage->keyring, &fault);
    assert_non_null(message);
    return send_message(office->world, message);
}

/* Whoever can read and write a retry topic needs no key for that. */
static void a_copy_of_a_parked_message_ends_nothing(void **state)
{
    struct office *office = *state;
    char stored[128], id[128];
    complete(office, stored);
    rd_kafka_message_t *parked = park(office, 1), *copy = park(office, 1), *next = park(office, 2);
    for (int i = 0; i < 2; i++) {
        struct item item = ask_again(office, parked);
        assert_string_equal(assert_event(&item, "org.dsard.completed.v1", id), stored);
        wipe(&item);
        item = ask_again(office, copy);
        assert_event(&item, "org.dsard.repeated.v1", id);
        assert_int_equal(item.outcome, OUTCOME_REPEATED);
        assert_null(to_topic(&item, topic_retry));
        wipe(&item);
    }
    struct item item = ask_again(office, next);
    assert_event(&item, "org.dsard.completed.v1", id);
    wipe(&item);
    rd_kafka_message_destroy(parked);
    rd_kafka_message_destroy(copy);
    rd_kafka_message_destroy(next);
}

static void distrust_portal(const struct office *office)
{
    struct world *world = office->world;
    char path[128];
    struct fault fault;
    json_t *set = json_pack("{s:[o]}", "keys", entry(world->keys[ASKER], "{\"rights\":[\"request\"]}"));
    write_json(world->stage, "none", set);
    json_decref(set);
    trust_free(world->exporter.trust);
    assert_int_equal(trust_load(&world->exporter.trust, path_of(world->stage, "none", path), &fault), 0);
}

static void assert_reason(const struct item *item, const char *code)
{
    json_t *data = data_of(to_topic(item, topic_events));
    assert_string_equal(json_string_value(json_object_get(json_object_get(data, "reason"), "code")), code);
    json_decref(data);
}

static void what_was_accepted_ends_when_its_key_is_taken_out(void **state)
{
    struct office *office = *state;
    char id[128];
    accept_first(office);
    distrust_portal(office);
    struct item item = ask(office, office->first);
    assert_event(&item, "org.dsard.refused.v1", id);
    assert_reason(&item, "unknown_kid");
    wipe(&item);
    assert_dead(office, office->second, "unknown_kid");
}

static void its_outcome_counts_when_its_key_is_taken_out(void **state)
{
    struct office *office = *state;
    char stored[128], id[128];
    complete(office, stored);
    distrust_portal(office);
    struct item item = ask(office, office->first);
    assert_string_equal(assert_event(&item, "org.dsard.completed.v1", id), stored);
    wipe(&item);
}

static void an_orphan_leaves_what_it_cannot_answer_to_its_owner(void **state)
{
    struct office *office = *state;
    char value[VALUE_MAX];
    request_with(office->world, "\"envelope\":\"rar\",", value);
    rd_kafka_message_t *refused =
        send_message(office->world, write_message(office->world, REQUEST_TYPE, value, PORTAL, DAY));
    struct item item = take(refused);
    item.partition = &lost;
    answer_request(&office->answerer, &item);
    assert_int_equal(item.fate, ITEM_DROPPED);
    assert_null(item.answers);
    assert_int_equal(count_receipts(office), 0);
    wipe(&item);
    rd_kafka_message_destroy(refused);
}

/* --- attempts that fail --- */

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
    return send_message(office->world, write_message(office->world, REQUEST_TYPE, value, PORTAL, DAY));
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

/* --- the due time is over --- */

#define OVERDUE "\"due_time\":\"2026-11-23T08:00:01Z\","

static rd_kafka_message_t *send_overdue(const struct office *office)
{
    char value[VALUE_MAX];
    request_with(office->world, OVERDUE, value);
    return send_message(office->world, write_message(office->world, REQUEST_TYPE, value, PORTAL, DAY));
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

/* --- cancels --- */

static void a_cancel_that_comes_first_is_noted_down(void **state)
{
    struct office *office = *state;
    char id[128];
    struct item cancel = control(office, &office->cancellation);
    assert_int_equal(cancel.fate, ITEM_DONE);
    assert_int_equal(cancel.outcome, OUTCOME_NONE);
    assert_null(cancel.answers);
    wipe_control(&cancel);
    struct item item = ask(office, office->first);
    assert_event(&item, "org.dsard.cancelled.v1", id);
    wipe(&item);
}

static void after_its_end_the_bundle_is_revoked(void **state)
{
    struct office *office = *state;
    char stored[128], id[128], again[128];
    complete(office, stored);
    struct item cancel = control(office, &office->cancellation);
    assert_event(&cancel, "org.dsard.expired.v1", id);
    assert_non_null(to_topic(&cancel, topic_audit));
    wipe_control(&cancel);
    assert_false(has_object(office->world->stage, ID, "attempt.zip"));
    assert_true(has_object(office->world->stage, ID, "receipt"));

    /* as it would be after a crash before that was published, or when it is cancelled twice */
    cancel = control(office, &office->cancellation);
    assert_string_equal(assert_event(&cancel, "org.dsard.expired.v1", again), id);
    wipe_control(&cancel);
}

static void a_cancel_of_another_request_changes_nothing(void **state)
{
    struct office *office = *state;
    char stored[128];
    complete(office, stored);
    office->cancellation.sha256[0] ^= 1;
    struct item cancel = control(office, &office->cancellation);
    assert_int_equal(cancel.fate, ITEM_DONE);
    assert_null(cancel.answers);
    wipe_control(&cancel);
    assert_true(has_object(office->world->stage, ID, "attempt.zip"));
}

/* The message is the desk's from here on. */
static void put_first_on_desk(struct office *office)
{
    struct fault fault;
    rd_kafka_message_t *message = office->first;
    office->first = NULL;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic_requests, 0)->offset = message->offset;
    assert_int_equal(desk_assign(office->desk, list, rd_kafka_consumer_group_metadata_new("g"), &fault), 0);
    rd_kafka_topic_partition_list_destroy(list);
    assert_int_equal(desk_put(office->desk, message, 0, &fault), 0);
}

static void a_cancel_waits_for_the_end_of_what_is_in_hand(void **state)
{
    struct office *office = *state;
    char stored[128], id[128];
    complete(office, stored);
    put_first_on_desk(office);
    struct item *item = desk_take(office->desk, DESK_REQUESTS);
    struct item cancel = control(office, &office->cancellation);
    for (int64_t ms = 1000; ms < 200000; ms *= 2) {
        assert_int_equal(cancel.fate, ITEM_LATER);
        assert_int_equal(cancel.later_ms, ms < 60000 ? ms : 60000);
        assert_null(cancel.answers);
        answer_control(&office->answerer, &cancel);
    }
    assert_true(has_object(office->world->stage, ID, "attempt.zip"));
    assert_true(cancel_raised(item->cancel));

    answer_request(&office->answerer, item);
    assert_event(item, "org.dsard.completed.v1", id);
    desk_finish(office->desk, item);
    answer_control(&office->answerer, &cancel);
    assert_int_equal(cancel.fate, ITEM_LATER);

    struct batch batch;
    assert_true(desk_batch(office->desk, 10, &batch));
    desk_settle(office->desk, &batch, true);
    answer_control(&office->answerer, &cancel);
    assert_int_equal(cancel.fate, ITEM_DONE);
    assert_event(&cancel, "org.dsard.expired.v1", id);
    assert_false(has_object(office->world->stage, ID, "attempt.zip"));
    wipe_control(&cancel);
}

static void a_cancel_decides_what_has_not_ended(void **state)
{
    struct office *office = *state;
    char id[128], again[128];
    accept_first(office);
    for (int i = 0; i < 2; i++) {
        struct item cancel = control(office, &office->cancellation);
        assert_int_equal(cancel.fate, ITEM_DONE);
        assert_null(cancel.answers);
        wipe_control(&cancel);
    }
    assert_int_equal(count_receipts(office), 1);
    struct item item = ask(office, office->first);
    assert_event(&item, "org.dsard.cancelled.v1", id);
    assert_int_equal(item.outcome, OUTCOME_CANCELLED);
    wipe(&item);
    item = ask(office, office->first);
    assert_string_equal(assert_event(&item, "org.dsard.cancelled.v1", again), id);
    wipe(&item);
}

static void a_cancel_is_never_dropped(void **state)
{
    struct office *office = *state;
    char path[256];
    snprintf(path, sizeof path, "%s/" ID, office->world->stage->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    struct item cancel = control(office, &office->cancellation);
    for (int64_t ms = 1000; ms < 200000; ms *= 2) {
        assert_int_equal(cancel.fate, ITEM_LATER);
        assert_int_equal(cancel.later_ms, ms < 60000 ? ms : 60000);
        answer_control(&office->answerer, &cancel);
    }
    assert_int_equal(unlink(path), 0);
    answer_control(&office->answerer, &cancel);
    assert_int_equal(cancel.fate, ITEM_DONE);
    wipe_control(&cancel);
}

static void assert_cancel_dead(const struct office *office)
{
    char text[128];
    struct item cancel = control(office, &office->cancellation);
    assert_int_equal(cancel.fate, ITEM_DONE);
    assert_int_equal(cancel.outcome, OUTCOME_DEAD);
    assert_string_equal(header(to_topic(&cancel, topic_dead), "dsar-dead-code", text), "bad_record");
    wipe_control(&cancel);
}

static void where_somebody_wrote_into_the_store_a_cancel_is_dead(void **state)
{
    struct office *office = *state;
    struct stage *stage = office->world->stage;
    struct fault fault;
    withdraw(office, SOURCE);
    put_object(stage, ID, "accepted", "{}\n", 3);
    assert_cancel_dead(office);
    assert_int_equal(store_remove(stage->store, ID, "accepted", &fault), 0);
    assert_int_equal(store_each(stage->store, ID, spoil_withdrawal, stage, &fault), 0);
    assert_cancel_dead(office);
}

static void a_cancel_that_cannot_be_read_is_dead(void **state)
{
    struct office *office = *state;
    char text[128];
    struct item cancel = {.received_unix_s = CAME};
    cancel.message =
        send_message(office->world, write_message(office->world, CANCELLATION_TYPE, CANCEL, ASKER, DAY));
    answer_control(&office->answerer, &cancel);
    assert_int_equal(cancel.fate, ITEM_DONE);
    assert_int_equal(cancel.outcome, OUTCOME_DEAD);
    assert_string_equal(header(to_topic(&cancel, topic_dead), "dsar-dead-code", text), "no_right");
    wipe_control(&cancel);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_office, close_office)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_outcome_that_was_stored_is_published_as_it_is),
        TEST(a_cancel_does_not_change_an_outcome_that_was_stored),
        TEST(the_receipt_of_another_message_is_not_published_again),
        TEST(what_was_cancelled_before_it_came_is_not_begun),
        TEST(while_another_worker_has_a_claim_it_waits),
        TEST(who_did_not_ask_cannot_cancel),
        TEST(a_withdrawal_that_is_not_genuine_counts_for_nothing),
        TEST(who_comes_second_repeats),
        TEST(another_request_under_the_id_is_dead),
        TEST(where_somebody_wrote_into_the_store_it_is_dead),
        TEST(what_cannot_be_answered_is_refused_once),
        TEST(without_a_store_it_is_looked_at_again_later),
        TEST(a_copy_of_a_parked_message_ends_nothing),
        TEST(what_was_accepted_ends_when_its_key_is_taken_out),
        TEST(its_outcome_counts_when_its_key_is_taken_out),
        TEST(an_orphan_leaves_what_it_cannot_answer_to_its_owner),
        TEST(what_is_ours_is_not_dropped),
        TEST(what_is_withdrawn_is_not_parked),
        TEST(what_has_ended_meanwhile_is_not_parked),
        TEST(a_copy_is_not_parked),
        TEST(then_no_claim_is_waited_for),
        TEST(then_what_cannot_be_accepted_is_dead),
        TEST(where_somebody_wrote_into_the_store_a_cancel_is_dead),
        TEST(a_cancel_that_comes_first_is_noted_down),
        TEST(after_its_end_the_bundle_is_revoked),
        TEST(a_cancel_of_another_request_changes_nothing),
        TEST(a_cancel_waits_for_the_end_of_what_is_in_hand),
        TEST(a_cancel_decides_what_has_not_ended),
        TEST(a_cancel_is_never_dropped),
        TEST(a_cancel_that_cannot_be_read_is_dead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
