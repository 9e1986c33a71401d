#include "site.h"

#include "../sdk/loopback.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A part of a URL: the caller's to give to curl_free, NULL when it is not there. */
static char *part_of(CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    return curl_url_get(url, part, &text, flags) ? NULL : text;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = part_of(url, part, 0);
    curl_free(text);
    return text != NULL;
}

static char *join(const char *first, const char *second)
{
    size_t len = strlen(first);
    size_t rest = strlen(second) + 1;
    char *joined = malloc(len + rest);
    if (joined) {
        memcpy(joined, first, len);
        memcpy(joined + len, second, rest);
    }
    return joined;
}

/* Scheme, host and port as a URL of their own; the default port left out. */
static char *origin_of(CURLU *url)
{
    char *origin = NULL;
    CURLU *bare = curl_url_dup(url);
    if (bare && !curl_url_set(bare, CURLUPART_PATH, NULL, 0) &&
        !curl_url_set(bare, CURLUPART_QUERY, NULL, 0) && !curl_url_set(bare, CURLUPART_FRAGMENT, NULL, 0) &&
        !curl_url_set(bare, CURLUPART_USER, NULL, 0) && !curl_url_set(bare, CURLUPART_PASSWORD, NULL, 0)) {
        char *text = part_of(bare, CURLUPART_URL, CURLU_NO_DEFAULT_PORT);
        origin = text ? strdup(text) : NULL;
        curl_free(text);
    }
    curl_url_cleanup(bare);
    for (size_t len = origin ? strlen(origin) : 0; len && origin[len - 1] == '/'; len--)
        origin[len - 1] = '\0';
    return origin;
}

static int bad_url(const char *setting, const char *expected, struct dsar_error *error)
{
    return dsar_error_set(error, "bad_settings", false, "%s: expected %s", setting, expected);
}

static int check(struct site *site, CURLU *url, const char *setting, struct dsar_error *error)
{
    char *scheme = part_of(url, CURLUPART_SCHEME, 0);
    char *host = part_of(url, CURLUPART_HOST, 0);
    int result = -1;
    site->is_plain = scheme && strcmp(scheme, "http") == 0;
    if (!scheme || !host || (!site->is_plain && strcmp(scheme, "https") != 0))
        bad_url(setting, "https://HOST[:PORT][/PATH]", error);
    else if (site->is_plain && !loopback_is(host))
        bad_url(setting, "https://: http:// is for this machine's own addresses alone", error);
    else if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD) ||
             has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
        bad_url(setting, "no user, query or fragment in it", error);
    else if (!(site->host = strdup(host)))
        dsar_error_set(error, "no_memory", true, "no memory");
    else
        result = 0;
    curl_free(scheme);
    curl_free(host);
    return result;
}

static int keep(struct site *site, CURLU *url, struct dsar_error *error)
{
    char *path = part_of(url, CURLUPART_PATH, 0);
    site->origin = origin_of(url);
    site->path = path ? strdup(path) : NULL;
    site->base = site->origin && path ? join(site->origin, path) : NULL;
    curl_free(path);
    if (!site->origin || !site->path || !site->base)
        return dsar_error_set(error, "no_memory", true, "no memory");
    for (size_t len = strlen(site->base); len && site->base[len - 1] == '/'; len--)
        site->base[len - 1] = '\0';
    return 0;
}

int site_read(struct site *site, const char *setting, const char *text, struct dsar_error *error)
{
    CURLU *url = curl_url();
    *site = (struct site){.origin = NULL};
    if (!url)
        return dsar_error_set(error, "no_memory", true, "no memory");
    int result = curl_url_set(url, CURLUPART_URL, text, 0)
                     ? bad_url(setting, "https://HOST[:PORT][/PATH]", error)
                     : check(site, url, setting, error);
    if (!result)
        result = keep(site, url, error);
    curl_url_cleanup(url);
    return result;
}

void site_wipe(struct site *site)
{
    free(site->origin);
    free(site->base);
    free(site->path);
    free(site->host);
    *site = (struct site){.origin = NULL};
}

/* The byte that the escape at `at` stands for; negative for what is none. */
static int unescape(const char *at)
{
    return isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2])
               ? (int)strtol((const char[]){at[1], at[2], '\0'}, NULL, 16)
               : -1;
}

bool site_is_segment(const char *segment, size_t len)
{
    size_t name_len = strcspn(segment, ";/?");
    if (name_len && name_len <= 2 && strspn(segment, ".") == name_len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int c = segment[i] == '%' ? unescape(segment + i) : (unsigned char)segment[i];
        if (c < 0x20 || c == 0x7f || c == '\\' || (segment[i] == '%' && strchr("./;%?#", c)))
            return false;
    }
    return true;
}

bool site_holds(const struct site *site, const char *under, const char *target)
{
    const char *base = site->base + strlen(site->origin);
    const size_t base_len = strlen(base), under_len = strlen(under), path_len = strcspn(target, "?");
    if (path_len < base_len + under_len || memcmp(target, base, base_len) != 0 ||
        memcmp(target + base_len, under, under_len) != 0)
        return false;
    for (const char *segment = target + base_len + under_len; segment < target + path_len;) {
        size_t len = strcspn(segment, "/?");
        if (!site_is_segment(segment, len))
            return false;
        segment += len + (segment[len] == '/');
    }
    return true;
}

static int append_target(struct buf *target, CURLU *url, struct fault *fault)
{
    char *path = part_of(url, CURLUPART_PATH, 0);
    char *query = part_of(url, CURLUPART_QUERY, 0);
    int result = -1;
    if (!path)
        fault_retry(fault, "no_memory", "no memory for a URL");
    else if (!buf_append_text(target, path, fault) &&
             (!query || (!buf_append(target, "?", 1, fault) && !buf_append_text(target, query, fault))))
        result = 0;
    curl_free(path);
    curl_free(query);
    return result;
}

int site_locate(const struct site *site, const char *from, const char *reference, struct buf *target,
                bool *is_elsewhere, struct fault *fault)
{
    CURLU *url = curl_url();
    int result = -1;
    if (!url)
        return fault_retry(fault, "no_memory", "no memory for a URL");
    if (!*reference || curl_url_set(url, CURLUPART_URL, from, 0) ||
        curl_url_set(url, CURLUPART_URL, reference, 0)) {
        fault_set(fault, "bad_reference", "is no URL");
    } else {
        char *origin = origin_of(url);
        *is_elsewhere = !site || !origin || strcasecmp(origin, site->origin) != 0;
        free(origin);
        result = append_target(target, url, fault);
    }
    curl_url_cleanup(url);
    return result;
}
