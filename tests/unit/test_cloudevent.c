#include "base/jws.h"
#include "intake/cloudevent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TRACE_A "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define TRACE_B "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203331-00"

static const struct cloudevent_options plain = {.framing = CONFIG_FRAMING_NONE, .max_bytes = 65536};
static const struct cloudevent_options framed = {.framing = CONFIG_FRAMING_CONFLUENT, .max_bytes = 65536};

/* Headers as "name: value" texts; a text without ": " is a header without a value. */
struct draft {
    const char *value;
    const char *headers[16];
};

#define BINARY                                                                                               \
    "ce_specversion: 1.0", "ce_id: e1", "ce_source: //portal.example", "ce_type: org.dsard.request.v1"

static int decode(struct cloudevent **event, const struct draft *draft,
                  const struct cloudevent_options *options, struct fault *fault)
{
    static struct message_header headers[16];
    static char names[16][64];
    struct message message = {
        .value = draft->value, .len = draft->value ? strlen(draft->value) : 0, .headers = headers};
    for (; message.n_headers < 16 && draft->headers[message.n_headers]; message.n_headers++) {
        const char *text = draft->headers[message.n_headers], *colon = strstr(text, ": ");
        struct message_header *header = &headers[message.n_headers];
        char *name = names[message.n_headers];
        snprintf(name, sizeof names[0], "%.*s", colon ? (int)(colon - text) : (int)strlen(text), text);
        *header = (struct message_header){.name = name, .value = colon ? colon + 2 : NULL};
        header->len = colon ? strlen(colon + 2) : 0;
    }
    return cloudevent_decode(event, &message, options, fault);
}

static void a_binary_event_is_read_from_its_headers(void **state)
{
    static const struct draft draft = {"{\"a\": 1}",
                                       {BINARY, "content-type: application/json; charset=utf-8",
                                        "ce_datacontenttype: x", "ce_time: 2026-11-23T08:00:00Z",
                                        "ce_traceparent: " TRACE_A, "ce_other: \xff",
                                        "dsar-signature: a..b"}};
    struct fault fault;
    struct cloudevent *event;
    assert_int_equal(decode(&event, &draft, &plain, &fault), 0);
    assert_string_equal(event->id, "e1");
    assert_string_equal(event->source, "//portal.example");
    assert_string_equal(event->type, "org.dsard.request.v1");
    assert_string_equal(event->traceparent, TRACE_A);
    assert_string_equal(event->signature, "a..b");
    assert_ptr_equal(event->data, draft.value);
    assert_int_equal(event->len, strlen(draft.value));
    cloudevent_free(event);
}

static void a_structured_event_is_read_from_its_value(void **state)
{
    static const char *const types[] = {"content-type: application/cloudevents+json",
                                        "content-type: application/cloudevents+json; charset=UTF-8",
                                        "content-type: Application/CloudEvents+JSON",
                                        "content-type: application/cloudevents",
                                        "content-type: application/cloudevents;charset=utf-8"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct draft draft = {
            "{\"specversion\": \"1.0\", \"id\": \"e1\", \"source\": \"/s\", \"type\": \"t\", \"time\": null,"
            " \"subject\": \"x\", \"extension\": 5, \"datacontenttype\": \"application/json\","
            " \"data\": {\"z\": \"\\u00e9\", \"a\": [1, 2]}}",
            {types[i], "ce_id: ignored", "dsar-signature: a..b"}};
        struct fault fault;
        struct cloudevent *event;
        assert_int_equal(decode(&event, &draft, &plain, &fault), 0);
        assert_string_equal(event->id, "e1");
        assert_string_equal(event->signature, "a..b");
        assert_null(event->traceparent);
        assert_string_equal(event->data, "{\"z\":\"é\",\"a\":[1,2]}");
        assert_int_equal(event->len, strlen(event->data));
        cloudevent_free(event);
    }
}

