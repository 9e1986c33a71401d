#include "base/hex.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

void hex_encode(const unsigned char *bytes, size_t len, char *text)
{
    for (size_t i = 0; i < len; i++) {
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 0x0f];
    }
    *text = '\0';
}

int hex_decode(const char *text, unsigned char *bytes, size_t len)
{
    if (strlen(text) != 2 * len || strspn(text, digits) != 2 * len)
        return -1;
    for (size_t i = 0; i < len; i++, text += 2)
        bytes[i] =
            (unsigned char)((strchr(digits, text[0]) - digits) << 4 | (strchr(digits, text[1]) - digits));
    return 0;
}
