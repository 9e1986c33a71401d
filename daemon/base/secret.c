#include "base/secret.h"

#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* How long is waited for memory at first; each wait is twice the one before. */
#define WAIT_FIRST_NS 1000000L
#define WAIT_LAST_NS  512000000L

static atomic_ulong unlocked;

static size_t whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) / page * page;
}

void *secret_alloc(size_t size, struct fault *fault)
{
    size_t length = whole_pages(size);
    if (size == 0 || length < size) {
        fault_set(fault, "internal", "secret memory of %zu bytes was asked for", size);
        return NULL;
    }
    void *data = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) {
        fault_retry(fault, "no_memory", "no memory for %zu bytes", length);
        return NULL;
    }
    if (mlock2(data, length, MLOCK_ONFAULT))
        atomic_fetch_add_explicit(&unlocked, 1, memory_order_relaxed);
    if (madvise(data, length, MADV_DONTDUMP) || madvise(data, length, MADV_WIPEONFORK)) {
        fault_errno(fault, "no_memory", errno, "memory cannot be kept out of core dumps and children");
        munmap(data, length);
        return NULL;
    }
    return data;
}

void secret_free(void *data, size_t size)
{
    if (!data)
        return;
    OPENSSL_cleanse(data, size);
    munmap(data, whole_pages(size));
}

unsigned long secret_unlocked(void)
{
    return atomic_load_explicit(&unlocked, memory_order_relaxed);
}

/* jansson (2.14) does not survive the want of memory: it drops characters of what it reads and of what it writes, or
 * aborts. So it is never told: what others give back is waited for, and the process leaves if that does not come. */
static void *take_or_leave(size_t size)
{
    static const char text[] = "no memory for JSON: the process ends; what it was at is begun again\n";
    void *data = malloc(size);
    for (struct timespec wait = {.tv_nsec = WAIT_FIRST_NS}; !data && wait.tv_nsec <= WAIT_LAST_NS;
         wait.tv_nsec *= 2) {
        nanosleep(&wait, NULL);
        data = malloc(size);
    }
    if (data)
        return data;
    ssize_t n = write(STDERR_FILENO, text, sizeof text - 1);
    (void)n;
    _exit(SECRET_EXIT_NO_MEMORY);
}

static void wipe_and_free(void *data)
{
    if (data)
        OPENSSL_cleanse(data, malloc_usable_size(data));
    free(data);
}

int secret_harden_process(struct fault *fault)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none))
        return fault_errno(fault, "core_dumps", errno, "core dumps cannot be switched off");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return fault_errno(fault, "core_dumps", errno, "the process cannot be made undumpable");
    /* only without a limit: a limit that is met later would make ordinary allocations fail */
    struct rlimit lock;
    if (getrlimit(RLIMIT_MEMLOCK, &lock) == 0 && lock.rlim_cur == RLIM_INFINITY &&
        mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
        atomic_fetch_add_explicit(&unlocked, 1, memory_order_relaxed);
    json_set_alloc_funcs(take_or_leave, wipe_and_free);
    return 0;
}
