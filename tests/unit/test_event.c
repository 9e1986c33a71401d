#include "base/jwk.h"
#include "base/jws.h"
#include "intake/signature.h"
#include "outcome/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID "2c0e5a1e-0000-4000-8000-000000000001"

static char controller[] = "example-host", source[] = "//dsard.example.test", events[] = "dsar.events";
static const struct config config = {
    .controller = {.id = controller},
    .exporter = {.source = source},
    .kafka = {.topics = {.events = events}},
};

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void an_event_says_whose_and_where_it_stands(void **state)
{
    json_t *data = event_data(&config, EVENT_ACCEPTED, ID, 1795420800, NULL);
    assert_string_equal(text_of(data, "api_version"), "2.0");
    assert_string_equal(text_of(data, "controller_id"), "example-host");
    assert_string_equal(text_of(data, "subject_request_id"), ID);
    assert_string_equal(text_of(data, "request_status"), "pending");
    assert_string_equal(text_of(data, "expected_completion_time"), "2026-11-23T08:00:00Z");
    assert_null(json_object_get(data, "reason"));
    json_decref(data);
}

static void a_time_that_is_not_known_is_left_out(void **state)
{
    json_t *data = event_data(&config, EVENT_REPEATED, ID, 0, NULL);
    assert_null(json_object_get(data, "expected_completion_time"));
    json_decref(data);
}

static void a_refusal_says_why(void **state)
{
    struct fault why;
    fault_set(&why, "due_time_past", "the time is over");
    json_t *data = event_data(&config, EVENT_REFUSED, ID, 0, &why);
    assert_string_equal(text_of(data, "request_status"), "cancelled");
    assert_string_equal(text_of(json_object_get(data, "reason"), "code"), "due_time_past");
    assert_string_equal(text_of(json_object_get(data, "reason"), "text"), "the time is over");
    json_decref(data);
}

