/* Runs a program as on an older kernel: fake-kernel WITHOUT PROGRAM [ARGUMENT…], where WITHOUT is `landlock` or `filters`. */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int forget(scmp_filter_ctx filter, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    return number < 0 || seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0) ? -1 : 0;
}

int main(int argc, char **argv)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (argc < 3 || !filter)
        return 2;
    int failed = strcmp(argv[1], "landlock") == 0  ? forget(filter, "landlock_create_ruleset")
                 : strcmp(argv[1], "filters") == 0 ? forget(filter, "seccomp")
                                                   : -1;
    if (failed || seccomp_load(filter))
        return 2;
    execv(argv[2], argv + 2);
    perror(argv[2]);
    return 2;
}
