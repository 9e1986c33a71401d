#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_wipe(struct buf *buf)
{
    if (buf->data) {
        OPENSSL_cleanse(buf->data, buf->cap);
        free(buf->data);
    }
    *buf = (struct buf){.max = buf->max};
}

void buf_clear(struct buf *buf)
{
    if (buf->data)
        OPENSSL_cleanse(buf->data, buf->len);
    buf->len = 0;
}

int buf_reserve(struct buf *buf, size_t extra, struct fault *fault)
{
    if (extra > buf->max || buf->len > buf->max - extra)
        return fault_set(fault, "too_large", "more than %zu bytes where at most that many are allowed",
                         buf->max);
    size_t need = buf->len + extra + 1;
    if (need <= buf->cap)
        return 0;
    size_t cap = buf->cap > need / 2 ? buf->cap * 2 : need;
    if (cap < 64)
        cap = 64;
    /* not realloc: it would leave the old bytes behind unwiped */
    char *data = malloc(cap);
    if (!data)
        return fault_retry(fault, "no_memory", "no memory for %zu bytes", cap);
    if (buf->data) {
        memcpy(data, buf->data, buf->len + 1);
        OPENSSL_cleanse(buf->data, buf->cap);
        free(buf->data);
    } else {
        data[0] = '\0';
    }
    buf->data = data;
    buf->cap = cap;
    return 0;
}

int buf_append(struct buf *buf, const void *data, size_t len, struct fault *fault)
{
    if (buf_reserve(buf, len, fault))
        return -1;
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
    return 0;
}

int buf_append_text(struct buf *buf, const char *text, struct fault *fault)
{
    return buf_append(buf, text, strlen(text), fault);
}

int buf_printf(struct buf *buf, struct fault *fault, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int len = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    if (len < 0)
        return fault_set(fault, "internal", "text cannot be formatted");
    if (buf_reserve(buf, (size_t)len, fault))
        return -1;
    va_start(ap, format);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, ap);
    va_end(ap);
    buf->len += (size_t)len;
    return 0;
}

void buf_shift(struct buf *buf, size_t len)
{
    if (len == 0)
        return;
    memmove(buf->data, buf->data + len, buf->len - len);
    buf->len -= len;
    OPENSSL_cleanse(buf->data + buf->len, len);
}

/* What is short here is told from what is wrong with the file. */
static int unreadable(struct fault *fault, int error_number, const char *path)
{
    const char *code = error_number == EMFILE || error_number == ENFILE ? "no_descriptor"
                       : error_number == ENOMEM                         ? "no_memory"
                                                                        : "file_unreadable";
    return fault_errno(fault, code, error_number, "%s", path);
}

int buf_read_fd(struct buf *buf, int fd, const char *path, struct fault *fault)
{
    for (;;) {
        /* one byte beyond the maximum is asked for, so that a file that is too large is seen */
        size_t room = buf->max - buf->len;
        size_t step = room < 65536 ? room : 65536;
        if (buf_reserve(buf, step, fault))
            return -1;
        char beyond;
        ssize_t n = step ? read(fd, buf->data + buf->len, step) : read(fd, &beyond, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return unreadable(fault, errno, path);
        if (n == 0)
            return 0;
        if (!step)
            return fault_set(fault, "too_large", "%s: larger than %zu bytes", path, buf->max);
        buf->len += (size_t)n;
        buf->data[buf->len] = '\0';
    }
}

int buf_read_file(struct buf *buf, const char *path, struct fault *fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return unreadable(fault, errno, path);
    struct stat st;
    int result;
    if (fstat(fd, &st))
        result = unreadable(fault, errno, path);
    else if (S_ISDIR(st.st_mode))
        result = fault_set(fault, "file_unreadable", "%s: expected a file, found a directory", path);
    else
        result = buf_read_fd(buf, fd, path, fault);
    close(fd);
    return result;
}
