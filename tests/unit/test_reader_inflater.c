#include "bundle/deflater.h"
#include "bundle/inflater.h"
#include "test_bundle.h"

enum { PLAIN_BYTES = 3000, PIECE_BYTES = 1000 };

/* A stream of pieces with its end, and one byte of room behind it. */
static size_t make_stream(const char *plain, unsigned char *stream)
{
    struct deflater *deflater;
    struct fault fault;
    size_t len = 0;
    assert_int_equal(deflater_new(&deflater, &fault), 0);
    for (size_t at = 0; at < PLAIN_BYTES; at += PIECE_BYTES) {
        size_t piece = deflate_piece(deflater, plain + at, PIECE_BYTES, stream + len, &fault);
        assert_in_range(piece, 1, deflate_bound(PIECE_BYTES));
        len += piece;
    }
    deflater_free(deflater);
    memcpy(stream + len, deflate_end, sizeof deflate_end);
    return len + sizeof deflate_end;
}

/* Feeds the stream `step` bytes at a time; 0 when it was a whole one of `bytes` plain bytes. */
static int inflate_by(const unsigned char *stream, size_t len, size_t step, uint64_t bytes, struct buf *plain)
{
    const struct inflater_options options = {.bytes = bytes, .write_cb = test_collect, .ctx = plain};
    struct inflater *inflater;
    struct fault fault = {.code = ""};
    int result = 0;
    assert_int_equal(inflater_new(&inflater, &options, &fault), 0);
    for (size_t at = 0; at < len && result == 0; at += step)
        result = inflater_feed(inflater, stream + at, step < len - at ? step : len - at, &fault);
    if (result == 0)
        result = inflater_finish(inflater, &fault);
    if (result)
        assert_string_equal(fault.code, "bad_archive");
    inflater_free(inflater);
    return result;
}

struct sample {
    char *plain;
    unsigned char stream[3 * PLAIN_BYTES];
    size_t len;
};

static int make_sample(void **state)
{
    static struct sample sample;
    sample.plain = test_text(PLAIN_BYTES, 1);
    sample.len = make_stream(sample.plain, sample.stream);
    *state = &sample;
    return 0;
}

static int free_sample(void **state)
{
    struct sample *sample = *state;
    free(sample->plain);
    return 0;
}

static void a_stream_is_read_however_it_is_cut(void **state)
{
    const struct sample *sample = *state;
    for (size_t step = 1; step <= sample->len; step = step * 2 + 1) {
        struct buf plain;
        buf_init(&plain, PLAIN_BYTES);
        assert_int_equal(inflate_by(sample->stream, sample->len, step, PLAIN_BYTES, &plain), 0);
        assert_int_equal(plain.len, PLAIN_BYTES);
        assert_memory_equal(plain.data, sample->plain, PLAIN_BYTES);
        buf_wipe(&plain);
    }
}

static void a_stream_without_its_end_is_refused(void **state)
{
    const struct sample *sample = *state;
    for (size_t len = 0; len < sample->len; len++) {
        struct buf plain;
        buf_init(&plain, PLAIN_BYTES);
        assert_int_equal(inflate_by(sample->stream, len, 100, PLAIN_BYTES, &plain), -1);
        buf_wipe(&plain);
    }
}

static void bytes_behind_the_end_are_refused(void **state)
{
    struct sample *sample = *state;
    for (size_t extra = 1; extra <= 20; extra++)
        for (size_t step = 1; step <= sample->len + extra; step = step * 3 + 1) {
            struct buf plain;
            buf_init(&plain, PLAIN_BYTES);
            memset(sample->stream + sample->len, 0, extra);
            assert_int_equal(inflate_by(sample->stream, sample->len + extra, step, PLAIN_BYTES, &plain), -1);
            buf_wipe(&plain);
        }
}

static void no_more_is_given_out_than_was_claimed(void **state)
{
    const struct sample *sample = *state;
    static const uint64_t claims[] = {0, 1, 999, PLAIN_BYTES - 1, PLAIN_BYTES + 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        struct buf plain;
        buf_init(&plain, PLAIN_BYTES);
        assert_int_equal(inflate_by(sample->stream, sample->len, 64, claims[i], &plain), -1);
        assert_true(plain.len <= claims[i]);
        buf_wipe(&plain);
    }
}

static void a_small_stream_of_many_bytes_stops_at_the_claim(void **state)
{
    enum { MANY = 10 << 20 };
    char *zeros = calloc(1, MANY);
    unsigned char *stream = malloc(deflate_bound(MANY) + DEFLATE_END_BYTES);
    struct deflater *deflater;
    struct fault fault;
    struct buf plain;
    assert_non_null(zeros);
    assert_non_null(stream);
    assert_int_equal(deflater_new(&deflater, &fault), 0);
    size_t len = deflate_piece(deflater, zeros, MANY, stream, &fault);
    memcpy(stream + len, deflate_end, sizeof deflate_end);
    len += sizeof deflate_end;
    buf_init(&plain, MANY);
    assert_int_equal(inflate_by(stream, len, 65536, 100000, &plain), -1);
    assert_true(plain.len <= 100000);
    buf_clear(&plain);
    assert_int_equal(inflate_by(stream, len, 65536, MANY, &plain), 0);
    assert_memory_equal(plain.data, zeros, MANY);
    buf_wipe(&plain);
    deflater_free(deflater);
    free(stream);
    free(zeros);
}

static void noise_is_refused(void **state)
{
    for (unsigned seed = 0; seed < 300; seed++) {
        char *noise = test_noise(500, seed);
        struct buf plain;
        buf_init(&plain, PLAIN_BYTES);
        assert_int_equal(inflate_by((unsigned char *)noise, 500, 100, 1000, &plain), -1);
        assert_true(plain.len <= 1000);
        buf_wipe(&plain);
        free(noise);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_read_however_it_is_cut),
        cmocka_unit_test(a_stream_without_its_end_is_refused),
        cmocka_unit_test(bytes_behind_the_end_are_refused),
        cmocka_unit_test(no_more_is_given_out_than_was_claimed),
        cmocka_unit_test(a_small_stream_of_many_bytes_stops_at_the_claim),
        cmocka_unit_test(noise_is_refused),
    };
    return cmocka_run_group_tests(tests, make_sample, free_sample);
}
