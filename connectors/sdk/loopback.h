/* loopback: this machine's own addresses, to which nothing travels that others could read. */
#ifndef DSAR_SDK_LOOPBACK_H
#define DSAR_SDK_LOOPBACK_H

#include <stdbool.h>

/* `host`: "localhost" or an address, IPv6 with or without brackets. Looks nothing up; a name is none of this machine. */
bool loopback_is(const char *host);

#endif
