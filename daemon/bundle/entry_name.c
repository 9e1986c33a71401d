#include "bundle/entry_name.h"

#include "bundle/bundle.h"

#include <string.h>

bool entry_name_valid(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t total = strlen(name);
    if (total == 0 || total > BUNDLE_ENTRY_NAME_MAX)
        return false;
    for (;;) {
        size_t len = strspn(name, allowed);
        bool dots = len <= 2 && strspn(name, ".") >= len;
        if (len == 0 || dots)
            return false;
        name += len;
        if (*name == '\0')
            return true;
        if (*name++ != '/')
            return false;
    }
}
