#include "base/clock.h"
#include "dsar/protocol.h"
#include "gather/frames.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The daemon's end and, in `play` and `hear`, the connector's. */
struct stage {
    struct child child;
    struct frames frames;
    struct cancel *cancel;
    int play;
    int hear;
};

static int set_up(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct fault fault;
    int out[2], in[2];
    signal(SIGPIPE, SIG_IGN);
    if (!stage || pipe2(out, O_CLOEXEC) || pipe2(in, O_CLOEXEC) || fcntl(out[0], F_SETFL, O_NONBLOCK) ||
        fcntl(in[1], F_SETFL, O_NONBLOCK) || cancel_new(&stage->cancel, &fault))
        return -1;
    stage->child = (struct child){.in = in[1], .out = out[0], .log = -1};
    stage->play = out[1];
    stage->hear = in[0];
    stage->frames = (struct frames){.child = &stage->child,
                                    .cancel = stage->cancel,
                                    .source = "shop",
                                    .deadline_ms = clock_now_ms() + 10000,
                                    .keep_alive_ms = 10000};
    frames_init(&stage->frames);
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    frames_wipe(&stage->frames);
    close(stage->child.in);
    close(stage->child.out);
    if (stage->play >= 0)
        close(stage->play);
    if (stage->hear >= 0)
        close(stage->hear);
    cancel_free(stage->cancel);
    free(stage);
    return 0;
}

static void play(const struct stage *stage, const void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = write(stage->play, (const char *)data + at, len - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
}

static void play_text(const struct stage *stage, const char *text)
{
    play(stage, text, strlen(text));
}

static void leave(struct stage *stage)
{
    close(stage->play);
    stage->play = -1;
}

static void expect_message(struct stage *stage, const char *type)
{
    struct fault fault;
    json_t *message;
    const char *found;
    assert_int_equal(frames_read(&stage->frames, &message, &found, &fault), 0);
    assert_string_equal(found, type);
    json_decref(message);
}

static void expect_fault(struct stage *stage, const char *code)
{
    struct fault fault;
    json_t *message;
    const char *type;
    assert_int_equal(frames_read(&stage->frames, &message, &type, &fault), -1);
    assert_string_equal(fault.code, code);
}

static void messages_and_payloads_come_as_they_were_sent(void **state)
{
    struct stage *stage = *state;
    play_text(stage, "{\"type\":\"a\"}\n{\"type\":\"b\",\"bytes\":5}\nx\ny\nz{\"type\":\"c\",\"bytes\":0}\n"
                     "{\"type\":\"d\"}\n");
    expect_message(stage, "a");
    expect_message(stage, "b");
    assert_int_equal(stage->frames.payload.len, 5);
    assert_string_equal(stage->frames.payload.data, "x\ny\nz");
    expect_message(stage, "c");
    assert_int_equal(stage->frames.payload.len, 0);
    expect_message(stage, "d");
}

static void an_empty_payload_may_come_first(void **state)
{
    play_text(*state, "{\"type\":\"c\",\"bytes\":0}\n");
    expect_message(*state, "c");
}

static void *play_bytewise(void *arg)
{
    static const char text[] = "{\"type\":\"a\",\"bytes\":3}\nxyz{\"type\":\"b\"}\n";
    for (const char *at = text; *at; at++)
        play(arg, at, 1);
    return NULL;
}

static void messages_may_arrive_byte_by_byte(void **state)
{
    struct stage *stage = *state;
    pthread_t player;
    assert_int_equal(pthread_create(&player, NULL, play_bytewise, stage), 0);
    expect_message(stage, "a");
    assert_string_equal(stage->frames.payload.data, "xyz");
    expect_message(stage, "b");
    pthread_join(player, NULL);
}

/* A line of `len` bytes, its newline included. */
struct long_line {
    const struct stage *stage;
    size_t len;
};

static void *play_line(void *arg)
{
    static const char head[] = "{\"type\":\"a\",\"x\":\"", tail[] = "\"}\n";
    const struct long_line *line = arg;
    char *text = malloc(line->len);
    if (!text)
        return NULL;
    memset(text, 'x', line->len);
    memcpy(text, head, sizeof head - 1);
    memcpy(text + line->len - (sizeof tail - 1), tail, sizeof tail - 1);
    for (size_t at = 0; at < line->len;) {
        ssize_t n = write(line->stage->play, text + at, line->len - at);
        if (n <= 0)
            break; /* nobody reads on once the line is too long */
        at += (size_t)n;
    }
    free(text);
    return NULL;
}

static void the_longest_line_is_read(void **state)
{
    struct stage *stage = *state;
    struct long_line line = {stage, DSAR_LINE_MAX};
    pthread_t player;
    assert_int_equal(pthread_create(&player, NULL, play_line, &line), 0);
    expect_message(stage, "a");
    pthread_join(player, NULL);
}

static void a_line_that_is_one_byte_longer_is_refused(void **state)
{
    struct stage *stage = *state;
    struct long_line line = {stage, DSAR_LINE_MAX + 1};
    pthread_t player;
    assert_int_equal(pthread_create(&player, NULL, play_line, &line), 0);
    expect_fault(stage, "source_protocol");
    close(stage->child.out);
    stage->child.out = -1;
    pthread_join(player, NULL);
}

static void the_largest_payload_is_read(void **state)
{
    struct stage *stage = *state;
    struct long_line line = {stage, DSAR_PAYLOAD_MAX};
    pthread_t player;
    char head[64];
    snprintf(head, sizeof head, "{\"type\":\"a\",\"bytes\":%d}\n", DSAR_PAYLOAD_MAX);
    play_text(stage, head);
    assert_int_equal(pthread_create(&player, NULL, play_line, &line), 0);
    expect_message(stage, "a");
    pthread_join(player, NULL);
    assert_int_equal(stage->frames.payload.len, DSAR_PAYLOAD_MAX);
    assert_int_equal(stage->frames.payload.data[DSAR_PAYLOAD_MAX - 1], '\n');
}

static void a_payload_is_announced_as_a_small_whole_number(void **state)
{
    static const char *const bad[] = {"262145", "-1", "1.5", "\"5\"", "null", "99999999999999999999", "true"};
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char line[80];
        snprintf(line, sizeof line, "{\"type\":\"a\",\"bytes\":%s}\n", bad[i]);
        play_text(stage, line);
        expect_fault(stage, "source_protocol");
    }
}