static void every_type_says_how_the_request_stands(void **state)
{
    static const struct {
        enum event_type type;
        const char *status;
    } rows[] = {
        {EVENT_ACCEPTED, "pending"},    {EVENT_PROGRESS, "in_progress"}, {EVENT_RETRYING, "in_progress"},
        {EVENT_COMPLETED, "completed"}, {EVENT_EXPIRED, "completed"},    {EVENT_FAILED, "cancelled"},
        {EVENT_REFUSED, "cancelled"},   {EVENT_CANCELLED, "cancelled"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *data = event_data(&config, rows[i].type, ID, 0, NULL);
        assert_string_equal(text_of(data, "request_status"), rows[i].status);
        json_decref(data);
    }
}

static void types_have_their_names(void **state)
{
    for (int i = EVENT_ACCEPTED; i <= EVENT_AUDIT; i++) {
        enum event_type type;
        assert_true(event_type_from_name(event_type_name((enum event_type)i), &type));
        assert_int_equal(type, i);
    }
    enum event_type type;
    assert_string_equal(event_type_name(EVENT_COMPLETED), "org.dsard.completed.v1");
    assert_string_equal(event_type_name(EVENT_CANCELLED), "org.dsard.cancelled.v1");
    assert_string_equal(event_type_name(EVENT_RETRYING), "org.dsard.retrying.v1");
    assert_string_equal(event_type_name(EVENT_EXPIRED), "org.dsard.expired.v1");
    assert_false(event_type_from_name("org.dsard.completed.v2", &type));
}

/* The header's value, NUL-terminated, to be freed; NULL without it. */
static char *header_of(const struct outgoing *message, const char *name)
{
    const void *value;
    size_t len;
    return rd_kafka_header_get_last(message->headers, name, &value, &len) ? NULL : strndup(value, len);
}

static void expect_header(const struct outgoing *message, const char *name, const char *expected)
{
    char *value = header_of(message, name);
    assert_non_null(value);
    assert_string_equal(value, expected);
    free(value);
}

static void a_message_is_a_signed_cloudevent(void **state)
{
    struct fault fault;
    json_t *key, *other, *header;
    assert_int_equal(jwk_generate(&key, JWK_SIGN, &fault), 0);
    assert_int_equal(jwk_generate(&other, JWK_SIGN, &fault), 0);
    json_t *data = event_data(&config, EVENT_COMPLETED, ID, 0, NULL);
    const struct event event = {.type = EVENT_COMPLETED,
                                .id = "11111111-2222-4333-8444-555555555555",
                                .time = "2026-11-23T08:00:00Z",
                                .request = ID,
                                .data = data,
                                .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"};
    struct outgoing *message = event_message(&config, key, &event, &fault);
    assert_non_null(message);
    assert_string_equal(message->topic, "dsar.events");
    assert_int_equal(message->key_len, strlen(ID));
    assert_memory_equal(message->key, ID, strlen(ID));
    expect_header(message, "ce_specversion", "1.0");
    expect_header(message, "ce_id", event.id);
    expect_header(message, "ce_source", source);
    expect_header(message, "ce_type", "org.dsard.completed.v1");
    expect_header(message, "ce_time", event.time);
    expect_header(message, "ce_subject", ID);
    expect_header(message, "content-type", "application/json");
    expect_header(message, "traceparent", event.traceparent);
    char *signature = header_of(message, SIGNATURE_HEADER);
    assert_non_null(signature);
    assert_int_equal(jws_verify(signature, key, message->value, message->value_len, &fault), 0);
    assert_int_equal(jws_verify(signature, other, message->value, message->value_len, &fault), -1);
    assert_int_equal(jws_verify(signature, key, message->value, message->value_len - 1, &fault), -1);
    assert_int_equal(jws_header(&header, signature, &fault), 0);
    assert_string_equal(text_of(header, "typ"), "org.dsard.completed.v1");
    assert_string_equal(text_of(header, "iss"), source);
    assert_string_equal(text_of(header, "sub"), ID);
    assert_string_equal(text_of(header, "aud"), controller);
    assert_string_equal(text_of(header, "kid"), text_of(key, "kid"));
    json_t *sent = json_loadb(message->value, message->value_len, 0, NULL);
    assert_true(json_equal(sent, data));
    json_decref(sent);
    json_decref(header);
    free(signature);
    outgoing_free(message);
    json_decref(data);
    json_decref(other);
    json_decref(key);
}

static void uuids_are_random_and_of_version_4(void **state)
{
    struct fault fault;
    char a[37], b[37];
    assert_int_equal(event_uuid(a, &fault), 0);
    assert_int_equal(event_uuid(b, &fault), 0);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
}

static void the_one_event_of_a_type_has_one_uuid(void **state)
{
    struct fault fault;
    char a[37], b[37], other_type[37], other_request[37];
    assert_int_equal(event_uuid_of(a, EVENT_EXPIRED, ID, &fault), 0);
    assert_int_equal(event_uuid_of(b, EVENT_EXPIRED, ID, &fault), 0);
    assert_int_equal(event_uuid_of(other_type, EVENT_CANCELLED, ID, &fault), 0);
    assert_int_equal(
        event_uuid_of(other_request, EVENT_EXPIRED, "2c0e5a1e-0000-4000-8000-000000000002", &fault), 0);
    assert_string_equal(a, b);
    assert_string_not_equal(a, other_type);
    assert_string_not_equal(a, other_request);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '8');
    assert_non_null(strchr("89ab", a[19]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_says_whose_and_where_it_stands),
        cmocka_unit_test(a_time_that_is_not_known_is_left_out),
        cmocka_unit_test(a_refusal_says_why),
        cmocka_unit_test(every_type_says_how_the_request_stands),
        cmocka_unit_test(types_have_their_names),
        cmocka_unit_test(a_message_is_a_signed_cloudevent),
        cmocka_unit_test(uuids_are_random_and_of_version_4),
        cmocka_unit_test(the_one_event_of_a_type_has_one_uuid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
