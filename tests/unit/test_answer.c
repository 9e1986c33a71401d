/* What answers a request without any attempt: what the store knows, and what was cancelled. */
#include "test_office.h"

static struct partition lost = {.owned = false};

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
    rd_kafka_message_t *other = send_message(write_message(office->world, REQUEST_TYPE, value, PORTAL, DAY));
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
        send_message(write_message(office->world, REQUEST_TYPE, value, PORTAL, DAY));
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
    return send_message(message);
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
        send_message(write_message(office->world, REQUEST_TYPE, value, PORTAL, DAY));
    struct item item = take(refused);
    item.partition = &lost;
    answer_request(&office->answerer, &item);
    assert_int_equal(item.fate, ITEM_DROPPED);
    assert_null(item.answers);
    assert_int_equal(count_receipts(office), 0);
    wipe(&item);
    rd_kafka_message_destroy(refused);
}

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
    };
    return cmocka_run_group_tests(tests, open_post, close_post);
}
