#include "http.h"

#include "wipe.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 10000L
#define SILENCE_MAX_S      30L
#define RETRY_AFTER_MAX_S  3600

struct http {
    CURL *curl;
    char *base; /* without a slash at its end */
    char *host; /* for error texts */
    bool is_plain;
    size_t answer_max_bytes;
};

/* One call on its way. */
struct call {
    const struct http_wait *wait;
    struct buf *body;
    struct fault fault; /* why the body was not kept */
    bool is_too_large;
    struct dsar_error stop; /* why the session wants it stopped */
    bool is_stopped;
};

static bool is_loopback(const char *host)
{
    struct in_addr ip4;
    struct in6_addr ip6;
    char bare[64];
    size_t len = strlen(host);
    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &ip4) == 1)
        return (ntohl(ip4.s_addr) >> 24) == 127;
    if (len < 3 || len >= sizeof bare || host[0] != '[')
        return false;
    memcpy(bare, host + 1, len - 2);
    bare[len - 2] = '\0';
    return inet_pton(AF_INET6, bare, &ip6) == 1 && IN6_IS_ADDR_LOOPBACK(&ip6);
}

static int bad_url(struct dsar_error *error, const char *expected)
{
    return dsar_error_set(error, "bad_settings", false, "base_url: expected %s", expected);
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(url, part, &text, 0);
    curl_free(text);
    return code == CURLUE_OK;
}

static int check_url(struct http *http, CURLU *url, struct dsar_error *error)
{
    char *scheme = NULL;
    char *host = NULL;
    int result = -1;
    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) || curl_url_get(url, CURLUPART_HOST, &host, 0)) {
        bad_url(error, "https://HOST[:PORT][/PATH]");
        goto out;
    }
    http->is_plain = strcmp(scheme, "http") == 0;
    if (!http->is_plain && strcmp(scheme, "https") != 0)
        bad_url(error, "https://");
    else if (http->is_plain && !is_loopback(host))
        bad_url(error, "https://: http:// is for this machine's own addresses alone");
    else if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD) ||
             has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
        bad_url(error, "no user, query or fragment in it");
    else if (!(http->host = strdup(host)))
        dsar_error_set(error, "no_memory", true, "no memory");
    else
        result = 0;
out:
    curl_free(scheme);
    curl_free(host);
    return result;
}

static int set_base(struct http *http, const char *base_url, struct dsar_error *error)
{
    CURLU *url = curl_url();
    if (!url)
        return dsar_error_set(error, "no_memory", true, "no memory");
    int result = curl_url_set(url, CURLUPART_URL, base_url, 0) ? bad_url(error, "https://HOST[:PORT][/PATH]")
                                                               : check_url(http, url, error);
    curl_url_cleanup(url);
    if (result)
        return -1;
    http->base = strdup(base_url);
    if (!http->base)
        return dsar_error_set(error, "no_memory", true, "no memory");
    for (size_t len = strlen(http->base); len && http->base[len - 1] == '/'; len--)
        http->base[len - 1] = '\0';
    return 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct call *call = ctx;
    (void)size; /* always 1 */
    if (buf_append(call->body, data, n, &call->fault)) {
        call->is_too_large = strcmp(call->fault.code, "too_large") == 0;
        return n + 1;
    }
    return n;
}

static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    struct call *call = ctx;
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    call->is_stopped =
        dsar_progress(call->wait->session, call->wait->done, call->wait->total, &call->stop) != 0;
    return call->is_stopped;
}

static bool set_fixed_options(CURL *curl, const struct http_options *options, bool is_plain)
{
    return !curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, is_plain ? "http" : "https") &&
           !curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) &&
           !curl_easy_setopt(curl, CURLOPT_PROXY, "") && !curl_easy_setopt(curl, CURLOPT_NOPROXY, "*") &&
           !curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) &&
           !curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) &&
           !curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           /* instead of the system's: the folder of those would be asked as well */
           (!options->ca_file || (!curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file) &&
                                  !curl_easy_setopt(curl, CURLOPT_CAPATH, (char *)NULL))) &&
           !curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) &&
           !curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS) &&
           !curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L) &&
           !curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, SILENCE_MAX_S) &&
           !curl_easy_setopt(curl, CURLOPT_USERAGENT, "dsard/" DSAR_VERSION) &&
           !curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) &&
           !curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress) &&
           !curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

int http_open(struct http **http, const struct http_options *options, struct dsar_error *error)
{
    struct http *made = calloc(1, sizeof *made);
    if (!made)
        return dsar_error_set(error, "no_memory", true, "no memory");
    made->answer_max_bytes = options->answer_max_bytes;
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free, wipe_realloc, wipe_strdup,
                             wipe_calloc)) {
        free(made);
        return dsar_error_set(error, "internal", false, "libcurl cannot be started");
    }
    if (set_base(made, options->base_url, error))
        goto failed;
    made->curl = curl_easy_init();
    if (!made->curl || !set_fixed_options(made->curl, options, made->is_plain)) {
        dsar_error_set(error, "internal", false, "libcurl refuses an option");
        goto failed;
    }
    *http = made;
    return 0;
failed:
    http_close(made);
    return -1;
}

