/* A portal with keys that an exporter trusts, and messages of it as a worker reads them from librdkafka's mock cluster. */
#ifndef DSAR_TEST_PORTAL_H
#define DSAR_TEST_PORTAL_H

#include "base/jws.h"
#include "intake/cancellation.h"
#include "intake/signature.h"
#include "intake/trust.h"
#include "outcome/exporter.h"
#include "outcome/outgoing.h"

#include "test_kafka.h"
#include "test_records.h"

#define ID        "2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"
#define OTHER_ID  "3c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"
#define SOURCE    "//portal.example"
#define AUDIENCE  "example-host"
#define CAME      INT64_C(1795420800) /* 2026-11-23T08:00:00Z */
#define DAY       INT64_C(86400)
#define SHA256    "00ff10a59b86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15"
#define CANCEL    "{\"subject_request_id\":\"" ID "\",\"body_sha256\":\"" SHA256 "\"}"
#define DUE       "\"due_time\":\"2026-11-24T08:00:00Z\","
#define VALUE_MAX 4096

static char audience[] = AUDIENCE, controller[] = "example-host", exporter_source[] = "//dsard.example",
            writer[] = "one", topic_requests[] = "requests", topic_control[] = "control",
            topic_retry[] = "retry", topic_events[] = "events", topic_dead[] = "dead",
            topic_audit[] = "audit";
static const struct config config = {
    .controller = {.id = controller},
    .kafka = {.transactional_id = writer,
              .topics = {topic_requests, topic_control, topic_events, topic_dead, topic_audit}},
    .requests = {.audience = audience, .max_bytes = 65536},
    .exporter = {.source = exporter_source},
    .work = {.claim_s = 7},
    .retry = {.attempts = 1, .first_ms = 10, .max_ms = 10},
};

/* The portal's key may ask and cancel, the asker's may only ask, the retired one's signatures count until the request
 * came. */
enum { PORTAL, ASKER, RETIRED, N_KEYS };

/* One cluster serves all tests of a program, and one assignment: librdkafka takes a second for each. */
static struct {
    struct test_kafka kafka;
    rd_kafka_t *producer;
} post;

