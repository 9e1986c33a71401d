/* What is swapped in the very moment between looking at it and opening it. */
#include "../../connectors/files/beneath.c"
#include "../../connectors/files/body.c"
#include "../../connectors/files/tally.c"
#include "../../connectors/files/walk.c"
#include "../../connectors/sdk/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char folder[64];
static int top = -1;

/* --- where a body goes --- */

struct tar {
    int64_t n_written;
    int64_t n_zeros;
    int grown; /* a descriptor of a file that becomes as long as GROWN_BYTES with the first zeros; 0 for none */
};

#define GROWN_BYTES 1000

int tar_write(struct tar *tar, const void *data, size_t len, struct dsar_error *error)
{
    tar->n_written += (int64_t)len;
    return 0;
}

int tar_zeros(struct tar *tar, int64_t len, struct dsar_error *error)
{
    tar->n_zeros += len;
    if (len > 0 && tar->grown)
        assert_int_equal(ftruncate(tar->grown, GROWN_BYTES), 0);
    return 0;
}

/* --- a folder: root/inner/file, and beside root elsewhere/secret --- */

static void make_file(const char *name, const char *text)
{
    int fd = openat(top, name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int set_up(void **state)
{
    strcpy(folder, "/tmp/test_files.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    top = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (mkdirat(top, "root", 0700) || mkdirat(top, "root/inner", 0700) || mkdirat(top, "elsewhere", 0700))
        return -1;
    make_file("root/inner/file", "own");
    make_file("elsewhere/secret", "secret");
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    close(top);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* --- walks --- */

struct visits {
    void (*change)(void); /* once, when the folder `inner` is seen */
    char seen[200];
    enum walk_turn turn;
};

static int visit(void *ctx, const struct walk_entry *entry, enum walk_turn *turn, struct dsar_error *error)
{
    struct visits *visits = ctx;
    strcat(strcat(visits->seen, entry->path), " ");
    *turn = visits->turn;
    if (visits->change && strcmp(entry->name, "inner") == 0)
        visits->change();
    return 0;
}

static struct tally walked(struct visits *visits)
{
    struct tally tally = {.n = {0}};
    struct dsar_error error;
    int root = beneath_folder(top, "root", false);
    const struct walk_options options = {
        .root = root, .depth_max = 5, .visit = visit, .ctx = visits, .tally = &tally};
    assert_int_equal(walk_run(&options, &error), 0);
    close(root);
    return tally;
}

static void assert_counted(const struct tally *tally, enum tally_item item)
{
    for (int i = 0; i < TALLY_N_ITEMS; i++)
        assert_int_equal(tally->n[i], i == (int)item ? 1 : 0);
}

static void all_is_seen(void **state)
{
    struct visits visits = {.turn = WALK_ON};
    walked(&visits);
    assert_string_equal(visits.seen, "inner inner/file ");
    visits = (struct visits){.turn = WALK_PAST};
    walked(&visits);
    assert_string_equal(visits.seen, "inner ");
    visits = (struct visits){.turn = WALK_STOP};
    walked(&visits);
    assert_string_equal(visits.seen, "inner ");
}

static void put_link(void)
{
    assert_int_equal(renameat(top, "root/inner", top, "away"), 0);
    assert_int_equal(symlinkat("../elsewhere", top, "root/inner"), 0);
}

static void put_other(void)
{
    assert_int_equal(renameat(top, "root/inner", top, "away"), 0);
    assert_int_equal(renameat(top, "elsewhere", top, "root/inner"), 0);
}

static void put_file(void)
{
    assert_int_equal(renameat(top, "root/inner", top, "away"), 0);
    make_file("root/inner", "x");
}

static void put_nothing(void)
{
    assert_int_equal(renameat(top, "root/inner", top, "away"), 0);
}

static void a_folder_that_was_swapped_is_not_gone_into(void **state)
{
    struct {
        void (*change)(void);
        enum tally_item item;
    } swaps[] = {{put_link, TALLY_CHANGED},
                 {put_other, TALLY_CHANGED},
                 {put_file, TALLY_CHANGED},
                 {put_nothing, TALLY_VANISHED}};
    for (size_t i = 0; i < sizeof swaps / sizeof *swaps; i++) {
        tear_down(NULL);
        set_up(NULL);
        struct visits visits = {.change = swaps[i].change, .turn = WALK_ON};
        struct tally tally = walked(&visits);
        assert_string_equal(visits.seen, "inner ");
        assert_counted(&tally, swaps[i].item);
    }
    tear_down(NULL);
    set_up(NULL);
}

static void a_file_that_was_swapped_is_not_read(void **state)
{
    struct body body;
    struct dsar_error error;
    struct stat seen;
    int inner = beneath_folder(top, "root/inner", false);
    assert_int_equal(body_init(&body, &error), 0);
    assert_int_equal(fstatat(inner, "file", &seen, AT_SYMLINK_NOFOLLOW), 0);

    struct tally tally = {.n = {0}};
    assert_true(body_open(&body, inner, "file", &seen, &tally));
    body_close(&body);
    assert_counted(&tally, TALLY_N_ITEMS);

    assert_int_equal(renameat(top, "root/inner/file", top, "away"), 0);
    make_file("root/inner/file", "another");
    assert_false(body_open(&body, inner, "file", &seen, &tally));
    assert_counted(&tally, TALLY_CHANGED);

    const char *const targets[] = {"../../elsewhere/secret", "../../away"};
    for (size_t i = 0; i < 2; i++) {
        tally = (struct tally){.n = {0}};
        assert_int_equal(unlinkat(inner, "file", 0) || symlinkat(targets[i], inner, "file"), 0);
        assert_false(body_open(&body, inner, "file", &seen, &tally));
        assert_counted(&tally, TALLY_CHANGED);
    }

    tally = (struct tally){.n = {0}};
    assert_int_equal(unlinkat(inner, "file", 0) || mkfifoat(inner, "file", 0600), 0);
    assert_false(body_open(&body, inner, "file", &seen, &tally));
    assert_counted(&tally, TALLY_CHANGED);

    /* the number of a file that is gone may be a pipe's next */
    tally = (struct tally){.n = {0}};
    assert_int_equal(fstatat(inner, "file", &seen, AT_SYMLINK_NOFOLLOW), 0);
    assert_false(body_open(&body, inner, "file", &seen, &tally));
    assert_counted(&tally, TALLY_CHANGED);
    assert_int_equal(body.fd, -1);
    body_wipe(&body);
    close(inner);
}

/* A file of 1 MiB with data at its beginning and in its middle, as the file system keeps it. */
static void holes_are_not_read(void **state)
{
    struct body body;
    struct dsar_error error;
    struct stat seen;
    struct tally tally = {.n = {0}};
    char block[4096] = "x";
    int fd = openat(top, "sparse", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    assert_int_equal(pwrite(fd, block, sizeof block, 0), sizeof block);
    assert_int_equal(pwrite(fd, block, sizeof block, 512 << 10), sizeof block);
    assert_int_equal(fstat(fd, &seen), 0);
    assert_int_equal(body_init(&body, &error), 0);
    assert_true(body_open(&body, top, "sparse", &seen, &tally));
    if (body.n_runs == 0)
        skip(); /* a file system without holes */
    assert_int_equal(body.n_runs, 3);
    assert_int_equal(body.runs[1].offset, 512 << 10);
    assert_int_equal(body.runs[2].len, 0);
    assert_int_equal(body.n_data_bytes, 2 * sizeof block);
    body_wipe(&body);
    close(fd);
}

/* Zeros stand for what is missing, also where the file is as long again when its end is looked at. */
static void a_file_that_became_shorter_keeps_its_size(void **state)
{
    struct body body;
    struct dsar_error error;
    struct dsar_session session;
    struct stat seen;
    int fd = openat(top, "file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    int ends[2];
    char text[GROWN_BYTES] = "x";
    assert_int_equal(pwrite(fd, text, sizeof text, 0), sizeof text);
    assert_int_equal(fstat(fd, &seen), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    session_init(&session, ends[0], ends[1]);
    session.deadline_ms = INT64_MAX;
    assert_int_equal(body_init(&body, &error), 0);
    for (int grows = 0; grows <= 1; grows++) {
        struct tally tally = {.n = {0}};
        struct tar tar = {.grown = grows ? fd : 0};
        assert_int_equal(ftruncate(fd, GROWN_BYTES), 0);
        assert_true(body_open(&body, top, "file", &seen, &tally));
        assert_int_equal(ftruncate(fd, 300), 0);
        assert_int_equal(body_write(&body, &session, &tar, &tally, &error), 0);
        assert_int_equal(tar.n_written, 300);
        assert_int_equal(tar.n_zeros, GROWN_BYTES - 300);
        assert_counted(&tally, TALLY_CUT);
        body_close(&body);
    }
    body_wipe(&body);
    session_wipe(&session);
    close(ends[0]);
    close(ends[1]);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_was_swapped_is_not_gone_into, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_was_swapped_is_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(holes_are_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_became_shorter_keeps_its_size, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
