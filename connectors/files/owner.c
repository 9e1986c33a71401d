#include "owner.h"

#include "../sdk/binding.h"
#include "../sdk/error.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#define PASSWD_BYTES 16384

/* The value as text; NULL with an error. `number` has room for one that is a number in the settings. */
static const char *text_of(const json_t *value, const json_t *settings, const struct dsar_identities *bound,
                           char number[24], struct dsar_error *error)
{
    const char *kind = json_string_value(json_object_get(value, "id"));
    const char *name = json_string_value(json_object_get(value, "setting"));
    const json_t *setting = name ? json_object_get(settings, name) : NULL;
    const char *text = kind ? dsar_identity_first(bound, kind) : json_string_value(setting);
    if (json_is_integer(setting)) {
        snprintf(number, 24, "%lld", (long long)json_integer_value(setting));
        text = number;
    }
    if (!text || !*text) {
        dsar_error_set(error, "empty_bind", false, "owner: no value for {%s}", kind ? kind : name);
        return NULL;
    }
    return text;
}

static int find_user(const char *name, uid_t *uid, struct dsar_error *error)
{
    struct passwd entry;
    struct passwd *found;
    char *room = malloc(PASSWD_BYTES);
    if (!room)
        return error_no_memory(error);
    int failure = getpwnam_r(name, &entry, room, PASSWD_BYTES, &found);
    if (!failure && found)
        *uid = found->pw_uid;
    free(room);
    if (found)
        return *uid ? 0
                    : dsar_error_set(error, "ownership", false,
                                     "owner: what belongs to root is nobody's: expected another user");
    if (failure && failure != ENOENT && failure != ESRCH)
        return dsar_error_set(error, "source_error", true,
                              "owner: users cannot be looked up on this machine");
    return dsar_error_set(
        error, "ownership", false,
        "owner: a user of that name is not known on this machine: use `uid`, or run where it is");
}

static int read_uid(const char *text, uid_t *uid, struct dsar_error *error)
{
    if (binding_check("owner", "uint>0", text, error))
        return -1;
    unsigned long long value = strtoull(text, NULL, 10);
    if (value >= UINT32_MAX)
        return dsar_error_set(error, "bad_identity", false, "owner: expected the number of a user");
    *uid = (uid_t)value;
    return 0;
}

int owner_check(const json_t *owner, const json_t *settings, const struct dsar_identities *bound,
                const struct stat *stat, struct dsar_error *error)
{
    const json_t *uid_value = json_object_get(owner, "uid");
    const json_t *value = uid_value ? uid_value : json_object_get(owner, "user");
    char number[24];
    uid_t uid = 0;
    if (!owner)
        return 0;
    const char *text = text_of(value, settings, bound, number, error);
    if (!text || (uid_value ? read_uid(text, &uid, error) : find_user(text, &uid, error)))
        return -1;
    return stat->st_uid == uid ? 0
                               : dsar_error_set(error, "ownership", false,
                                                "owner: it belongs to another user than the profile says");
}
