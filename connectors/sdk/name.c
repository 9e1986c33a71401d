#include "name.h"

#include <dsar/protocol.h>
#include <string.h>

bool name_is_valid(const char *name)
{
    if (!name || *name < 'a' || *name > 'z')
        return false;
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
    return name[len] == '\0' && len <= DSAR_NAME_MAX;
}
