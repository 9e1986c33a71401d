#include "payload.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ITEM_MAX 32768 /* a record takes less */

/* Marsaglia's xorshift64 */
static uint64_t random_next(struct payload *payload)
{
    uint64_t state = payload->random;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return payload->random = state;
}

static void append(struct payload *payload, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(struct payload *payload, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    payload->len += (size_t)vsnprintf(payload->data + payload->len, sizeof payload->data - payload->len,
                                      format, arguments);
    va_end(arguments);
}

static void append_text(struct payload *payload, unsigned n_words)
{
    static const char words[][12] = {
        "the",     "server",   "invoice", "of",         "a",          "domain",  "please",  "Zürich",
        "renewal", "cannot",   "backup",  "and",        "mailbox",    "again",   "thanks",  "regards",
        "with",    "naïve",    "ticket",  "\\\"so\\\"", "transfer",   "to",      "hosting", "4711",
        "expired", "password", "is",      "1.10",       "<b>now</b>", "support", "\\r\\n",  "me@a.test"};
    for (unsigned i = 0; i < n_words; i++)
        append(payload, "%s%s", i ? " " : "", words[random_next(payload) % (sizeof words / sizeof *words)]);
}

static void append_record(struct payload *payload)
{
    uint64_t r = random_next(payload);
    append(payload, "{\"id\":%" PRIu64 ",\"userid\":4711,\"number\":\"EX-%" PRIu64 "\",\"status\":\"%s\"", r,
           r % 1000000, r & 1 ? "Paid" : "Open");
    append(payload, ",\"date\":\"2026-%02u-%02u\",\"due\":\"0000-00-00\",\"total\":%u.%02u,\"tax\":\"0.00\"",
           (unsigned)(r % 12 + 1), (unsigned)(r % 28 + 1), (unsigned)(r >> 40) % 100000,
           (unsigned)(r >> 20) % 100);
    append(payload,
           ",\"currency\":\"CHF\",\"ip\":\"192.0.2.%u\",\"country\":\"CH\",\"department\":\"Support\"",
           (unsigned)r % 256);
    append(payload, ",\"admin\":\"Staff %u\",\"secret\":\"%016" PRIx64 "\",\"flag\":false,\"parent\":null",
           (unsigned)r % 99, r);
    append(payload, ",\"uuid\":\"%016" PRIx64 "%016" PRIx64 "\",\"subject\":\"", r, random_next(payload));
    append_text(payload, 6);
    append(payload, "\",\"message\":\"");
    append_text(payload, r % 16 ? 60 : 1500);
    append(payload, "\",\"notes\":\"\"}\n");
}

static void append_mail(struct payload *payload)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    append(payload, "{\"id\":%" PRIu64 ",\"userid\":4711,\"subject\":\"", random_next(payload));
    append_text(payload, 6);
    append(payload, "\",\"to\":\"alice@example.test\",\"date\":\"2026-01-02 03:04:05\",\"body\":\"");
    for (uint64_t n_lines = 20 + random_next(payload) % 300; n_lines; n_lines--) {
        for (unsigned i = 0; i < 76; i++)
            payload->data[payload->len++] = digits[random_next(payload) >> 58];
        append(payload, "\\r\\n");
    }
    append(payload, "\"}\n");
}

void payload_fill(struct payload *payload, enum payload_kind kind, unsigned number)
{
    payload->random = UINT64_C(88172645463325252) + number * N_KINDS + kind;
    payload->len = payload->n_records = 0;
    if (kind == FILES) {
        for (; payload->len < sizeof payload->data; payload->len += sizeof(uint64_t)) {
            uint64_t r = random_next(payload);
            memcpy(payload->data + payload->len, &r, sizeof r);
        }
        return;
    }
    for (; payload->len + ITEM_MAX < sizeof payload->data; payload->n_records++)
        (kind == MAILS ? append_mail : append_record)(payload);
}
