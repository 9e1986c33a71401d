#include "gather/files.h"

#include "test_bundle.h"

struct stage {
    struct seal_pool *pool;
    struct bundle *bundle;
    struct files files;
    struct fault fault;
};

static int set_up(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    if (!stage)
        return -1;
    stage->pool = test_pool(2, 8);
    stage->bundle = test_bundle(stage->pool);
    files_init(&stage->files, "shop", test_section(stage->bundle));
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    files_wipe(&stage->files);
    bundle_free(stage->bundle);
    seal_pool_free(stage->pool);
    free(stage);
    return 0;
}

/* One piece of file `id`; the first one when it has a name. */
static int piece(struct stage *stage, const char *collection, const char *id, const char *name,
                 const char *data, bool more)
{
    struct buf payload;
    struct fault fault;
    bool finished = false;
    json_t *message = json_pack("{s:s,s:i,s:b,s:s*,s:s*}", "file", id, "bytes", (int)strlen(data), "more",
                                more, "name", name, "media_type", name ? "text/plain" : NULL);
    buf_init(&payload, 65536);
    assert_int_equal(buf_append_text(&payload, data, &fault), 0);
    int result = files_piece(&stage->files, collection, message, &payload, &finished, &stage->fault);
    if (result == 0)
        assert_int_equal(finished, !more);
    buf_wipe(&payload);
    json_decref(message);
    return result;
}

static void whole(struct stage *stage, const char *collection, const char *id, const char *name,
                  const char *data)
{
    assert_int_equal(piece(stage, collection, id, name, data, false), 0);
    assert_int_equal(files_last_bytes(&stage->files), strlen(data));
}

static struct reader *archive(struct stage *stage, struct buf *bytes)
{
    struct archive_info info;
    struct reader *reader;
    test_archive(stage->bundle, bytes, &info);
    assert_int_equal(test_reader(&reader, bytes, TEST_PASSPHRASE, &stage->fault), 0);
    return reader;
}

static json_t *read_index(struct reader *reader)
{
    struct fault fault;
    struct buf text;
    buf_init(&text, 65536);
    assert_int_equal(
        reader_extract(reader, test_find(reader, "shop/files.json"), test_collect, &text, &fault), 0);
    json_t *index = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(index);
    buf_wipe(&text);
    return index;
}

static void files_have_neutral_names_and_an_index(void **state)
{
    struct stage *stage = *state;
    char *name;
    struct buf bytes;
    assert_int_equal(piece(stage, "mails", "9", "Alice's \"diary\".TXT", "one ", true), 0);
    assert_int_equal(piece(stage, "mails", "9", NULL, "two", false), 0);
    assert_int_equal(files_last_bytes(&stage->files), 7);
    whole(stage, "mails", "10", "../../etc/passwd", "x");
    whole(stage, "mails", "11", "a.tar/gz", "x");
    whole(stage, "mails", "12", "a.waytoolongforone", "x");
    whole(stage, "mails", "13", "caf\xc3\xa9.j\xc3\xa9", "");
    assert_int_equal(files_end(&stage->files, &name, &stage->fault), 0);
    assert_string_equal(name, "shop/files.json");
    free(name);
    struct reader *reader = archive(stage, &bytes);
    static const char *const expected[] = {"shop/files/0001.txt", "shop/files/0002.bin",
                                           "shop/files/0003.bin", "shop/files/0004.bin",
                                           "shop/files/0005.bin", "shop/files.json"};
    assert_int_equal(reader_n_entries(reader), 6);
    for (size_t i = 0; i < 6; i++)
        assert_true(test_find(reader, expected[i]) < 6);
    test_holds(reader, "shop/files/0001.txt", "one two", 7);
    json_t *index = read_index(reader);
    assert_int_equal(json_array_size(index), 5);
    json_t *row = json_array_get(index, 0);
    assert_string_equal(json_string_value(json_object_get(row, "name")), "Alice's \"diary\".TXT");
    assert_string_equal(json_string_value(json_object_get(row, "path")), "shop/files/0001.txt");
    assert_string_equal(json_string_value(json_object_get(row, "id")), "9");
    assert_int_equal(json_integer_value(json_object_get(row, "bytes")), 7);
    assert_true(json_is_false(json_object_get(row, "screened")));
    json_decref(index);
    reader_free(reader);
    buf_wipe(&bytes);
}

static void without_files_there_is_no_index(void **state)
{
    struct stage *stage = *state;
    char *name;
    assert_int_equal(files_end(&stage->files, &name, &stage->fault), 0);
    assert_null(name);
}

static void pieces_of_two_files_are_never_mixed(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(piece(stage, "mails", "1", "a.txt", "x", true), 0);
    assert_int_equal(piece(stage, "mails", "2", "b.txt", "x", true), -1);
    assert_string_equal(stage->fault.code, "source_protocol");
    assert_int_equal(piece(stage, "posts", "1", NULL, "x", true), -1);
    assert_int_equal(piece(stage, "mails", "1", NULL, "x", false), 0);
}

static void the_first_piece_names_the_file(void **state)
{
    struct stage *stage = *state;
    char name[1100];
    assert_int_equal(piece(stage, "mails", "1", NULL, "x", false), -1);
    assert_string_equal(stage->fault.code, "source_protocol");
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(piece(stage, "mails", "1", name, "x", false), -1);
    assert_int_equal(stage->files.n_items, 0);
}

static void a_dropped_collection_leaves_no_trace(void **state)
{
    struct stage *stage = *state;
    char *name;
    struct buf bytes;
    whole(stage, "mails", "1", "a.txt", "mine");
    whole(stage, "posts", "1", "b.txt", "theirs");
    assert_int_equal(piece(stage, "posts", "2", "c.txt", "theirs", true), 0);
    files_drop(&stage->files, "posts");
    whole(stage, "mails", "2", "d.txt", "mine too");
    assert_int_equal(files_end(&stage->files, &name, &stage->fault), 0);
    free(name);
    struct reader *reader = archive(stage, &bytes);
    assert_int_equal(reader_n_entries(reader), 3);
    test_holds(reader, "shop/files/0001.txt", "mine", 4);
    test_holds(reader, "shop/files/0004.txt", "mine too", 8);
    json_t *index = read_index(reader);
    assert_int_equal(json_array_size(index), 2);
    json_decref(index);
    reader_free(reader);
    buf_wipe(&bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(files_have_neutral_names_and_an_index), TEST(without_files_there_is_no_index),
        TEST(pieces_of_two_files_are_never_mixed),   TEST(the_first_piece_names_the_file),
        TEST(a_dropped_collection_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
