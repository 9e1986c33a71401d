#include "bundle/inflater.h"

#include "base/secret.h"

#include <isa-l.h>

#define OUT_BYTES 65536

struct inflater {
    struct inflater_options options;
    uint64_t n_written;
    struct inflate_state state;
    uint8_t out[OUT_BYTES];
};

int inflater_new(struct inflater **inflater, const struct inflater_options *options, struct fault *fault)
{
    struct inflater *made = secret_alloc(sizeof *made, fault);
    if (!made)
        return -1;
    made->options = *options;
    isal_inflate_init(&made->state);
    *inflater = made;
    return 0;
}

void inflater_free(struct inflater *inflater)
{
    secret_free(inflater, sizeof *inflater);
}

static int hand_out(struct inflater *inflater, size_t len, struct fault *fault)
{
    if (len > inflater->options.bytes - inflater->n_written)
        return fault_set(fault, "bad_archive", "an entry holds more bytes than the archive says");
    inflater->n_written += len;
    return len ? inflater->options.write_cb(inflater->options.ctx, inflater->out, len, fault) : 0;
}

/* Bytes of the input that the stream did not need: ISA-L reads ahead into its bit buffer. */
static size_t left_over(const struct inflate_state *state)
{
    return state->avail_in + (size_t)state->read_in_length / 8;
}

int inflater_feed(struct inflater *inflater, const void *data, size_t len, struct fault *fault)
{
    struct inflate_state *state = &inflater->state;
    state->next_in = (uint8_t *)(uintptr_t)data; /* ISA-L does not write through it */
    state->avail_in = (uint32_t)len;
    do {
        state->next_out = inflater->out;
        state->avail_out = sizeof inflater->out;
        if (state->block_state != ISAL_BLOCK_FINISH && isal_inflate(state) != ISAL_DECOMP_OK)
            return fault_set(fault, "bad_archive", "an entry's compressed bytes are not valid");
        if (hand_out(inflater, sizeof inflater->out - state->avail_out, fault))
            return -1;
        if (state->block_state == ISAL_BLOCK_FINISH && left_over(state) > 0)
            return fault_set(fault, "bad_archive", "an entry goes on behind the end of its compressed bytes");
    } while (state->avail_out == 0);
    return 0;
}

int inflater_finish(const struct inflater *inflater, struct fault *fault)
{
    if (inflater->state.block_state != ISAL_BLOCK_FINISH)
        return fault_set(fault, "bad_archive", "an entry's compressed bytes end too early");
    if (inflater->n_written != inflater->options.bytes)
        return fault_set(fault, "bad_archive", "an entry holds fewer bytes than the archive says");
    return 0;
}
