/* base64: decoding (RFC 4648) as the text comes, either alphabet, white space and missing padding allowed. */
#ifndef REST_BASE64_H
#define REST_BASE64_H

#include <dsar/connector.h>
#include <stdbool.h>
#include <stddef.h>

/* Takes decoded bytes, which are valid during the call alone. -1 ends the decoding. */
typedef int (*base64_use_cb)(const char *data, size_t len, struct dsar_error *error, void *ctx);

struct base64 {
    uint32_t bits;
    unsigned n_chars; /* of the present group of four */
    bool is_padded;   /* nothing but padding may follow */
};

/* Decodes what has come. Fails with "source_answer" where it is no base64, and as `use` does. */
int base64_feed(struct base64 *base64, const char *text, size_t len, base64_use_cb use, void *ctx,
                struct dsar_error *error) __attribute__((warn_unused_result));

/* The text has ended. */
int base64_end(struct base64 *base64, base64_use_cb use, void *ctx, struct dsar_error *error)
    __attribute__((warn_unused_result));

#endif