static void base64_data_is_decoded(void **state)
{
    static const struct {
        const char *text, *data; /* NULL: refused */
    } cases[] = {
        {"e30=", "{}"},       {"eyJhIjoxfQ==", "{\"a\":1}"},
        {"W10K", "[]\n"},     {"e30", NULL},
        {"", NULL},           {"e3=0", NULL},
        {"e30==", NULL},      {"=e30", NULL},
        {"e===", NULL},       {" e30=", NULL},
        {"    e30=", NULL},   {"e30=\\n", NULL},
        {"e30=\\n   ", NULL}, {"____", NULL},
        {"e30=e30=", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char value[256];
        struct fault fault;
        struct cloudevent *event;
        struct draft draft = {value, {"content-type: application/cloudevents+json"}};
        snprintf(
            value, sizeof value,
            "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\",\"data_base64\":\"%s\"}",
            cases[i].text);
        if (decode(&event, &draft, &plain, &fault)) {
            if (cases[i].data)
                fail_msg("refused: %s", cases[i].text);
            assert_string_equal(fault.code, "bad_event");
            continue;
        }
        if (!cases[i].data)
            fail_msg("accepted: %s", cases[i].text);
        assert_string_equal(event->data, cases[i].data);
        assert_int_equal(event->len, strlen(cases[i].data));
        cloudevent_free(event);
    }
}

static void an_event_that_is_not_one_is_refused(void **state)
{
#define STRUCTURED "content-type: application/cloudevents+json"
#define REST       "\"id\":\"e\",\"source\":\"s\",\"type\":\"t\",\"data\":{}}"
    static const struct {
        struct draft draft;
        const char *code;
    } cases[] = {
        {{NULL, {BINARY}}, "tombstone"},
        {{"{}", {0}}, "bad_event"},
        {{"{}", {"ce_id: e", "ce_source: s", "ce_type: t"}}, "bad_event"},
        {{"{}", {"ce_specversion: 0.3", "ce_id: e", "ce_source: s", "ce_type: t"}}, "bad_event"},
        {{"{}", {"ce_specversion: 1.0", "ce_source: s", "ce_type: t"}}, "bad_event"},
        {{"{}", {"ce_specversion: 1.0", "ce_id: e", "ce_type: t"}}, "bad_event"},
        {{"{}", {"ce_specversion: 1.0", "ce_id: e", "ce_source: s"}}, "bad_event"},
        {{"{}", {"ce_specversion: 1.0", "ce_id: ", "ce_source: s", "ce_type: t"}}, "bad_event"},
        {{"{}", {"ce_specversion: 1.0", "ce_id", "ce_source: s", "ce_type: t"}}, "bad_event"},
        {{"{}", {"ce_specversion: 1.0", "ce_id: a b", "ce_source: s", "ce_type: t"}}, "bad_event"},
        {{"{}", {"ce_specversion: 1.0", "ce_id: e", "ce_source: s\n", "ce_type: t"}}, "bad_event"},
        {{"{}", {"ce_specversion: 1.0", "ce_id: e", "ce_source: s", "ce_type: \xc3\xa9"}}, "bad_event"},
        {{"{}", {"ce_specversion: 1.0", "ce_id: e", "ce_source: \xff\xfe", "ce_type: t"}}, "bad_event"},
        /* doubled, also where both say the same, and also where it is not known */
        {{"{}", {BINARY, "ce_id: e1"}}, "bad_event"},
        {{"{}", {BINARY, "ce_type: org.dsard.cancel.v1"}}, "bad_event"},
        {{"{}", {BINARY, "ce_x: 1", "ce_x: 2"}}, "bad_event"},
        {{"{}", {BINARY, "content-type: application/json", STRUCTURED}}, "bad_event"},
        {{"{}", {BINARY, "dsar-signature: a..b", "dsar-signature: a..b"}}, "bad_event"},
        {{"{}", {BINARY, "traceparent: " TRACE_A, "traceparent: " TRACE_B}}, "bad_event"},
        {{"{}", {BINARY, "dsar-signature"}}, "bad_event"},
        {{"{}", {BINARY, "ce_time: yesterday"}}, "bad_event"},
        {{"{}", {BINARY, "content-type: text/plain"}}, "bad_event"},
        {{"{}", {BINARY, "content-type: application/avro"}}, "bad_event"},
        {{"{}", {BINARY, "ce_datacontenttype: text/xml"}}, "bad_event"},
        {{"{}", {"content-type: application/cloudevents-batch+json"}}, "bad_event"},
        {{"{}", {"content-type: application/cloudevents+avro"}}, "bad_event"},
        {{"{}", {"content-type: application/cloudeventsx"}}, "bad_event"},
        {{"", {STRUCTURED}}, "bad_event"},
        {{"[]", {STRUCTURED}}, "bad_event"},
        {{"{\"specversion\":\"1.0\",", {STRUCTURED}}, "bad_event"},
        {{"{" REST, {STRUCTURED}}, "bad_event"},
        {{"{\"specversion\":1.0," REST, {STRUCTURED}}, "bad_event"},
        {{"{\"specversion\":\"1.0\",\"id\":\"e\"," REST, {STRUCTURED}}, "bad_event"},
        {{"{\"specversion\":\"1.0\",\"data_base64\":\"e30=\"," REST, {STRUCTURED}}, "bad_event"},
        {{"{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\"}", {STRUCTURED}},
         "bad_event"},
        {{"{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\",\"data_base64\":5}",
          {STRUCTURED}},
         "bad_event"},
        {{"{\"specversion\":\"1.0\",\"id\":7,\"source\":\"s\",\"type\":\"t\",\"data\":{}}", {STRUCTURED}},
         "bad_event"},
        {{"{\"specversion\":\"1.0\",\"datacontenttype\":\"text/plain\"," REST, {STRUCTURED}}, "bad_event"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault fault;
        struct cloudevent *event;
        if (decode(&event, &cases[i].draft, &plain, &fault) == 0)
            fail_msg("case %zu was accepted", i);
        assert_string_equal(fault.code, cases[i].code);
        assert_false(fault.retryable);
        assert_null(event);
    }
}

static void the_trace_header_wins_and_a_bad_one_is_dropped(void **state)
{
    static const struct {
        const char *header, *attribute, *chosen;
    } cases[] = {
        {"traceparent: " TRACE_A, "ce_traceparent: " TRACE_B, TRACE_A},
        {"traceparent: x", "ce_traceparent: " TRACE_B, TRACE_B},
        {"unrelated: 1", "ce_traceparent: " TRACE_B, TRACE_B},
        {"traceparent: x", "ce_traceparent: x", NULL},
        {"traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01", "u: ", NULL},
        {"traceparent: 00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "u: ", NULL},
        {"traceparent: 00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "u: ", NULL},
        {"traceparent: ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "u: ", NULL},
        {"traceparent: " TRACE_A "-00", "u: ", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct draft draft = {"{}", {BINARY, cases[i].header, cases[i].attribute}};
        struct fault fault;
        struct cloudevent *event;
        assert_int_equal(decode(&event, &draft, &plain, &fault), 0);
        if (cases[i].chosen)
            assert_string_equal(event->traceparent, cases[i].chosen);
        else
            assert_null(event->traceparent);
        cloudevent_free(event);
    }
}

static void confluent_framing_is_taken_off(void **state)
{
    static const char value[] = "\0\0\0\1\2{}";
    const struct message_header headers[] = {
        {"ce_specversion", "1.0", 3}, {"ce_id", "e", 1}, {"ce_source", "s", 1}, {"ce_type", "t", 1}};
    struct message message = {value, sizeof value - 1, headers, 4};
    struct fault fault;
    struct cloudevent *event;
    assert_int_equal(cloudevent_decode(&event, &message, &framed, &fault), 0);
    assert_memory_equal(event->data, "{}", 2);
    assert_int_equal(event->len, 2);
    cloudevent_free(event);
    message.len = 4;
    assert_int_equal(cloudevent_decode(&event, &message, &framed, &fault), -1);
    assert_string_equal(fault.code, "bad_framing");
    message.value = "{\"a\":1}";
    message.len = 7;
    assert_int_equal(cloudevent_decode(&event, &message, &framed, &fault), -1);
    assert_string_equal(fault.code, "bad_framing");
}

static void sizes_have_limits(void **state)
{
    static char text[JWS_MAX + 2];
    static const char *const names[] = {"ce_id", "dsar-signature"};
    static const size_t limits[] = {CLOUDEVENT_ATTRIBUTE_MAX, JWS_MAX};
    struct fault fault;
    struct cloudevent *event;
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < 2; i++)
        for (size_t over = 0; over <= 1; over++) {
            const struct message_header headers[] = {{"ce_specversion", "1.0", 3},
                                                     {"ce_source", "s", 1},
                                                     {"ce_type", "t", 1},
                                                     {i == 0 ? "unrelated" : "ce_id", "e", 1},
                                                     {names[i], text, limits[i] + over}};
            struct message message = {"{}", 2, headers, 5};
            assert_int_equal(cloudevent_decode(&event, &message, &plain, &fault), over ? -1 : 0);
            if (over)
                assert_string_equal(fault.code, "bad_event");
            cloudevent_free(event);
        }
    char value[CLOUDEVENT_ATTRIBUTE_MAX + 128];
    for (int over = 0; over <= 1; over++) {
        const struct draft draft = {value, {"content-type: application/cloudevents+json"}};
        snprintf(value, sizeof value,
                 "{\"specversion\":\"1.0\",\"id\":\"%0*d\",\"source\":\"s\",\"type\":\"t\",\"data\":1}",
                 CLOUDEVENT_ATTRIBUTE_MAX + over, 0);
        assert_int_equal(decode(&event, &draft, &plain, &fault), over ? -1 : 0);
        cloudevent_free(event);
    }
    const struct cloudevent_options small = {.max_bytes = 1};
    const struct message message = {"{}", 2, NULL, 0};
    assert_int_equal(cloudevent_decode(&event, &message, &small, &fault), -1);
    assert_string_equal(fault.code, "too_large");
}

static void a_message_has_at_most_64_headers(void **state)
{
    static char names[CLOUDEVENT_HEADERS_MAX + 1][8];
    struct message_header headers[CLOUDEVENT_HEADERS_MAX + 1] = {
        {"ce_specversion", "1.0", 3}, {"ce_id", "e", 1}, {"ce_source", "s", 1}, {"ce_type", "t", 1}};
    for (size_t i = 4; i <= CLOUDEVENT_HEADERS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "h%zu", i);
        headers[i] = (struct message_header){names[i], "", 0};
    }
    struct message message = {"{}", 2, headers, CLOUDEVENT_HEADERS_MAX};
    struct fault fault;
    struct cloudevent *event;
    assert_int_equal(cloudevent_decode(&event, &message, &plain, &fault), 0);
    cloudevent_free(event);
    message.n_headers++;
    assert_int_equal(cloudevent_decode(&event, &message, &plain, &fault), -1);
    assert_string_equal(fault.code, "bad_event");
}

static void a_header_with_a_nul_is_refused(void **state)
{
    const struct message_header headers[] = {
        {"ce_specversion", "1.0", 3}, {"ce_id", "e", 1}, {"ce_source", "s\0t", 3}, {"ce_type", "t", 1}};
    const struct message message = {"{}", 2, headers, 4};
    struct fault fault;
    struct cloudevent *event;
    assert_int_equal(cloudevent_decode(&event, &message, &plain, &fault), -1);
    assert_string_equal(fault.code, "bad_event");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_binary_event_is_read_from_its_headers),
        cmocka_unit_test(a_structured_event_is_read_from_its_value),
        cmocka_unit_test(base64_data_is_decoded),
        cmocka_unit_test(an_event_that_is_not_one_is_refused),
        cmocka_unit_test(the_trace_header_wins_and_a_bad_one_is_dropped),
        cmocka_unit_test(confluent_framing_is_taken_off),
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(a_message_has_at_most_64_headers),
        cmocka_unit_test(a_header_with_a_nul_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
