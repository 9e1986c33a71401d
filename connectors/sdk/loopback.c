#include "loopback.h"

#include <arpa/inet.h>
#include <string.h>

bool loopback_is(const char *host)
{
    struct in_addr ip4;
    struct in6_addr ip6;
    char bare[INET6_ADDRSTRLEN];
    size_t len = strlen(host);
    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &ip4) == 1)
        return (ntohl(ip4.s_addr) >> 24) == 127;
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len >= sizeof bare)
        return false;
    memcpy(bare, host, len);
    bare[len] = '\0';
    return inet_pton(AF_INET6, bare, &ip6) == 1 && IN6_IS_ADDR_LOOPBACK(&ip6);
}
