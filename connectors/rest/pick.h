/* pick: takes one long text out of a JSON document as it comes, and leaves the document without it, so that a file
 * in it needs no memory of its size. Whether the rest is JSON is for whoever reads it. */
#ifndef REST_PICK_H
#define REST_PICK_H

#include "base/buf.h"
#include "base64.h"

#define PICK_DEPTH_MAX  64
#define PICK_TOKENS_MAX 16
#define PICK_TEXT_MAX   256

struct pick {
    base64_use_cb use;
    void *ctx;
    struct buf *rest; /* the document with "" for the text; borrowed */
    char tokens[PICK_TEXT_MAX];
    size_t token_at[PICK_TOKENS_MAX + 1]; /* where each begins; the last is the end */
    unsigned n_tokens;
    unsigned depth;                 /* open arrays and objects */
    unsigned n_matched;             /* how many tokens the way to the present value has matched */
    uint64_t are_objects;           /* a bit for each of `depth` */
    size_t indexes[PICK_DEPTH_MAX]; /* in arrays */
    bool wants_key;
    bool in_string;
    bool is_picked;    /* the string */
    bool is_found;     /* the text has come */
    unsigned n_escape; /* characters of an escape that have come, its backslash included; 0 outside */
    unsigned escaped;  /* what its digits come to */
    char key[PICK_TEXT_MAX];
    size_t key_len; /* PICK_TEXT_MAX: none that is looked for */
    struct base64 base64;
};

/* `pointer` is a JSON Pointer that leads to the text, without `*`; one that is too long fails with "bad_profile". The
 * text is base64, and what it decodes to goes to `use`. */
int pick_init(struct pick *pick, const char *pointer, struct buf *rest, base64_use_cb use, void *ctx,
              struct dsar_error *error) __attribute__((warn_unused_result));

/* Takes a piece of the document. Fails with "source_answer", also when the text comes twice, and as `use` does. */
int pick_feed(struct pick *pick, const char *data, size_t len, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Whether the whole text has come. */
bool pick_is_whole(const struct pick *pick);

#endif
