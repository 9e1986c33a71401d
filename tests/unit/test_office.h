/* What answers messages in tests: a worker without a publisher, one request that came twice, and looks at its answers. */
#ifndef DSAR_TEST_OFFICE_H
#define DSAR_TEST_OFFICE_H

#include "outcome/answer.h"
#include "outcome/ending.h"

#include "base/hex.h"
#include "outcome/acceptance.h"
#include "outcome/attempt.h"
#include "outcome/holdings.h"
#include "outcome/reading.h"
#include "outcome/withdrawal.h"

#include "test_portal.h"

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

static struct partition ours = {.owned = true};
static struct retry_tier tier = {topic_retry, 300};

static inline struct claims *make_claims(const struct office *office, const char *worker)
{
    const struct claims_options options = {
        .store = office->world->stage->store, .worker = worker, .interval_s = 1};
    struct claims *claims;
    struct fault fault;
    assert_int_equal(claims_new(&claims, &options, &fault), 0);
    return claims;
}

static inline int open_office(void **state)
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
    office->first = send_message(write_message(world, REQUEST_TYPE, value, PORTAL, DAY));
    office->second = send_message(write_message(world, REQUEST_TYPE, value, PORTAL, DAY));
    *state = office;
    return 0;
}

static inline int close_office(void **state)
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

static inline const char *header(const struct outgoing *message, const char *name, char text[128])
{
    const void *value;
    size_t len;
    assert_non_null(message);
    assert_int_equal(rd_kafka_header_get_last(message->headers, name, &value, &len), 0);
    snprintf(text, 128, "%.*s", (int)len, (const char *)value);
    return text;
}

static inline const struct outgoing *to_topic(const struct item *item, const char *topic)
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
static inline const char *assert_event(const struct item *item, const char *type, char id[128])
{
    char text[128];
    assert_int_equal(item->fate, ITEM_DONE);
    const struct outgoing *event = to_topic(item, topic_events);
    assert_non_null(event);
    assert_string_equal(header(event, "ce_type", text), type);
    return header(event, "ce_id", id);
}

static inline json_t *data_of(const struct outgoing *message)
{
    json_t *data = json_loadb(message->value, message->value_len, 0, NULL);
    assert_non_null(data);
    return data;
}

static inline struct item take(rd_kafka_message_t *message)
{
    struct item item = {.message = message, .received_unix_s = CAME, .partition = &ours};
    struct fault fault;
    assert_int_equal(cancel_new(&item.cancel, &fault), 0);
    return item;
}

static inline struct item ask(const struct office *office, rd_kafka_message_t *message)
{
    struct item item = take(message);
    answer_request(&office->answerer, &item);
    return item;
}

/* One that lies on a retry topic. */
static inline struct item ask_again(const struct office *office, rd_kafka_message_t *message)
{
    struct item item = take(message);
    item.tier = &tier;
    answer_request(&office->answerer, &item);
    return item;
}

static inline struct item control(const struct office *office, const struct cancellation *cancellation)
{
    char value[VALUE_MAX], sha256[HEX_SHA256_MAX];
    hex_encode(cancellation->sha256, 32, sha256);
    snprintf(value, sizeof value, "{\"subject_request_id\":\"" ID "\",\"body_sha256\":\"%s\"}", sha256);
    struct item item = {.received_unix_s = CAME, .partition = &ours};
    item.message = send_message(write_message(office->world, CANCELLATION_TYPE, value, PORTAL, DAY));
    answer_control(&office->answerer, &item);
    return item;
}

static inline void wipe(struct item *item)
{
    outgoing_free(item->answers);
    cancel_free(item->cancel);
}

static inline void wipe_control(struct item *item)
{
    rd_kafka_message_destroy(item->message);
    wipe(item);
}

/* --- what the store knows --- */

static inline struct origin place_of(const rd_kafka_message_t *message)
{
    return (struct origin){rd_kafka_topic_name(message->rkt), message->partition, message->offset};
}

static inline void accept_first(const struct office *office)
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

static inline void withdraw(const struct office *office, const char *source)
{
    struct fault fault;
    assert_int_equal(withdrawal_store(&office->world->stage->records, &office->cancellation, source, &fault),
                     0);
}

/* An export that was stored and not published; the id of its event. */
static inline void complete(const struct office *office, char id[128])
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

static inline int count_one(const char *file, void *ctx)
{
    *(size_t *)ctx += strcmp(file, "receipt") == 0;
    return 0;
}

static inline size_t count_receipts(const struct office *office)
{
    size_t n = 0;
    struct fault fault;
    assert_int_equal(store_each(office->world->stage->store, ID, count_one, &n, &fault), 0);
    return n;
}

static inline int spoil_withdrawal(const char *file, void *ctx)
{
    if (strncmp(file, "withdrawal", strlen("withdrawal")) == 0)
        put_object(ctx, ID, file, "{}\n", 3);
    return 0;
}

static inline void assert_reason(const struct item *item, const char *code)
{
    json_t *data = data_of(to_topic(item, topic_events));
    assert_string_equal(json_string_value(json_object_get(json_object_get(data, "reason"), "code")), code);
    json_decref(data);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_office, close_office)

#endif
