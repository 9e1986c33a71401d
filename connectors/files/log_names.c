#include "log_names.h"

#include "../sdk/error.h"
#include "beneath.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES_MAX  4096
#define DIGITS_MAX 18

/* Whether `found` is a log of that name, and which. */
static bool read_name(struct log_name *item, const char *found, const char *name)
{
    size_t len = strlen(name);
    *item = (struct log_name){.is_live = true};
    if (strncmp(found, name, len) != 0 || strlen(found) > NAME_MAX)
        return false;
    memcpy(item->name, found, strlen(found) + 1);
    const char *suffix = found + len;
    if (*suffix == '\0')
        return true;
    item->is_live = false;
    item->separator = *suffix++;
    size_t n_digits = strspn(suffix, "0123456789");
    if ((item->separator != '.' && item->separator != '-') || n_digits == 0 || n_digits > DIGITS_MAX)
        return false;
    item->number = strtoull(suffix, NULL, 10);
    suffix += n_digits;
    item->is_gzip = strcmp(suffix, ".gz") == 0;
    return *suffix == '\0' || item->is_gzip;
}

static int by_age(const void *a, const void *b)
{
    const struct log_name *one = a;
    const struct log_name *other = b;
    if (one->is_live != other->is_live)
        return one->is_live ? 1 : -1;
    if (one->separator != other->separator)
        return one->separator == '-' ? -1 : 1;
    if (one->number == other->number)
        return strcmp(one->name, other->name);
    /* a date grows with time, a count with age */
    return (one->number < other->number) == (one->separator == '-') ? -1 : 1;
}

static int append(struct log_names *names, const struct log_name *item, struct dsar_error *error)
{
    if (names->n_items == NAMES_MAX)
        return dsar_error_set(error, "too_many_entries", false, "a log with more than %d files", NAMES_MAX);
    struct log_name *items = reallocarray(names->items, names->n_items + 1, sizeof *items);
    if (!items)
        return error_no_memory(error);
    names->items = items;
    names->items[names->n_items++] = *item;
    return 0;
}

static int read_folder(struct log_names *names, DIR *folder, const char *name, struct dsar_error *error)
{
    for (;;) {
        struct log_name item;
        errno = 0;
        const struct dirent *found = readdir(folder);
        if (!found && errno)
            return dsar_error_set(error, "source_error", true, "the folder of a log cannot be read");
        if (!found)
            return 0;
        if (!read_name(&item, found->d_name, name))
            continue;
        item.inode = found->d_ino;
        if (append(names, &item, error))
            return -1;
    }
}

int log_names_list(struct log_names *names, int folder, const char *name, struct dsar_error *error)
{
    *names = (struct log_names){.items = NULL};
    int fd = beneath_folder(folder, ".", false);
    DIR *opened = fd < 0 ? NULL : fdopendir(fd);
    if (!opened) {
        if (fd >= 0)
            close(fd);
        return dsar_error_set(error, "source_error", true, "the folder of a log cannot be read");
    }
    int result = read_folder(names, opened, name, error);
    closedir(opened);
    if (result)
        log_names_wipe(names);
    else if (names->n_items)
        qsort(names->items, names->n_items, sizeof *names->items, by_age);
    return result;
}

void log_names_wipe(struct log_names *names)
{
    free(names->items);
    *names = (struct log_names){.items = NULL};
}

bool log_names_equal(const struct log_names *one, const struct log_names *other)
{
    if (one->n_items != other->n_items)
        return false;
    for (size_t i = 0; i < one->n_items; i++)
        if (one->items[i].inode != other->items[i].inode ||
            strcmp(one->items[i].name, other->items[i].name) != 0)
            return false;
    return true;
}
