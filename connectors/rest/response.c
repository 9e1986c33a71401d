#include "response.h"

#include <string.h>
#include <strings.h>

#define HEADERS_MAX ((size_t)65536)

void response_init(struct response *response, size_t body_max)
{
    *response = (struct response){.status = 0};
    buf_init(&response->headers, HEADERS_MAX);
    buf_init(&response->body, body_max);
}

void response_wipe(struct response *response)
{
    buf_wipe(&response->headers);
    buf_wipe(&response->body);
}

void response_clear(struct response *response)
{
    response->status = 0;
    response->retry_after_ms = 0;
    buf_clear(&response->headers);
    buf_clear(&response->body);
}

const char *response_header(const struct response *response, const char *name, size_t nth)
{
    const char *line = response->headers.data;
    const char *end = line ? line + response->headers.len : line;
    size_t len = strlen(name);
    for (; line < end; line += strlen(line) + 1) {
        if (strncasecmp(line, name, len) != 0 || line[len] != ':' || nth-- > 0)
            continue;
        return line + len + 1 + strspn(line + len + 1, " \t");
    }
    return NULL;
}