static void what_is_no_message_is_refused(void **state)
{
    static const char *const bad[] = {"\n",
                                      "garbage\n",
                                      "[]\n",
                                      "{}\n",
                                      "{\"type\":1}\n",
                                      "{\"type\":\"a\"}x\n",
                                      "{\"type\":\"a\",\"type\":\"b\"}\n",
                                      "{\"type\":\"\xff\"}\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        play_text(*state, bad[i]);
        expect_fault(*state, "source_protocol");
    }
}

static void a_connector_that_leaves_is_noticed(void **state)
{
    leave(*state);
    expect_fault(*state, "source_crashed");
}

static void a_line_that_breaks_off_is_no_message(void **state)
{
    play_text(*state, "{\"type\":\"a\"}");
    leave(*state);
    expect_fault(*state, "source_crashed");
}

static void a_cut_payload_is_noticed(void **state)
{
    play_text(*state, "{\"type\":\"a\",\"bytes\":1000}\n0123456789");
    leave(*state);
    expect_fault(*state, "source_crashed");
}

static void silence_ends_the_wait(void **state)
{
    struct stage *stage = *state;
    stage->frames.keep_alive_ms = 50;
    play_text(stage, "{\"type\":");
    int64_t before_ms = clock_now_ms();
    expect_fault(stage, "source_silent");
    assert_in_range(clock_now_ms() - before_ms, 40, 2000);
}

/* Plays `head`, then one byte every few milliseconds, until nobody listens any more. */
struct dribble {
    const struct stage *stage;
    const char *head;
};

static void *play_dribble(void *arg)
{
    const struct dribble *dribble = arg;
    play_text(dribble->stage, dribble->head);
    while (write(dribble->stage->play, "x", 1) == 1)
        usleep(5000);
    return NULL;
}

/* What ends a connector that dribbles `head` and then single bytes. */
static void expect_dribble_fault(struct stage *stage, const char *head, const char *code)
{
    struct dribble dribble = {stage, head};
    pthread_t player;
    assert_int_equal(pthread_create(&player, NULL, play_dribble, &dribble), 0);
    int64_t before_ms = clock_now_ms();
    expect_fault(stage, code);
    assert_in_range(clock_now_ms() - before_ms, 90, 5000);
    close(stage->child.out);
    stage->child.out = -1;
    pthread_join(player, NULL);
}

static void half_a_line_is_no_sign_of_life(void **state)
{
    struct stage *stage = *state;
    stage->frames.keep_alive_ms = 100;
    expect_dribble_fault(stage, "{\"type\":\"", "source_silent");
}

static void half_a_payload_is_no_sign_of_life(void **state)
{
    struct stage *stage = *state;
    stage->frames.keep_alive_ms = 100;
    expect_dribble_fault(stage, "{\"type\":\"record\",\"bytes\":200000}\n", "source_silent");
}

