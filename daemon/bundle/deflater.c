#include "bundle/deflater.h"

#include "base/secret.h"

#include <isa-l.h>
#include <stdint.h>

#define STORED_MAX    65535 /* bytes of a stored block; its header takes 5 */
#define STORED_HEADER 5
#define MARGIN        64 /* the flush at the end, and ISA-L's writing by words */

const unsigned char deflate_end[DEFLATE_END_BYTES] = {0x03, 0x00};

struct deflater {
    struct isal_zstream stream;
    uint8_t level_buf[ISAL_DEF_LVL1_DEFAULT];
};

int deflater_new(struct deflater **deflater, struct fault *fault)
{
    *deflater = secret_alloc(sizeof **deflater, fault);
    return *deflater ? 0 : -1;
}

void deflater_free(struct deflater *deflater)
{
    secret_free(deflater, sizeof *deflater);
}

size_t deflate_bound(size_t len)
{
    return len + STORED_HEADER * (len / STORED_MAX + 1) + MARGIN;
}

size_t deflate_piece(struct deflater *deflater, const void *in, size_t in_len, void *out, struct fault *fault)
{
    struct isal_zstream *stream = &deflater->stream;
    uint32_t room = (uint32_t)deflate_bound(in_len);
    isal_deflate_stateless_init(stream);
    stream->level = 1;
    stream->level_buf = deflater->level_buf;
    stream->level_buf_size = sizeof deflater->level_buf;
    stream->flush = FULL_FLUSH;
    stream->end_of_stream = 0;
    stream->next_in = (uint8_t *)(uintptr_t)in; /* ISA-L does not write through it */
    stream->avail_in = (uint32_t)in_len;
    stream->next_out = out;
    stream->avail_out = room;
    int code = isal_deflate_stateless(stream);
    if (code != COMP_OK || stream->avail_in != 0) {
        fault_set(fault, "internal", "deflate failed with code %d", code);
        return 0;
    }
    return room - stream->avail_out;
}
