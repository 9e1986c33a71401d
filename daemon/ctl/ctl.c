#include "ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int ctl_failed(const char *what, const struct fault *fault)
{
    fprintf(stderr, "dsarctl %s: %s\n", what, fault->text);
    return CTL_FAILED;
}

int ctl_help(const char *help, int asked)
{
    fputs(help, asked ? stdout : stderr);
    return asked ? CTL_DONE : CTL_USAGE;
}

void ctl_print_text(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        putchar(c < 0x20 || c == 0x7f ? '?' : c);
    }
}

json_t *ctl_read_json(const char *path, size_t max, struct fault *fault)
{
    struct buf text;
    json_error_t error;
    json_t *json = NULL;
    buf_init(&text, max);
    const char *file = strcmp(path, "-") == 0 ? "/dev/stdin" : path;
    if (buf_read_file(&text, file, fault) == 0) {
        json = json_loadb(text.data ? text.data : "", text.len, JSON_REJECT_DUPLICATES, &error);
        if (!json_is_object(json)) {
            json_decref(json);
            json = NULL;
            fault_set(fault, "bad_json", "%s:%d:%d: expected a JSON object", path,
                      error.line > 0 ? error.line : 1, error.column > 0 ? error.column : 1);
        }
    }
    buf_wipe(&text);
    return json;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return fsync(fd);
}

int ctl_write_file(const char *path, const void *data, size_t len, mode_t mode, struct fault *fault)
{
    /* write(2), not stdio: no buffer keeps a copy of what may be a secret */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return fault_errno(fault, "file_unwritable", errno, "%s", path);
    int failed = write_all(fd, data, len) ? errno : 0;
    if (close(fd) && !failed)
        failed = errno;
    if (!failed)
        return 0;
    unlink(path);
    return fault_errno(fault, "file_unwritable", failed, "%s", path);
}