static void the_deadline_ends_a_message_that_never_ends(void **state)
{
    struct stage *stage = *state;
    stage->frames.deadline_ms = clock_now_ms() + 100;
    expect_dribble_fault(stage, "{\"type\":\"record\",\"bytes\":200000}\n", "source_timeout");
}

static void *play_slowly(void *arg)
{
    for (int i = 0; i < 4; i++) {
        usleep(350000);
        play_text(arg, "{\"type\":\"progress\"}\n");
    }
    return NULL;
}

static void whole_messages_are_signs_of_life(void **state)
{
    struct stage *stage = *state;
    pthread_t player;
    stage->frames.keep_alive_ms = 1000;
    assert_int_equal(pthread_create(&player, NULL, play_slowly, stage), 0);
    for (int i = 0; i < 4; i++)
        expect_message(stage, "progress");
    pthread_join(player, NULL);
}

static void the_deadline_ends_the_wait(void **state)
{
    struct stage *stage = *state;
    stage->frames.deadline_ms = clock_now_ms() + 50;
    expect_fault(stage, "source_timeout");
}

/* A connector that never pauses never makes the daemon wait: there is always something to read. */
static void the_deadline_ends_an_endless_stream(void **state)
{
    struct stage *stage = *state;
    play_text(stage, "{\"type\":\"a\"}\n");
    stage->frames.deadline_ms = clock_now_ms();
    expect_fault(stage, "source_timeout");
}

static void cancelling_ends_an_endless_stream(void **state)
{
    struct stage *stage = *state;
    play_text(stage, "{\"type\":\"a\"}\n");
    cancel_raise(stage->cancel);
    expect_fault(stage, "cancelled");
}

static void *cancel_soon(void *arg)
{
    usleep(50000);
    cancel_raise(arg);
    return NULL;
}

static void cancelling_ends_the_wait(void **state)
{
    struct stage *stage = *state;
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, cancel_soon, stage->cancel), 0);
    int64_t before_ms = clock_now_ms();
    expect_fault(stage, "cancelled");
    assert_in_range(clock_now_ms() - before_ms, 0, 2000);
    pthread_join(other, NULL);
}

static void a_written_message_is_one_line(void **state)
{
    struct stage *stage = *state;
    struct fault fault;
    char text[64];
    json_t *message = json_pack("{s:s,s:s}", "type", "fetch", "x", "a\nb");
    assert_int_equal(frames_write(&stage->frames, message, &fault), 0);
    ssize_t n = read(stage->hear, text, sizeof text - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text, "{\"type\":\"fetch\",\"x\":\"a\\nb\"}\n");
    json_decref(message);
}

static void a_connector_that_does_not_read_is_not_waited_for(void **state)
{
    struct stage *stage = *state;
    struct fault fault;
    char *long_text = malloc(1 << 20);
    assert_non_null(long_text);
    memset(long_text, 'x', (1 << 20) - 1);
    long_text[(1 << 20) - 1] = '\0';
    json_t *message = json_pack("{s:s}", "x", long_text);
    stage->frames.keep_alive_ms = 50;
    assert_int_equal(frames_write(&stage->frames, message, &fault), -1);
    assert_string_equal(fault.code, "source_silent");
    close(stage->hear);
    stage->hear = -1;
    assert_int_equal(frames_write(&stage->frames, message, &fault), -1);
    assert_string_equal(fault.code, "source_crashed");
    json_decref(message);
    free(long_text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(messages_and_payloads_come_as_they_were_sent),
        TEST(an_empty_payload_may_come_first),
        TEST(messages_may_arrive_byte_by_byte),
        TEST(the_longest_line_is_read),
        TEST(a_line_that_is_one_byte_longer_is_refused),
        TEST(the_largest_payload_is_read),
        TEST(a_payload_is_announced_as_a_small_whole_number),
        TEST(what_is_no_message_is_refused),
        TEST(a_connector_that_leaves_is_noticed),
        TEST(a_line_that_breaks_off_is_no_message),
        TEST(a_cut_payload_is_noticed),
        TEST(silence_ends_the_wait),
        TEST(half_a_line_is_no_sign_of_life),
        TEST(half_a_payload_is_no_sign_of_life),
        TEST(the_deadline_ends_a_message_that_never_ends),
        TEST(whole_messages_are_signs_of_life),
        TEST(the_deadline_ends_the_wait),
        TEST(the_deadline_ends_an_endless_stream),
        TEST(cancelling_ends_an_endless_stream),
        TEST(cancelling_ends_the_wait),
        TEST(a_written_message_is_one_line),
        TEST(a_connector_that_does_not_read_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
