/* bundle: one attempt's archive in the making: sections of sealed entries, then one zip.
 *
 * A section is what one source gives; it owns one unlinked spool file that only ever holds ciphertext.
 * Entries are AE-2 (AES-256, WinZip's "AES encryption information", vendor version 2), sealed while they are
 * written: bytes -> filter -> SHA-256 and deflate -> AES-CTR and HMAC-SHA1 -> spool. A dropped section leaves
 * no trace.
 *
 * Several threads at once may make, fill and drop sections of one bundle, each section with its entries on
 * one thread at a time. bundle_each_entry, bundle_write and bundle_free are for when no other thread uses the
 * bundle.
 */
#ifndef DSAR_BUNDLE_BUNDLE_H
#define DSAR_BUNDLE_BUNDLE_H

#include "base/fault.h"
#include "bundle/seal_pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUNDLE_PASSPHRASE_LEN 32 /* "XXXXX-XXXXX-XXXXX-XXXXX-XXXXXX" and NUL fit */
#define BUNDLE_ENTRY_NAME_MAX 200

struct bundle;
struct section;
struct entry;

/* A fresh passphrase of 130 random bits, NUL-terminated, into the caller's secret memory. */
int bundle_passphrase(char passphrase[BUNDLE_PASSPHRASE_LEN], struct fault *fault)
    __attribute__((warn_unused_result));

struct bundle_options {
    struct seal_pool *pool; /* outlives the bundle */
    const char *spool_dir;  /* where the unlinked spool files are made */
    const char *passphrase; /* copied into secret memory, wiped by bundle_free */
    size_t entries_max;     /* how many entries all sections may hold: about 1 KiB of memory each */
};

int bundle_open(struct bundle **bundle, const struct bundle_options *options, struct fault *fault)
    __attribute__((warn_unused_result));

/* Lets the bundle hold `n` entries more: what explains the others must find room. */
void bundle_make_room(struct bundle *bundle, size_t n);

/* Waits for blocks in flight, wipes, closes, frees. All sections and entries are gone. NULL is harmless. */
void bundle_free(struct bundle *bundle);

int bundle_section(struct bundle *bundle, struct section **section, struct fault *fault)
    __attribute__((warn_unused_result));

/* Takes the section and all of its entries out of the bundle and frees them. NULL is harmless. */
void section_drop(struct section *section);

/* Rewrites plain bytes before they are sealed. Called on the pool's threads, for several blocks of one entry
 * at once. */
struct entry_filter {
    /* Turns whole records into what leaves. `where` tells of the entry's ends: ENTRY_FIRST, ENTRY_LAST or
     * both; the last call may come without any bytes. `out` has room for ENTRY_FILTER_GROWTH times `len`, at
     * least 4096 bytes. -1 fails the entry with that fault. */
    int (*apply)(void *ctx, unsigned where, const char *data, size_t len, char *out, size_t out_cap,
                 size_t *out_len, struct fault *fault);
    /* Is shown the filtered bytes of one block after the other, in the order of the entry. May be NULL. */
    void (*seen)(void *ctx, const char *out, size_t len);
    void *ctx; /* outlives the entry */
};

#define ENTRY_FILTER_GROWTH 3
#define ENTRY_FIRST         1u
#define ENTRY_LAST          2u

/* A new entry of the section. `name` is its path in the archive, copied: segments of [A-Za-z0-9._-] with '/'
 * between them, none "." or "..", unique in the section. Two sections may hold the same names, as two answers of one
 * source do, as long as all but one are dropped before bundle_write. `filter` is copied and may be NULL. Takes more than
 * a millisecond, for the entry's keys. Fails with "bad_name", "duplicate_name" or "too_many_entries". */
int entry_open(struct entry **entry, struct section *section, const char *name,
               const struct entry_filter *filter, struct fault *fault) __attribute__((warn_unused_result));

/* Adds bytes that stay together: one call's bytes (at most the pool's block_bytes) always reach the filter in
 * one piece. Blocks while the pool has no free block. A fault that a pool thread met earlier is reported here
 * or at the end. */
int entry_write(struct entry *entry, const void *data, size_t len, struct fault *fault)
    __attribute__((warn_unused_result));

/* Ends the entry and waits until its last byte is in the spool. An entry that met a fault, here or before,
 * can only be dropped; with "spool_failed" the disk was full or failed, and the same may succeed later. */
int entry_end(struct entry *entry, struct fault *fault) __attribute__((warn_unused_result));

/* Takes one entry, ended or not, out of its section and frees it. NULL is harmless. */
void entry_drop(struct entry *entry);

struct entry_info {
    const char *name;
    uint64_t bytes;           /* plain, after the filter: what a reader extracts */
    uint64_t sealed_bytes;    /* as it lies in the archive */
    unsigned char sha256[32]; /* of the plain bytes, after the filter */
};

/* The facts of an entry that has ended. Valid until the entry is dropped or the bundle freed. */
const struct entry_info *entry_info(const struct entry *entry);

/* Calls `visit_cb` for each ended entry, by section in the order of their making, until it returns non-zero,
 * which is returned. */
int bundle_each_entry(const struct bundle *bundle, int (*visit_cb)(const struct entry_info *info, void *ctx),
                      void *ctx);

/* Where an archive's bytes go, strictly one after the other: a store's object, or a file. -1 fails the
 * archive. */
struct archive_sink {
    int (*write)(void *ctx, const void *data, size_t len, struct fault *fault);
    void *ctx;
};

struct archive_info {
    uint64_t bytes;
    unsigned char sha256[32];
};

/* Writes all ended entries, at least one, as one zip (zip64 where needed). `mtime_unix_s` is every entry's
 * time, written as UTC. Entries that have not ended or have the same name are a fault. May be called once. `info` is filled on
 * success only; on a fault, the sink's own or another, what the sink took is no archive and must be thrown
 * away. */
int bundle_write(struct bundle *bundle, int64_t mtime_unix_s, const struct archive_sink *sink,
                 struct archive_info *info, struct fault *fault) __attribute__((warn_unused_result));

#endif
