/* reader: opens a sealed bundle: the zip's directory through libzip, AE-2 by our own unsealing.
 *
 * libzip 1.7.3 rejects AE-2 entries whose CRC field is 0, as the specification wants it, so the entry's raw
 * bytes are read and unsealed here. They are read twice: once to check the HMAC over all of them, once more
 * to give them out, so that nothing leaves that was not authenticated. Safe with hostile archives. One thread
 * at a time.
 */
#ifndef DSAR_BUNDLE_READER_H
#define DSAR_BUNDLE_READER_H

#include "base/fault.h"

#include <stddef.h>
#include <stdint.h>

struct reader;

/* Opens the archive at `path`. Fails with "bad_archive" when it is not a zip, or has duplicate names, names
 * that a bundle never has (anything but relative paths of letters, digits, '.', '_' and '-'), or entries that
 * are not deflate within WinZip's AES-256. `passphrase` is copied into secret memory, and not checked before
 * reader_extract. */
int reader_open(struct reader **reader, const char *path, const char *passphrase, struct fault *fault)
    __attribute__((warn_unused_result));
void reader_free(struct reader *reader);

size_t reader_n_entries(const struct reader *reader);

/* Valid while the reader lives. `i` < reader_n_entries. */
const char *reader_name(const struct reader *reader, size_t i);

/* The plain size that the directory claims. */
uint64_t reader_bytes(const struct reader *reader, size_t i);

/* Gives the plain bytes of entry `i` to `write_cb` piece by piece, in constant memory, never more than
 * reader_bytes. Fails with "wrong_passphrase" when the verifier differs, "bad_archive" when bytes were
 * changed or cut or a size differs, or write_cb's own fault when it returns -1. Only a file that changes
 * while it is read can fail after bytes were given out. */
int reader_extract(struct reader *reader, size_t i,
                   int (*write_cb)(void *ctx, const void *data, size_t len, struct fault *fault), void *ctx,
                   struct fault *fault) __attribute__((warn_unused_result));

#endif
