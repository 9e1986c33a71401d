/* What clients have opens what we seal. A tool that is not installed is skipped. */
#include "test_bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

/* Runs a tool; its output goes to `output`, its complaints nowhere. Returns the exit status, -1 when there is
 * no such tool. */
static int run_tool(const char *const *argv, struct buf *output)
{
    int pipe_fds[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int error_number = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fds[1]);
    if (error_number) {
        close(pipe_fds[0]);
        return -1;
    }
    char piece[4096];
    ssize_t n;
    struct fault fault;
    while ((n = read(pipe_fds[0], piece, sizeof piece)) > 0)
        assert_int_equal(buf_append(output, piece, (size_t)n, &fault), 0);
    close(pipe_fds[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* The archive as a file in a folder; both are removed by remove_archive. */
struct archive_file {
    char folder[40];
    char path[60];
};

enum { TEXT_BYTES = 100000, NOISE_BYTES = 70000 };

static void make_archive_file(struct archive_file *file, const char *text, const char *noise)
{
    struct seal_pool *pool = test_pool(2, 4);
    struct bundle *bundle = test_bundle(pool);
    struct section *section = test_section(bundle);
    struct archive_info info;
    struct buf archive;
    test_whole_entry(section, "billing/text.json", text, TEXT_BYTES);
    test_whole_entry(section, "billing/files/0001.bin", noise, NOISE_BYTES);
    test_whole_entry(section, "empty", "", 0);
    test_whole_entry(section, "tiny", "x", 1);
    test_archive(bundle, &archive, &info);
    strcpy(file->folder, "/tmp/test_bundle_XXXXXX");
    assert_non_null(mkdtemp(file->folder));
    snprintf(file->path, sizeof file->path, "%s/bundle.zip", file->folder);
    int fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, archive.data, archive.len), archive.len);
    close(fd);
    buf_wipe(&archive);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void remove_archive(const struct archive_file *file)
{
    unlink(file->path);
    rmdir(file->folder);
}

/* `command` is what stands in front of the archive's path and the entry's name. */
static void expect_content(const char *const *command, const struct archive_file *file, const char *name,
                           const void *data, size_t len)
{
    const char *argv[16];
    size_t n = 0;
    struct buf output;
    for (; command[n]; n++)
        argv[n] = command[n];
    argv[n++] = file->path;
    argv[n++] = name;
    argv[n] = NULL;
    buf_init(&output, 1 << 20);
    int status = run_tool(argv, &output);
    if (status < 0) {
        remove_archive(file);
        skip();
    }
    assert_int_equal(status, 0);
    assert_int_equal(output.len, len);
    if (len)
        assert_memory_equal(output.data, data, len);
    buf_wipe(&output);
}

static void expect_all(const char *const *command)
{
    char *text = test_text(TEXT_BYTES, 1), *noise = test_noise(NOISE_BYTES, 2);
    struct archive_file file;
    make_archive_file(&file, text, noise);
    expect_content(command, &file, "billing/text.json", text, TEXT_BYTES);
    expect_content(command, &file, "billing/files/0001.bin", noise, NOISE_BYTES);
    expect_content(command, &file, "empty", "", 0);
    expect_content(command, &file, "tiny", "x", 1);
    remove_archive(&file);
    free(text);
    free(noise);
}

static void seven_zip_extracts_every_entry(void **state)
{
    static const char *const command[] = {"7zz", "x", "-so", "-p" TEST_PASSPHRASE, NULL};
    expect_all(command);
}

static void bsdtar_extracts_every_entry(void **state)
{
    static const char *const command[] = {"bsdtar", "--passphrase", TEST_PASSPHRASE, "-xOf", NULL};
    expect_all(command);
}

static void seven_zip_finds_the_archive_sound_and_a_wrong_passphrase_wrong(void **state)
{
    char *text = test_text(TEXT_BYTES, 1), *noise = test_noise(NOISE_BYTES, 2);
    struct archive_file file;
    struct buf output;
    make_archive_file(&file, text, noise);
    const char *const sound[] = {"7zz", "t", "-p" TEST_PASSPHRASE, file.path, NULL};
    const char *const wrong[] = {"7zz", "t", "-pwrong", file.path, NULL};
    buf_init(&output, 100000);
    int status = run_tool(sound, &output);
    int wrong_status = run_tool(wrong, &output);
    remove_archive(&file);
    free(text);
    free(noise);
    if (status < 0)
        skip();
    assert_int_equal(status, 0);
    assert_non_null(strstr(output.data, "Everything is Ok"));
    assert_null(strstr(output.data, "Warnings"));
    assert_int_not_equal(wrong_status, 0);
    buf_wipe(&output);
}

static void what_seven_zip_seals_is_read(void **state)
{
    char folder[] = "/tmp/test_bundle_XXXXXX", plain_path[60], zip_path[60];
    char *text = test_text(TEXT_BYTES, 4);
    struct buf output;
    struct reader *reader;
    struct fault fault;
    assert_non_null(mkdtemp(folder));
    snprintf(plain_path, sizeof plain_path, "%s/text.json", folder);
    snprintf(zip_path, sizeof zip_path, "%s/made.zip", folder);
    int fd = open(plain_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, TEXT_BYTES), TEXT_BYTES);
    close(fd);
    const char *const command[] = {"7zz",    "a",        "-tzip", "-mem=AES256", "-p" TEST_PASSPHRASE,
                                   zip_path, plain_path, NULL};
    buf_init(&output, 100000);
    int status = run_tool(command, &output);
    int result = status == 0 ? reader_open(&reader, zip_path, TEST_PASSPHRASE, &fault) : 0;
    unlink(plain_path);
    unlink(zip_path);
    rmdir(folder);
    buf_wipe(&output);
    if (status < 0) {
        free(text);
        skip();
    }
    assert_int_equal(status, 0);
    assert_int_equal(result, 0);
    test_holds(reader, "text.json", text, TEXT_BYTES);
    reader_free(reader);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seven_zip_extracts_every_entry),
        cmocka_unit_test(bsdtar_extracts_every_entry),
        cmocka_unit_test(seven_zip_finds_the_archive_sound_and_a_wrong_passphrase_wrong),
        cmocka_unit_test(what_seven_zip_seals_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