void http_close(struct http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    free(http->base);
    free(http->host);
    free(http);
    curl_global_cleanup();
}

static int failed(const struct http *http, const struct request *request, const char *code, const char *what,
                  struct dsar_error *error)
{
    return dsar_error_set(error, code, true, "%s%s: %s", http->host, request->label.data, what);
}

int http_bad_answer(const struct http *http, const struct request *request, bool retryable, const char *why,
                    struct dsar_error *error)
{
    return dsar_error_set(error, "source_answer", retryable, "%s%s: the answer %s", http->host,
                          request->label.data, why);
}

static bool set_headers(struct curl_slist **list, const struct request *request)
{
    /* no Expect: it costs a round trip, and old servers stumble over it */
    static const char *const fixed[] = {"Accept: application/json", "Expect:"};
    const char *header = request->headers.data;
    const char *end = header ? header + request->headers.len : header;
    for (size_t i = 0; i < 2; i++) {
        struct curl_slist *longer = curl_slist_append(*list, fixed[i]);
        if (!longer)
            return false;
        *list = longer;
    }
    for (; header < end; header += strlen(header) + 1) {
        struct curl_slist *longer = curl_slist_append(*list, header);
        if (!longer)
            return false;
        *list = longer;
    }
    return true;
}

static bool set_call_options(CURL *curl, const char *url, struct curl_slist *headers,
                             const struct request *request, struct call *call)
{
    int64_t left_ms = dsar_time_left_ms(call->wait->session);
    bool is_set = !curl_easy_setopt(curl, CURLOPT_URL, url) &&
                  !curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) &&
                  !curl_easy_setopt(curl, CURLOPT_WRITEDATA, call) &&
                  !curl_easy_setopt(curl, CURLOPT_XFERINFODATA, call) &&
                  !curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left_ms > 0 ? (long)left_ms : 1L);
    if (!request->is_post)
        return is_set && !curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    return is_set && !curl_easy_setopt(curl, CURLOPT_POST, 1L) &&
           !curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->form.len) &&
           !curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->form.data ? request->form.data : "");
}

static int check_transfer(const struct http *http, const struct request *request, CURLcode code,
                          const struct call *call, struct dsar_error *error)
{
    if (code == CURLE_OK)
        return 0;
    if (call->is_stopped) {
        *error = call->stop;
        return -1;
    }
    if (call->is_too_large)
        return dsar_error_set(
            error, "source_answer", false,
            "%s%s: the answer is longer than %zu bytes; the setting answer_max_bytes allows more", http->host,
            request->label.data, http->answer_max_bytes);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return failed(http, request, "source_timeout", "no answer in time", error);
    if (code == CURLE_OUT_OF_MEMORY || code == CURLE_WRITE_ERROR)
        return dsar_error_set(error, "no_memory", true, "no memory for an answer");
    /* what libcurl says of a code is a fixed text */
    return failed(http, request, "source_unreachable", curl_easy_strerror(code), error);
}

static int64_t retry_after_ms(CURL *curl)
{
    curl_off_t seconds = 0;
    if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) || seconds < 0)
        return 0;
    return (seconds < RETRY_AFTER_MAX_S ? (int64_t)seconds : RETRY_AFTER_MAX_S) * 1000;
}

static int check_status(const struct http *http, const struct request *request, long status,
                        struct dsar_error *error)
{
    const char *code = "source_answer";
    const char *hint = "";
    bool retryable = false;
    if ((status >= 200 && status < 300) || status == 404)
        return 0;
    if (status == 401 || status == 403) {
        code = "source_refused";
        hint = "; the credentials need read access";
    } else if (status == 429 || status == 503) {
        code = "source_busy";
        retryable = true;
    } else if (status >= 500) {
        code = "source_error";
        retryable = true;
    } else if (status >= 300 && status < 400) {
        hint = "; redirects are not followed: base_url must be the final address";
    }
    dsar_error_set(error, code, retryable, "%s%s: answered with status %ld%s", http->host,
                   request->label.data, status, hint);
    if (status == 429 || status == 503)
        error->retry_after_ms = retry_after_ms(http->curl);
    return -1;
}

int http_send(struct http *http, const struct http_wait *wait, const struct request *request,
              struct response *response, struct dsar_error *error)
{
    struct call call = {.wait = wait, .body = &response->body};
    struct curl_slist *headers = NULL;
    struct buf url;
    int result = -1;
    buf_init(&url, strlen(http->base) + request->target.len);
    if (buf_append_text(&url, http->base, &call.fault) ||
        buf_append(&url, request->target.data, request->target.len, &call.fault) ||
        !set_headers(&headers, request) || !set_call_options(http->curl, url.data, headers, request, &call)) {
        dsar_error_set(error, "no_memory", true, "no memory for a call");
        goto out;
    }
    CURLcode code = curl_easy_perform(http->curl);
    if (check_transfer(http, request, code, &call, error))
        goto out;
    if (curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &response->status))
        response->status = 0;
    result = check_status(http, request, response->status, error);
out:
    /* the handle must not keep what is freed here */
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, NULL);
    curl_slist_free_all(headers);
    buf_wipe(&url);
    return result;
}

size_t http_answer_max(const struct http *http)
{
    return http->answer_max_bytes;
}
