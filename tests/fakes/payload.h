/* payload: made-up content for a protocol message, the same in every run. */
#ifndef DSAR_FAKES_PAYLOAD_H
#define DSAR_FAKES_PAYLOAD_H

#include <dsar/protocol.h>
#include <stddef.h>
#include <stdint.h>

/* Records of twenty fields, some with long texts; mails in base64; noise. */
enum payload_kind { RECORDS, MAILS, FILES, N_KINDS };

struct payload {
    char data[DSAR_PAYLOAD_MAX];
    size_t len;
    unsigned n_records; /* 0 for FILES */
    uint64_t random;
};

/* Fills the payload nearly to its end (FILES: to its end). Another `number` gives other content. */
void payload_fill(struct payload *payload, enum payload_kind kind, unsigned number);

#endif
