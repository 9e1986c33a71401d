/* ascii: letters of ASCII alone, whatever the locale. */
#ifndef DSAR_SDK_ASCII_H
#define DSAR_SDK_ASCII_H

#include <stddef.h>

/* Lower case, in place. */
void ascii_lower(char *text, size_t len);

#endif