static inline int open_post(void **state)
{
    (void)state;
    test_kafka_open(&post.kafka);
    rd_kafka_mock_topic_create(post.kafka.cluster, topic_requests, 1, 1);
    rd_kafka_mock_topic_create(post.kafka.cluster, topic_retry, 1, 1);
    post.producer = test_client(&post.kafka, RD_KAFKA_PRODUCER);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(2);
    rd_kafka_topic_partition_list_add(list, topic_requests, 0)->offset = 0;
    rd_kafka_topic_partition_list_add(list, topic_retry, 0)->offset = 0;
    assert_int_equal(rd_kafka_assign(post.kafka.consumer, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    return 0;
}

static inline int close_post(void **state)
{
    (void)state;
    rd_kafka_destroy(post.producer);
    test_kafka_close(&post.kafka);
    return 0;
}

struct world {
    struct stage *stage;
    json_t *keys[N_KEYS];
    struct exporter exporter;
    char recipient[512];
};

static inline json_t *entry(const json_t *key, const char *rights)
{
    struct fault fault;
    json_t *public_key, *ours = json_loads(rights, 0, NULL);
    assert_int_equal(jwk_strip(&public_key, key, &fault), 0);
    assert_non_null(ours);
    json_object_set_new(public_key, "dsard", ours);
    return public_key;
}

static inline void make_trust(struct world *world)
{
    static const char *const names[] = {"portal", "asker", "retired"};
    char path[128];
    struct fault fault;
    for (int i = 0; i < N_KEYS; i++)
        world->keys[i] = make_key(world->stage, names[i]);
    json_t *set = json_pack(
        "{s:[o,o,o]}", "keys", entry(world->keys[PORTAL], "{\"rights\":[\"request\",\"cancel\"]}"),
        entry(world->keys[ASKER], "{\"rights\":[\"request\"]}"),
        entry(world->keys[RETIRED], "{\"rights\":[\"request\"],\"retired_at\":\"2026-11-23T08:00:00Z\"}"));
    write_json(world->stage, "trusted", set);
    json_decref(set);
    assert_int_equal(trust_load(&world->exporter.trust, path_of(world->stage, "trusted", path), &fault), 0);
}

static inline void make_recipient(struct world *world)
{
    struct fault fault;
    json_t *key, *public_key;
    assert_int_equal(jwk_generate(&key, JWK_SEAL, &fault), 0);
    assert_int_equal(jwk_strip(&public_key, key, &fault), 0);
    char *text = json_dumps(public_key, JSON_COMPACT);
    snprintf(world->recipient, sizeof world->recipient, "%s", text);
    free(text);
    json_decref(public_key);
    json_decref(key);
}

static inline int make_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    void *stage;
    if (!world || open_stage(&stage))
        return -1;
    world->stage = stage;
    world->exporter = (struct exporter){.config = &config,
                                        .keyring = world->stage->keyring,
                                        .store = world->stage->store,
                                        .records = world->stage->records};
    make_trust(world);
    make_recipient(world);
    *state = world;
    return 0;
}

static inline int end_world(void **state)
{
    struct world *world = *state;
    void *stage = world->stage;
    trust_free(world->exporter.trust);
    for (int i = 0; i < N_KEYS; i++)
        json_decref(world->keys[i]);
    free(world);
    return close_stage(&stage);
}

/* --- messages --- */

static inline const char *request_with(const struct world *world, const char *own, char value[VALUE_MAX])
{
    int len = snprintf(value, VALUE_MAX,
                       "{\"api_version\":\"2.0\",\"regulation\":\"gdpr\",\"subject_request_id\":\"" ID "\","
                       "\"subject_request_type\":\"access\",\"submitted_time\":\"2026-11-23T07:00:00Z\","
                       "\"subject_identities\":[{\"identity_type\":\"email\",\"identity_value\":"
                       "\"alice@example.test\",\"identity_format\":\"raw\"}],"
                       "\"extensions\":{\"dsard\":{%s\"recipient\":{\"jwk\":%s}}}}",
                       own, world->recipient);
    assert_true(len > 0 && len < VALUE_MAX);
    return value;
}

/* A message as the portal would write it; `lifetime_s` of its signature. */
static inline struct outgoing *write_message(const struct world *world, const char *type, const char *value,
                                             int key, int64_t lifetime_s)
{
    struct fault fault;
    struct buf signature;
    const struct signature_claims claims = {
        .type = type,
        .source = SOURCE,
        .request = ID,
        .audience = AUDIENCE,
        .issued_unix_s = CAME - 60,
        .expires_unix_s = CAME + lifetime_s,
    };
    buf_init(&signature, JWS_MAX);
    struct outgoing *message = outgoing_new(topic_requests, ID, strlen(ID), value, strlen(value), &fault);
    assert_non_null(message);
    assert_int_equal(signature_make(&signature, &claims, world->keys[key], value, strlen(value), &fault), 0);
    assert_int_equal(outgoing_text(message, "ce_specversion", "1.0", &fault) ||
                         outgoing_text(message, "ce_id", OTHER_ID, &fault) ||
                         outgoing_text(message, "ce_source", SOURCE, &fault) ||
                         outgoing_text(message, "ce_type", type, &fault) ||
                         outgoing_text(message, "content-type", "application/json", &fault) ||
                         outgoing_text(message, SIGNATURE_HEADER, signature.data, &fault),
                     0);
    buf_wipe(&signature);
    return message;
}

/* The message that was just sent, as a worker reads it. */
static inline rd_kafka_message_t *receive_message(void)
{
    assert_int_equal(rd_kafka_flush(post.producer, 10000), 0);
    rd_kafka_message_t *read = test_next(&post.kafka, 10000);
    assert_non_null(read);
    return read;
}

static inline rd_kafka_message_t *send_message(struct outgoing *message)
{
    struct fault fault;
    assert_int_equal(outgoing_produce(message, post.producer, &fault), 0);
    outgoing_free(message);
    return receive_message();
}

#endif
