#include "base64.h"

#include <openssl/crypto.h>

#define CHUNK 3072

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int bad(struct dsar_error *error)
{
    return dsar_error_set(error, "source_answer", true, "a file: expected base64, found something else");
}

/* Puts one character to the others; *out grows by three bytes with every fourth. */
static int take(struct base64 *base64, char c, char *out, size_t *n_out)
{
    int value = value_of(c);
    if (is_space(c))
        return 0;
    if (c == '=' && (base64->n_chars >= 2 || base64->is_padded)) {
        base64->is_padded = true;
        return 0;
    }
    if (value < 0 || base64->is_padded)
        return -1;
    base64->bits = base64->bits << 6 | (uint32_t)value;
    if (++base64->n_chars < 4)
        return 0;
    for (int shift = 16; shift >= 0; shift -= 8)
        out[(*n_out)++] = (char)(base64->bits >> shift & 0xff);
    base64->bits = 0;
    base64->n_chars = 0;
    return 0;
}

int base64_feed(struct base64 *base64, const char *text, size_t len, base64_use_cb use, void *ctx,
                struct dsar_error *error)
{
    char out[CHUNK];
    size_t n_out = 0;
    int result = 0;
    for (size_t i = 0; i < len && !result; i++) {
        if (take(base64, text[i], out, &n_out))
            result = bad(error);
        else if (n_out == CHUNK || (i + 1 == len && n_out > 0)) {
            result = use(out, n_out, error, ctx);
            n_out = 0;
        }
    }
    OPENSSL_cleanse(out, sizeof out);
    return result;
}

int base64_end(struct base64 *base64, base64_use_cb use, void *ctx, struct dsar_error *error)
{
    char out[2];
    if (base64->n_chars == 0)
        return 0;
    if (base64->n_chars == 1)
        return bad(error);
    size_t n_out = base64->n_chars - 1;
    uint32_t bits = base64->bits << 6 * (4 - base64->n_chars);
    out[0] = (char)(bits >> 16 & 0xff);
    out[1] = (char)(bits >> 8 & 0xff);
    return use(out, n_out, error, ctx);
}
