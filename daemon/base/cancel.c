#include "base/cancel.h"

#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct cancel {
    atomic_bool raised;
    int fd;
};

int cancel_new(struct cancel **cancel, struct fault *fault)
{
    struct cancel *new = malloc(sizeof *new);
    if (!new)
        return fault_retry(fault, "no_memory", "no memory to make a request cancellable");
    atomic_init(&new->raised, false);
    new->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (new->fd < 0) {
        free(new);
        return fault_errno(fault, "no_descriptor", errno, "eventfd");
    }
    *cancel = new;
    return 0;
}

void cancel_free(struct cancel *cancel)
{
    if (!cancel)
        return;
    close(cancel->fd);
    free(cancel);
}

void cancel_raise(struct cancel *cancel)
{
    int saved = errno;
    atomic_store(&cancel->raised, true);
    const uint64_t one = 1;
    /* it can only fail when the counter is full, and then the descriptor is readable already */
    ssize_t n = write(cancel->fd, &one, sizeof one);
    (void)n;
    errno = saved;
}

bool cancel_raised(const struct cancel *cancel)
{
    return atomic_load(&cancel->raised);
}

int cancel_fd(const struct cancel *cancel)
{
    return cancel->fd;
}

bool cancel_wait(const struct cancel *cancel, int64_t ms)
{
    int64_t until = clock_now_ms() + ms;
    while (!cancel_raised(cancel)) {
        int64_t left = until - clock_now_ms();
        if (left <= 0)
            return false;
        struct pollfd p = {.fd = cancel->fd, .events = POLLIN};
        poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
    }
    return true;
}
