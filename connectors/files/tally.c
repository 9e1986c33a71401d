#include "tally.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *withheld; /* the reason code, of what is withheld */
    const char *gap;      /* the code, of what is missing */
    bool retryable;       /* another try may give it */
    const char *text;     /* of a gap, before a number */
} items[TALLY_N_ITEMS] = {
    [TALLY_FOLDERS] = {.name = "folders"},
    [TALLY_FILES] = {.name = "files"},
    [TALLY_SYMLINKS] = {.name = "symlinks"},
    [TALLY_HARD_LINKS] = {.name = "hard_links"},
    [TALLY_SPARSE_FILES] = {.name = "sparse_files"},
    [TALLY_BYTES] = {.name = "bytes"},
    [TALLY_MIXED] = {.name = "mixed_content", .withheld = "mixed_content"},
    [TALLY_SPECIAL] = {.name = "special_files", .withheld = "special_file"},
    [TALLY_LINKED_ELSEWHERE] = {.name = "linked_elsewhere", .withheld = "linked_elsewhere"},
    [TALLY_OTHER_MOUNT] = {.name = "other_mounts", .withheld = "other_mount"},
    [TALLY_TOO_LARGE] = {.name = "too_large",
                         .withheld = "over_limit",
                         .gap = "too_large",
                         .text = "files beyond the limit of bytes"},
    [TALLY_TOO_MANY] = {.name = "too_many",
                        .gap = "too_many_entries",
                        .text = "places where the limit of entries ended the work"},
    [TALLY_TOO_DEEP] = {.name = "too_deep",
                        .withheld = "over_limit",
                        .gap = "too_deep",
                        .text = "folders below the limit of depth"},
    [TALLY_UNREADABLE] = {.name = "unreadable",
                          .gap = "file_unreadable",
                          .text = "files or folders that cannot be read"},
    [TALLY_VANISHED] = {.name = "vanished",
                        .gap = "source_changed",
                        .retryable = true,
                        .text = "files or folders that went while they were read"},
    [TALLY_CUT] = {.name = "cut",
                   .gap = "source_changed",
                   .retryable = true,
                   .text = "files that became shorter while they were read"},
    [TALLY_CHANGED] = {.name = "changed",
                       .gap = "source_changed",
                       .text = "files that changed while they were read"},
    [TALLY_NOT_THE_FORMAT] = {.name = "lines_not_the_format",
                              .gap = "source_answer",
                              .text = "lines that are not of the log's format"},
};

void tally_miss(struct tally *tally, int error_number)
{
    switch (error_number) {
    case ENOENT: tally->n[TALLY_VANISHED]++; break;
    case EXDEV: tally->n[TALLY_OTHER_MOUNT]++; break;
    /* it has become something else since it was looked at */
    case ELOOP:
    case ENOTDIR:
    case ENXIO: tally->n[TALLY_CHANGED]++; break;
    default: tally->n[TALLY_UNREADABLE]++; break;
    }
}

void tally_add(struct tally *sum, const struct tally *more)
{
    for (int i = 0; i < TALLY_N_ITEMS; i++)
        sum->n[i] += more->n[i];
}

json_t *tally_describe(const struct tally *tally)
{
    json_t *object = json_object();
    for (int i = 0; object && i < TALLY_N_ITEMS; i++) {
        if (tally->n[i] == 0 && i != TALLY_FILES && i != TALLY_BYTES)
            continue;
        if (json_object_set_new(object, items[i].name, json_integer((json_int_t)tally->n[i]))) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static int say_withheld(const struct tally *tally, struct dsar_session *session, struct dsar_error *error)
{
    for (int i = 0; i < TALLY_N_ITEMS; i++)
        if (items[i].withheld && dsar_withheld(session, tally->n[i], items[i].withheld, error))
            return -1;
    return 0;
}

int tally_end(const struct tally *tally, struct dsar_session *session, enum dsar_status *status,
              struct dsar_error *error)
{
    if (say_withheld(tally, session, error))
        return -1;
    const char *code = NULL;
    bool retryable = false;
    char texts[sizeof error->text] = "";
    size_t len = 0;
    for (int i = 0; i < TALLY_N_ITEMS; i++) {
        if (!items[i].gap || tally->n[i] == 0)
            continue;
        char text[160];
        snprintf(text, sizeof text, "%s: %llu", items[i].text, (unsigned long long)tally->n[i]);
        dsar_warning(session, items[i].gap, text);
        if (len < sizeof texts)
            len += (size_t)snprintf(texts + len, sizeof texts - len, "%s%s", len ? "; " : "", text);
        code = code ? code : items[i].gap;
        retryable = retryable || items[i].retryable;
    }
    *status = code ? DSAR_PARTIAL : DSAR_COMPLETE;
    if (code)
        dsar_error_set(error, code, retryable, "%s", texts);
    return 0;
}
