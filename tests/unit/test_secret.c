#include "base/secret.h"

#include <inttypes.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The flags of the mapping that holds `address`, as in proc(5): "rd wr mr mw me lo dd wf ". */
static void flags_of(const void *address, char *flags, size_t cap)
{
    char line[512];
    uintptr_t at = (uintptr_t)address, from, to;
    bool inside = false;
    FILE *file = fopen("/proc/self/smaps", "r");
    assert_non_null(file);
    flags[0] = '\0';
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
            inside = at >= from && at < to;
        else if (inside && strncmp(line, "VmFlags: ", 9) == 0)
            snprintf(flags, cap, " %s", line + 9);
    }
    fclose(file);
}

static void secrets_are_kept_out_of_dumps_and_swap(void **state)
{
    struct fault fault;
    char flags[256];
    unsigned long unlocked = secret_unlocked();
    char *data = secret_alloc(10000, &fault);
    assert_non_null(data);
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(data[i], 0);
    memset(data, 'x', 10000);
    flags_of(data, flags, sizeof flags);
    assert_non_null(strstr(flags, " dd "));
    assert_non_null(strstr(flags, " wf "));
    if (secret_unlocked() == unlocked)
        assert_non_null(strstr(flags, " lo "));
    secret_free(data, 10000);
}

static void a_child_does_not_see_them(void **state)
{
    struct fault fault;
    int status;
    char *data = secret_alloc(16, &fault);
    assert_non_null(data);
    memcpy(data, "canary", 7);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(data[0] == 0 ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    secret_free(data, 16);
}

static void freed_secrets_are_gone(void **state)
{
    struct fault fault;
    char *data = secret_alloc(4096, &fault);
    assert_non_null(data);
    unsigned char resident;
    secret_free(data, 4096);
    assert_int_equal(mincore(data, 4096, &resident), -1);
    secret_free(NULL, 4096);
}

static void impossible_sizes_are_refused(void **state)
{
    struct fault fault;
    assert_null(secret_alloc(0, &fault));
    assert_null(secret_alloc(SIZE_MAX, &fault));
    assert_null(secret_alloc(SIZE_MAX / 2, &fault));
    assert_string_equal(fault.code, "no_memory");
}

static void without_the_right_to_lock_they_are_counted(void **state)
{
    struct fault fault;
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        unsigned long before = secret_unlocked();
        /* root locks without limits, so it is given up */
        bool dropped = !setrlimit(RLIMIT_MEMLOCK, &none) && (getuid() != 0 || setuid(65534) == 0);
        char *data = dropped ? secret_alloc(4096, &fault) : NULL;
        _exit(data && secret_unlocked() == before + 1 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* In a child: a hardened process stays so. */
static void a_hardened_process_leaves_no_core(void **state)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct fault fault;
        struct rlimit core;
        json_malloc_t take;
        json_free_t give;
        if (secret_harden_process(&fault) || getrlimit(RLIMIT_CORE, &core) || core.rlim_max != 0 ||
            prctl(PR_GET_DUMPABLE) != 0)
            _exit(1);
        json_get_alloc_funcs(&take, &give);
        _exit(take != malloc && give != free ? 0 : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void without_memory_for_json_a_hardened_process_leaves(void **state)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    skip(); /* a sanitizer ends a program that asks for too much */
#endif
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct fault fault;
        json_malloc_t take;
        json_free_t give;
        if (secret_harden_process(&fault))
            _exit(1);
        json_get_alloc_funcs(&take, &give);
        void *small = take(16);
        if (!small)
            _exit(2);
        give(small);
        take(SIZE_MAX / 4);
        _exit(4);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), SECRET_EXIT_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_kept_out_of_dumps_and_swap),
        cmocka_unit_test(a_child_does_not_see_them),
        cmocka_unit_test(freed_secrets_are_gone),
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(without_the_right_to_lock_they_are_counted),
        cmocka_unit_test(a_hardened_process_leaves_no_core),
        cmocka_unit_test(without_memory_for_json_a_hardened_process_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
