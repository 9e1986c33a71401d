/* files: the files of one source: each an entry with a neutral name, and an index with the real names.
 *
 * Used by one thread at a time.
 */
#ifndef DSAR_GATHER_FILES_H
#define DSAR_GATHER_FILES_H

#include "base/buf.h"
#include "bundle/bundle.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file {
    struct entry *entry;
    char *collection;
    json_t *about; /* id, name, media_type as the connector gave them */
};

struct files {
    const char *source;      /* borrowed */
    struct section *section; /* borrowed */
    struct file *items;
    size_t n_items;
    size_t cap;
    bool receiving; /* the last item has not ended */
};

void files_init(struct files *files, const char *source, struct section *section);

/* Frees the list; the entries belong to the section. */
void files_wipe(struct files *files);

/* Takes one piece. `message` is the protocol's `file` message, `payload` its bytes. *bytes is the file's size
 * when this was its last piece and *finished is true. Fails with "source_protocol" when pieces are mixed or
 * unnamed, otherwise as entry_open and entry_write. */
int files_piece(struct files *files, const char *collection, const json_t *message, const struct buf *payload,
                bool *finished, struct fault *fault) __attribute__((warn_unused_result));

/* The size of the file that finished last. */
uint64_t files_last_bytes(const struct files *files);

/* Takes the files of one collection out of the bundle again. */
void files_drop(struct files *files, const char *collection);

/* Writes the index as the entry `<source>/files.json`. *name is its path, the caller's, or NULL without any
 * file. */
int files_end(struct files *files, char **name, struct fault *fault) __attribute__((warn_unused_result));

#endif
