/* inflater: reads one raw deflate stream (RFC 1951) that comes in pieces, in constant memory. One thread at a
 * time. */
#ifndef DSAR_BUNDLE_INFLATER_H
#define DSAR_BUNDLE_INFLATER_H

#include "base/fault.h"

#include <stddef.h>
#include <stdint.h>

struct inflater; /* holds plain bytes: secret memory */

struct inflater_options {
    uint64_t bytes; /* the plain size, neither more nor less */
    int (*write_cb)(void *ctx, const void *data, size_t len, struct fault *fault); /* takes the plain bytes */
    void *ctx;
};

/* `options` are copied. */
int inflater_new(struct inflater **inflater, const struct inflater_options *options, struct fault *fault)
    __attribute__((warn_unused_result));
void inflater_free(struct inflater *inflater);

/* The stream's next bytes. Fails with "bad_archive" when they are no deflate, when they give more than the
 * plain size or go on behind the stream's end, or with write_cb's fault. */
int inflater_feed(struct inflater *inflater, const void *data, size_t len, struct fault *fault)
    __attribute__((warn_unused_result));

/* Says that all was fed. Fails with "bad_archive" when the stream has not ended or gave less than the plain
 * size. */
int inflater_finish(const struct inflater *inflater, struct fault *fault) __attribute__((warn_unused_result));

#endif
