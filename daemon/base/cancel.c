#include "base/cancel.h"

#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A flag below another knows it, not the other way round, so that raising one touches nothing but the flag itself: an
 * epoll descriptor is readable as soon as either is raised. */
struct cancel {
    atomic_bool raised;
    const struct cancel *parent; /* may be NULL */
    int event_fd;
    int fd; /* to be polled: event_fd, or an epoll over it and the parent's */
};

static struct cancel *make(const struct cancel *parent, struct fault *fault)
{
    struct cancel *new = malloc(sizeof *new);
    if (!new) {
        fault_retry(fault, "no_memory", "no memory to make a request cancellable");
        return NULL;
    }
    atomic_init(&new->raised, false);
    new->parent = parent;
    new->fd = new->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (new->fd < 0) {
        fault_errno(fault, "no_descriptor", errno, "eventfd");
        free(new);
        return NULL;
    }
    return new;
}

int cancel_new(struct cancel **cancel, struct fault *fault)
{
    *cancel = make(NULL, fault);
    return *cancel ? 0 : -1;
}

static bool watch(int epoll, const struct cancel *cancel)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, cancel->fd, &event) == 0;
}

int cancel_new_child(struct cancel **cancel, const struct cancel *parent, struct fault *fault)
{
    struct cancel *new = make(parent, fault);
    if (!new)
        return -1;
    int both = epoll_create1(EPOLL_CLOEXEC);
    if (both < 0 || !watch(both, new) || !watch(both, parent)) {
        fault_errno(fault, "no_descriptor", errno, "epoll");
        if (both >= 0)
            close(both);
        cancel_free(new);
        return -1;
    }
    new->fd = both;
    *cancel = new;
    return 0;
}

void cancel_free(struct cancel *cancel)
{
    if (!cancel)
        return;
    if (cancel->fd != cancel->event_fd)
        close(cancel->fd);
    close(cancel->event_fd);
    free(cancel);
}

void cancel_raise(struct cancel *cancel)
{
    int saved = errno;
    atomic_store(&cancel->raised, true);
    const uint64_t one = 1;
    /* it can only fail when the counter is full, and then the descriptor is readable already */
    ssize_t n = write(cancel->event_fd, &one, sizeof one);
    (void)n;
    errno = saved;
}

bool cancel_raised(const struct cancel *cancel)
{
    while (cancel && !atomic_load(&cancel->raised))
        cancel = cancel->parent;
    return cancel != NULL;
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
