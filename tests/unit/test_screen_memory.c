#include "test_screen.h"

#include "screen/arena.h"

#include <stdio.h>

#define CANARY "canary-7f3a"

/* Without a sanitizer, which has an allocator of its own, this program counts, fails and looks through what
 * is freed. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WATCHED true

#include <errno.h>
#include <malloc.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *data, size_t size);
void __libc_free(void *data);

static bool watching;
static long until_failure = -1;
static size_t n_allocations, n_unwiped;

static bool fails(void)
{
    n_allocations += watching;
    if (!watching || until_failure < 0 || until_failure-- > 0)
        return false;
    errno = ENOMEM;
    return true;
}

static void look_through(const void *data)
{
    if (watching && data && memmem(data, malloc_usable_size((void *)(uintptr_t)data), CANARY, strlen(CANARY)))
        n_unwiped++;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *data, size_t size)
{
    look_through(data);
    return fails() ? NULL : __libc_realloc(data, size);
}

void *reallocarray(void *data, size_t n, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(n, size, &bytes) ? NULL : realloc(data, bytes);
}

void free(void *data)
{
    look_through(data);
    __libc_free(data);
}
#else
#define WATCHED false

static bool watching;
static long until_failure = -1;
static size_t n_allocations, n_unwiped;
#endif

static const char records[] = "{\"a\":\"" CANARY "\",\"b\":\"\\n" CANARY "\",\"" CANARY "\\n\":1}\n"
                              "{\"a\":{\"b\":[\"\\u0041" CANARY " bob@example.org 4111111111111111\"]}}\n"
                              "{\"" CANARY "\":\"" CANARY "\\n";

static void one_piece_of_memory_serves_a_call_and_is_wiped(void **state)
{
    struct rig rig;
    struct fault fault;
    char out[3 * sizeof records];
    size_t out_len;
    if (!WATCHED)
        skip();
    rig_make(&rig, NULL);
    n_allocations = n_unwiped = 0;
    watching = true;
    int whole =
        screen_records(rig.screen, records, strlen(records) - strlen("{\"" CANARY "\":\"" CANARY "\\n"), out,
                       sizeof out, &out_len, &fault);
    int cut = screen_records(rig.screen, records, strlen(records), out, sizeof out, &out_len, &fault);
    watching = false;
    assert_int_equal(whole, 0);
    assert_int_equal(cut, -1);
    assert_int_equal(n_allocations, 2);
    assert_int_equal(n_unwiped, 0);
    rig_free(&rig);
}

static void own_addresses_are_wiped(void **state)
{
    static const char *const list[] = {CANARY "@example.test"};
    struct own_addresses *own;
    struct fault fault;
    if (!WATCHED)
        skip();
    assert_int_equal(own_addresses_new(&own, list, 1, &fault), 0);
    watching = true;
    own_addresses_free(own);
    watching = false;
    assert_int_equal(n_unwiped, 0);
}

/* Makes all that the screen consists of and uses it. */
static int use_all(const json_t *fields, struct fault *fault)
{
    static const char *const list[] = {OWN};
    struct rig rig = {0};
    struct ledger *ledger = NULL;
    char out[300];
    size_t out_len;
    int result = -1;
    if (classes_new(&rig.classes, fields, fault) || own_addresses_new(&rig.own, list, 1, fault))
        goto done;
    const struct screen_options options = {.classes = rig.classes, .own = rig.own};
    if (screen_new(&rig.screen, &options, fault) ||
        screen_records(rig.screen, "{\"a\":1,\"s\":2}", 13, out, sizeof out, &out_len, fault))
        goto done;
    ledger = ledger_new();
    if (!ledger) {
        fault_set(fault, "no_memory", "no memory");
        goto done;
    }
    result = screen_tally(rig.screen, ledger, "c", fault);
done:
    ledger_free(ledger);
    rig_free(&rig);
    return result;
}

static void every_allocation_may_fail(void **state)
{
    struct fault fault;
    long n = 0;
    int result;
    if (!WATCHED)
        skip();
    json_t *fields = json_loads("{\"/s\":\"secret\",\"/a/*/b\":\"own\",\"/*/c\":\"card\"}", 0, NULL);
    do {
        until_failure = n++;
        fault_set(&fault, "", "nothing");
        watching = true;
        result = use_all(fields, &fault);
        watching = false;
        if (result)
            assert_string_equal(fault.code, "no_memory");
    } while (result && n < 1000);
    assert_true(n > 10 && n < 1000);
    until_failure = -1;
    json_decref(fields);
}

/* yajl keeps the longest string without its escapes, and at the end of a cut record the raw one: both grow to
 * every size. */
static void the_parser_never_runs_out(void **state)
{
    char *data = malloc(200000);
    assert_non_null(data);
    for (size_t size = 1; size < 90000; size += size / 7 + 1) {
        struct rig rig;
        struct fault fault;
        size_t len = 0;
        rig_make(&rig, NULL);
        for (int record = 0; record < 2; record++) {
            memcpy(data + len, "{\"a\":\"\\n", 8);
            memset(data + len + 8, 'x', size);
            len += 8 + size;
            if (record == 0) {
                memcpy(data + len, "\"}\n", 3);
                len += 3;
            }
        }
        assert_null(rig_screen(&rig, data, len, &fault));
        assert_string_equal(fault.text, "record 2: not JSON");
        rig_free(&rig);
    }
    free(data);
}

static void an_arena_keeps_to_its_size(void **state)
{
    _Alignas(max_align_t) char data[256];
    struct arena arena = {.data = data, .cap = sizeof data};
    yajl_alloc_funcs funcs = arena_funcs(&arena);
    memset(data, 0, sizeof data);
    char *piece = funcs.malloc(funcs.ctx, 5);
    memcpy(piece, "12345", 5);
    assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
    char *more = funcs.realloc(funcs.ctx, piece, 40);
    assert_memory_equal(more, "12345", 5);
    funcs.free(funcs.ctx, more);
    assert_null(funcs.malloc(funcs.ctx, 200));
    assert_null(funcs.malloc(funcs.ctx, SIZE_MAX));
    assert_null(funcs.realloc(funcs.ctx, more, SIZE_MAX - 20));
    assert_non_null(funcs.realloc(funcs.ctx, NULL, 100));
    arena_wipe(&arena);
    for (size_t i = 0; i < sizeof data; i++)
        assert_int_equal(data[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_piece_of_memory_serves_a_call_and_is_wiped),
        cmocka_unit_test(own_addresses_are_wiped),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(the_parser_never_runs_out),
        cmocka_unit_test(an_arena_keeps_to_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
