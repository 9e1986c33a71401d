/* bench_screen [SHAPE]: how fast one thread screens records, by shape.
 *
 * Prints MB/s of input, the best of several rounds. Exit status 0, or 1 when something failed. */
#include "base/clock.h"
#include "screen/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCK_BYTES 262144
#define ROUNDS      200

struct block {
    char data[BLOCK_BYTES + 16384];
    size_t len;
};

static const char *const own_list[] = {"alice@example.test"};

static void typical(struct block *block, int i)
{
    block->len += (size_t)sprintf(
        block->data + block->len,
        "{\"id\":%d,\"uuid\":\"8f14e45f-ceea-467f-a83b-%012d\",\"created\":\"2026-11-23T08:00:%02dZ\","
        "\"updated\":\"2026-11-23T08:00:00Z\",\"status\":\"open\",\"priority\":3,\"email\":\"alice@example."
        "test\","
        "\"name\":\"Alice Example\",\"company\":\"Example Ltd\",\"address\":\"12 Long Street\","
        "\"city\":\"Springfield\",\"postcode\":\"12345\",\"country\":\"DE\",\"phone\":\"+49 30 1234567\","
        "\"currency\":\"EUR\",\"total\":%d.10,\"tax\":0.19,\"paid\":true,"
        "\"notes\":\"called about the invoice, will pay next week\",\"agent\":\"bob@staff.example.test\"}\n",
        i, i, i % 60, i);
}

static void put_long(struct block *block, const char *line)
{
    block->len += (size_t)sprintf(block->data + block->len, "{\"id\":1,\"body\":\"");
    for (int i = 0; i < 60; i++)
        block->len += (size_t)sprintf(block->data + block->len, "%s", line);
    block->len += (size_t)sprintf(block->data + block->len, "\"}\n");
}

static void long_text(struct block *block, int i)
{
    (void)i;
    put_long(
        block,
        "the quick brown fox jumps over the lazy dog and goes on for a longer line of text without end. ");
}

static void escaped_text(struct block *block, int i)
{
    (void)i;
    put_long(block,
             "On Monday 23 November 2026 at 08:00, Bob <bob@example.org> wrote to \\\"Alice\\\":\\r\\n"
             "the quick brown fox jumps over the lazy dog and goes on for a longer line of text\\r\\n");
}

static void foreign_text(struct block *block, int i)
{
    (void)i;
    put_long(block, "Быстрая лиса прыгает через ленивую собаку, und dann fällt sie müde über ihre Füße. ");
}

static void numbers(struct block *block, int i)
{
    block->len += (size_t)sprintf(block->data + block->len, "{\"id\":%d,\"samples\":[", i);
    for (int k = 0; k < 100; k++)
        block->len += (size_t)sprintf(block->data + block->len, "%d.%d,", k * 1234567, k);
    block->len += (size_t)sprintf(block->data + block->len, "0]}\n");
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

struct shape {
    const char *name;
    void (*add_record)(struct block *block, int i);
};

static const struct shape shapes[] = {
    {"typical", typical},      {"text", long_text},  {"mail", escaped_text},
    {"foreign", foreign_text}, {"numbers", numbers},
};

static int measure(struct screen *screen, const struct shape *shape, struct block *block, char *out,
                   struct fault *fault)
{
    size_t out_len = 0;
    double best = 1e9;
    block->len = 0;
    for (int i = 0; block->len < BLOCK_BYTES - 16384; i++)
        shape->add_record(block, i);
    for (int round = 0; round < ROUNDS; round++) {
        double start = seconds();
        if (screen_records(screen, block->data, block->len, out, 3 * block->len, &out_len, fault))
            return -1;
        double took = seconds() - start;
        best = took < best ? took : best;
    }
    printf("%-8s %6.0f MB/s, %zu -> %zu bytes\n", shape->name, (double)block->len / best / 1e6, block->len,
           out_len);
    return 0;
}

static int measure_all(struct screen *screen, const char *name, struct fault *fault)
{
    struct block *block = malloc(sizeof *block);
    char *out = malloc(3 * sizeof block->data);
    int result = 0;
    if (!block || !out)
        result = fault_set(fault, "no_memory", "no memory");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes && result == 0; i++)
        if (!name || strcmp(name, shapes[i].name) == 0)
            result = measure(screen, &shapes[i], block, out, fault);
    free(out);
    free(block);
    return result;
}

int main(int argc, char **argv)
{
    struct fault fault = {0};
    struct classes *classes = NULL;
    struct own_addresses *own = NULL;
    struct screen *screen = NULL;
    json_t *fields = json_pack("{s:s, s:s, s:s}", "/phone", "own", "/agent", "third_party", "/card", "card");
    int result = -1;
    if (classes_new(&classes, fields, &fault) == 0 && own_addresses_new(&own, own_list, 1, &fault) == 0 &&
        screen_new(&screen, &(struct screen_options){.classes = classes, .own = own}, &fault) == 0)
        result = measure_all(screen, argc > 1 ? argv[1] : NULL, &fault);
    if (result)
        fprintf(stderr, "bench_screen: %s\n", fault.text);
    screen_free(screen);
    own_addresses_free(own);
    classes_free(classes);
    json_decref(fields);
    return result ? 1 : 0;
}
