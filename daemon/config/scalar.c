#include "config/scalar.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* Replaces the variable whose name begins at `name`. Returns what follows the closing brace, NULL with a
 * fault. */
static const char *expand_variable(const char *name, struct buf *out, struct fault *fault)
{
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ" LOWER DIGITS "_");
    char variable[128];
    if (len == 0 || len >= sizeof variable || name[len] != '}' || isdigit((unsigned char)name[0])) {
        fault_set(fault, "bad_value",
                  "expected ${NAME} with the name of an environment variable; write $$ for a dollar");
        return NULL;
    }
    memcpy(variable, name, len);
    variable[len] = '\0';
    const char *value = getenv(variable);
    if (!value || !*value) {
        fault_set(fault, "bad_value", "environment variable '%s' is not set or empty", variable);
        return NULL;
    }
    json_t *text = json_string(value); /* takes UTF-8 alone */
    if (!text) {
        fault_set(fault, "bad_value", "environment variable '%s' does not hold UTF-8 text", variable);
        return NULL;
    }
    json_decref(text);
    return buf_append_text(out, value, fault) ? NULL : name + len + 1;
}

int scalar_expand(const char *text, struct buf *out, struct fault *fault)
{
    while (*text) {
        size_t literal = strcspn(text, "$");
        if (buf_append(out, text, literal, fault))
            return -1;
        text += literal;
        if (!*text)
            return 0;
        if (text[1] == '$') {
            if (buf_append(out, "$", 1, fault))
                return -1;
            text += 2;
        } else if (text[1] == '{') {
            text = expand_variable(text + 2, out, fault);
            if (!text)
                return -1;
        } else {
            return fault_set(fault, "bad_value",
                             "a single '$': write $$ for a dollar or ${NAME} for an environment variable");
        }
    }
    return 0;
}

bool scalar_names_secret(const char *name)
{
    static const char *const endings[] = {"secret",     "password",   "passwd",      "passphrase",
                                          "token",      "credential", "credentials", "apikey",
                                          "api_key",    "api.key",    "api-key",     "private_key",
                                          "access_key", "secret_key", "auth_key",    "key.pem"};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t ending = strlen(endings[i]);
        if (len < ending || strcasecmp(name + len - ending, endings[i]) != 0)
            continue;
        if (len == ending || !isalnum((unsigned char)name[len - ending - 1]))
            return true;
    }
    return false;
}

char *scalar_path(const char *folder, const char *value)
{
    while (value[0] == '.' && value[1] == '/')
        value += strspn(value + 1, "/") + 1;
    char *path;
    if (value[0] == '/')
        return strdup(value);
    return asprintf(&path, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, value) < 0 ? NULL : path;
}

void scalar_check_file(const char *path, bool secret, struct problems *problems, struct config_mark mark,
                       const struct place *place)
{
    struct stat st;
    if (stat(path, &st)) {
        problem_error(problems, mark, place, "%s: %s", path, strerror(errno));
        return;
    }
    /* before it is opened: to open a pipe or a device may wait or have effects */
    if (!S_ISREG(st.st_mode)) {
        problem_error(problems, mark, place, "%s: expected a regular file", path);
        return;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        problem_error(problems, mark, place, "%s: %s", path, strerror(errno));
        return;
    }
    close(fd);
    if (secret && (st.st_mode & S_IROTH))
        problem_warning(problems, mark, place, "%s: everyone on this machine can read it; chmod o-rwx it",
                        path);
    else if (st.st_mode & S_IWOTH)
        problem_warning(problems, mark, place, "%s: everyone on this machine can alter it; chmod o-w it",
                        path);
}

bool scalar_is_url(const char *text)
{
    const char *rest = strncmp(text, "https://", 8) == 0  ? text + 8
                       : strncmp(text, "http://", 7) == 0 ? text + 7
                                                          : NULL;
    if (!rest || (!isalnum((unsigned char)*rest) && *rest != '['))
        return false;
    for (; *rest; rest++)
        if (!isgraph((unsigned char)*rest) || strchr("#\"<>\\^`{|}", *rest))
            return false;
    return true;
}

bool scalar_is_integer(const char *text, long long *value)
{
    size_t sign = text[0] == '-';
    size_t digits = strspn(text + sign, DIGITS);
    if (digits == 0 || text[sign + digits])
        return false;
    errno = 0;
    *value = strtoll(text, NULL, 10);
    return errno == 0;
}

bool scalar_is_boolean(const char *text, bool *value)
{
    *value = strcmp(text, "true") == 0;
    return *value || strcmp(text, "false") == 0;
}

bool scalar_is_name(const char *text)
{
    size_t len = strspn(text, LOWER DIGITS "_.-");
    return !text[len] && len <= 64 && islower((unsigned char)text[0]);
}
