#include "../../connectors/files/beneath.c"
#include "../../connectors/files/links.c"
#include "../../connectors/files/place.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

static char folder[64];
static int top = -1;

static void make_file(const char *name)
{
    int fd = openat(top, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static int set_up(void **state)
{
    strcpy(folder, "/tmp/test_files.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    top = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(top, "a", 0700) || mkdirat(top, "a/b", 0700), 0);
    make_file("a/file");
    make_file("outside");
    assert_int_equal(symlinkat("b", top, "a/link"), 0);
    assert_int_equal(symlinkat("file", top, "a/file_link"), 0);
    assert_int_equal(symlinkat("../outside", top, "a/out"), 0);
    return mkfifoat(top, "a/fifo", 0600);
}

static int tear_down(void **state)
{
    char command[128];
    close(top);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void assert_refused(int fd, int error_number)
{
    int found = errno;
    assert_int_equal(fd, -1);
    assert_int_equal(found, error_number);
}

static void nothing_leads_out_or_through_a_link(void **state)
{
    int a = beneath_folder(top, "a", false);
    assert_true(a >= 0);
    assert_refused(beneath_folder(a, "..", true), EXDEV);
    assert_refused(beneath_folder(a, "b/../..", true), EXDEV);
    assert_refused(beneath_folder(a, "/", true), EXDEV);
    assert_refused(beneath_folder(a, folder, true), EXDEV);
    assert_refused(beneath_folder(a, "link", true), ELOOP);
    assert_refused(beneath_folder(top, "a/link", true), ELOOP);
    assert_refused(beneath_folder(top, "a/link/c", true), ELOOP);
    assert_refused(beneath_folder(a, "file", true), ENOTDIR);
    assert_refused(beneath_folder(a, "none", true), ENOENT);
    assert_refused(beneath_file(a, "file_link"), ELOOP);
    assert_refused(beneath_file(a, "out"), ELOOP);
    assert_refused(beneath_file(a, "../outside"), EXDEV);
    close(a);
}

static void a_magic_link_is_not_followed(void **state)
{
    int proc = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(proc >= 0);
    assert_refused(beneath_folder(proc, "root", true), ELOOP);
    assert_refused(beneath_folder(proc, "cwd", true), ELOOP);
    close(proc);
}

static void another_mount_is_crossed_only_where_it_may(void **state)
{
    int slash = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(slash >= 0);
    assert_refused(beneath_folder(slash, "proc", false), EXDEV);
    int proc = beneath_folder(slash, "proc", true);
    assert_true(proc >= 0);
    close(proc);
    close(slash);
}

static void opening_waits_for_nobody(void **state)
{
    struct stat stat;
    int fd = openat(top, "a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fifo = beneath_file(fd, "fifo");
    assert_true(fifo >= 0);
    assert_int_equal(fstat(fifo, &stat), 0);
    assert_true(S_ISFIFO(stat.st_mode));
    close(fifo);
    close(fd);
}

/* The path that a profile's array makes; the code of the error when it makes none. */
static const char *made(const char *names, const char *value)
{
    static struct place place;
    static struct dsar_error error;
    const struct dsar_identity item = {"id", value};
    const struct dsar_identities bound = {.items = &item, .n_items = 1};
    json_t *needs = json_pack("{s:s}", "id", "text");
    json_t *array = json_loads(names, 0, NULL);
    assert_non_null(array);
    const char *result = error.code;
    if (place_check(array, needs, "/path", &error) == 0 && place_make(&place, array, &bound, &error) == 0) {
        const char *slash = strrchr(place.path, '/');
        assert_string_equal(place.last, slash ? slash + 1 : place.path);
        result = place.path;
    }
    json_decref(array);
    json_decref(needs);
    return result;
}

static void a_place_is_made_of_names(void **state)
{
    assert_string_equal(made("[{\"id\":\"id\"}]", "alice"), "alice");
    assert_string_equal(made("[\"mail\",{\"id\":\"id\",\"part\":\"domain\",\"as\":\"lower\"},"
                             "[\"u_\",{\"id\":\"id\",\"part\":\"local\"},\".d\"]]",
                             "Al@x@Example.Test"),
                        "mail/example.test/u_Al@x.d");
    char longest[257];
    memset(longest, 'a', sizeof longest);
    longest[255] = '\0';
    assert_string_equal(made("[{\"id\":\"id\"}]", longest), longest);
    assert_string_equal(made("[[{\"id\":\"id\"},\".d\"]]", longest), "bad_profile");
    longest[255] = 'a';
    longest[256] = '\0';
    assert_string_equal(made("[{\"id\":\"id\"}]", longest), "bad_identity");
}

static void a_value_is_one_name_or_none(void **state)
{
    static const char *const bad[] = {".", "..", "...", ".ssh", "/", "/etc", "a/b", "a/", "../a", "a/../b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_string_equal(made("[{\"id\":\"id\"}]", bad[i]), "bad_identity");
        assert_string_equal(made("[[\"u\",{\"id\":\"id\"}]]", bad[i]), "bad_identity");
    }
    assert_string_equal(made("[{\"id\":\"id\"}]", ""), "empty_bind");
    assert_string_equal(made("[{\"id\":\"id\",\"part\":\"local\"}]", "@a"), "empty_bind");
    assert_string_equal(made("[{\"id\":\"id\",\"part\":\"domain\"}]", "a@"), "empty_bind");
    assert_string_equal(made("[{\"id\":\"id\",\"part\":\"domain\"}]", "a"), "bad_identity");
    assert_string_equal(made("[{\"id\":\"id\"}, [\".\",\".\"]]", "a"), "bad_profile");
}

static void links_are_remembered_up_to_a_number(void **state)
{
    struct links links;
    struct dsar_error error;
    struct stat stat = {.st_dev = 1};
    links_init(&links);
    assert_int_equal(links_seen(&links, &stat), 0);
    assert_null(links_path(&links, &stat));
    for (int turn = 1; turn <= 2; turn++)
        for (ino_t i = 0; i < SLOTS_MAX; i++) {
            stat.st_ino = i;
            assert_int_equal(links_see(&links, &stat, &error), 0);
        }
    for (ino_t i = 0; i < SLOTS_MAX; i++) {
        stat.st_ino = i;
        assert_int_equal(links_seen(&links, &stat), i < SLOTS_MAX / 2 ? 2 : 0);
    }
    stat.st_ino = 7;
    links_name(&links, &stat, "a/path");
    assert_string_equal(links_path(&links, &stat), "a/path");
    stat.st_dev = 2;
    assert_int_equal(links_seen(&links, &stat), 0);
    assert_null(links_path(&links, &stat));
    stat.st_ino = SLOTS_MAX;
    links_name(&links, &stat, "unknown");
    assert_null(links_path(&links, &stat));
    links_wipe(&links);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_leads_out_or_through_a_link),
        cmocka_unit_test(a_magic_link_is_not_followed),
        cmocka_unit_test(another_mount_is_crossed_only_where_it_may),
        cmocka_unit_test(opening_waits_for_nobody),
        cmocka_unit_test(a_place_is_made_of_names),
        cmocka_unit_test(a_value_is_one_name_or_none),
        cmocka_unit_test(links_are_remembered_up_to_a_number),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
