#include "http.h"

#include "wipe.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_TIMEOUT_MS 10000L
#define SILENCE_MAX_S      30L
#define RETRY_AFTER_MAX_S  3600

struct http {
    CURL *curl;
    struct http_options options;
};

/* One call on its way. */
struct call {
    struct http *http;
    const struct http_wait *wait;
    struct response *response;
    struct fault fault; /* why body or headers were not kept */
    bool is_too_large;
    struct dsar_error stop; /* why the session, or who takes the body, wants it stopped */
    bool is_stopped;
};

static bool is_good(CURL *curl)
{
    long status = 0;
    return !curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) && status >= 200 && status < 300;
}

static int sink(struct call *call, const char *data, size_t len)
{
    struct response *response = call->response;
    response->n_sunk += len;
    call->is_too_large = response->n_sunk > call->http->options.sunk_max_bytes;
    if (call->is_too_large)
        return -1;
    call->is_stopped = response->sink(data, len, &call->stop, response->ctx) != 0;
    return call->is_stopped ? -1 : 0;
}

static int keep(struct call *call, struct buf *buf, const char *data, size_t len)
{
    if (!buf_append(buf, data, len, &call->fault))
        return 0;
    call->is_too_large = strcmp(call->fault.code, "too_large") == 0;
    return -1;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct call *call = ctx;
    (void)size; /* always 1 */
    bool is_sunk = call->response->sink && is_good(call->http->curl);
    return (is_sunk ? sink(call, data, n) : keep(call, &call->response->body, data, n)) ? n + 1 : n;
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
    struct call *call = ctx;
    struct buf *headers = &call->response->headers;
    size_t len = n;
    (void)size;
    /* another answer begins: what came before was a proxy's, or "100 Continue" */
    if (n >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        buf_clear(headers);
        return n;
    }
    while (len && (data[len - 1] == '\r' || data[len - 1] == '\n' || data[len - 1] == ' '))
        len--;
    if (len == 0 || memchr(data, '\0', len))
        return n;
    return keep(call, headers, data, len) || keep(call, headers, "", 1) ? n + 1 : n;
}

static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    struct call *call = ctx;
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    if (call->is_stopped)
        return 1;
    call->is_stopped =
        dsar_progress(call->wait->session, call->wait->done, call->wait->total, &call->stop) != 0;
    return call->is_stopped;
}

static bool set_trust(CURL *curl, const struct http_options *options)
{
    if (curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) ||
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) ||
        curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2))
        return false;
    /* instead of the system's: the folder of those would be asked as well */
    if (options->ca_file && (curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file) ||
                             curl_easy_setopt(curl, CURLOPT_CAPATH, (char *)NULL)))
        return false;
    if (!options->cert_file)
        return true;
    const struct curl_blob key = {
        .data = (char *)(uintptr_t)options->client_key, /* only read */
        .len = strlen(options->client_key),
        .flags = CURL_BLOB_NOCOPY,
    };
    return !curl_easy_setopt(curl, CURLOPT_SSLCERT, options->cert_file) &&
           !curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &key);
}

/* What the environment says of proxies is never asked. */
static bool set_proxy(CURL *curl, const struct http_options *options)
{
    bool is_used = options->proxy && !options->site->is_plain;
    return !curl_easy_setopt(curl, CURLOPT_PROXY, is_used ? options->proxy : "") &&
           !curl_easy_setopt(curl, CURLOPT_NOPROXY, is_used ? "" : "*");
}

static bool set_fixed_options(CURL *curl, const struct http_options *options)
{
    return !curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, options->site->is_plain ? "http" : "https") &&
           !curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) && set_proxy(curl, options) &&
           set_trust(curl, options) && !curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) &&
           !curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS) &&
           !curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L) &&
           !curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, SILENCE_MAX_S) &&
           !curl_easy_setopt(curl, CURLOPT_USERAGENT, "dsard/" DSAR_VERSION) &&
           !curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) &&
           !curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) &&
           !curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress) &&
           !curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

int http_open(struct http **http, const struct http_options *options, struct dsar_error *error)
{
    struct http *made = calloc(1, sizeof *made);
    if (!made)
        return dsar_error_set(error, "no_memory", true, "no memory");
    made->options = *options;
    made->curl = curl_easy_init();
    if (!made->curl || !set_fixed_options(made->curl, options)) {
        http_close(made);
        return dsar_error_set(error, "internal", false, "libcurl refuses an option");
    }
    *http = made;
    return 0;
}

void http_close(struct http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    free(http);
}

static bool add_header(struct curl_slist **list, const char *header)
{
    struct curl_slist *longer = curl_slist_append(*list, header);
    if (longer)
        *list = longer;
    return longer != NULL;
}

static bool add_bearer(struct curl_slist **list, const char *bearer)
{
    struct buf header;
    struct fault fault;
    buf_init(&header, strlen(bearer) + 64);
    bool is_added = !buf_append_text(&header, "Authorization: Bearer ", &fault) &&
                    !buf_append_text(&header, bearer, &fault) && add_header(list, header.data);
    buf_wipe(&header);
    return is_added;
}

/* What the request accepts, unless its own headers say so. */
static bool add_accept(struct curl_slist **list, const struct request *request)
{
    static const char name[] = "Accept:";
    const char *header = request->headers.data;
    const char *end = header ? header + request->headers.len : header;
    for (; header < end; header += strlen(header) + 1)
        if (strncasecmp(header, name, strlen(name)) == 0)
            return true;
    return add_header(list, request->is_download ? "Accept: */*" : "Accept: application/json");
}

static bool set_headers(struct curl_slist **list, const struct request *request, const char *bearer)
{
    const char *header = request->headers.data;
    const char *end = header ? header + request->headers.len : header;
    /* no Expect: it costs a round trip, and old servers stumble over it */
    if (!add_header(list, "Expect:") || !add_accept(list, request))
        return false;
    for (; header < end; header += strlen(header) + 1)
        if (!add_header(list, header))
            return false;
    return !bearer || add_bearer(list, bearer);
}

static bool set_call_options(CURL *curl, const char *url, struct curl_slist *headers,
                             const struct request *request, struct call *call)
{
    int64_t left_ms = dsar_time_left_ms(call->wait->session);
    bool is_set = !curl_easy_setopt(curl, CURLOPT_URL, url) &&
                  !curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) &&
                  !curl_easy_setopt(curl, CURLOPT_WRITEDATA, call) &&
                  !curl_easy_setopt(curl, CURLOPT_HEADERDATA, call) &&
                  !curl_easy_setopt(curl, CURLOPT_XFERINFODATA, call) &&
                  !curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left_ms > 0 ? (long)left_ms : 1L);
    if (!request->is_post)
        return is_set && !curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    return is_set && !curl_easy_setopt(curl, CURLOPT_POST, 1L) &&
           !curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->form.len) &&
           !curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->form.data ? request->form.data : "");
}

static int failed(const struct http *http, const struct request *request, const char *code, const char *what,
                  struct dsar_error *error)
{
    return dsar_error_set(error, code, true, "%s%s: %s", http->options.site->host, request->label.data, what);
}

static int too_large(const struct http *http, const struct request *request, const struct response *response,
                     struct dsar_error *error)
{
    bool is_file = response->n_sunk > 0;
    return dsar_error_set(
        error, "source_answer", false,
        "%s%s: the answer is longer than %llu bytes; the setting %s allows more", http->options.site->host,
        request->label.data,
        (unsigned long long)(is_file ? http->options.sunk_max_bytes : http->options.answer_max_bytes),
        is_file ? "file_max_bytes" : "answer_max_bytes");
}

static int check_transfer(const struct request *request, CURLcode code, const struct call *call,
                          struct dsar_error *error)
{
    if (code == CURLE_OK)
        return 0;
    if (call->is_stopped) {
        *error = call->stop;
        return -1;
    }
    if (call->is_too_large)
        return too_large(call->http, request, call->response, error);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return failed(call->http, request, "source_timeout", "no answer in time", error);
    if (code == CURLE_OUT_OF_MEMORY || code == CURLE_WRITE_ERROR)
        return dsar_error_set(error, "no_memory", true, "no memory for an answer");
    /* what libcurl says of a code is a fixed text */
    return failed(call->http, request, "source_unreachable", curl_easy_strerror(code), error);
}

static int64_t retry_after_ms(CURL *curl)
{
    curl_off_t seconds = 0;
    if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) || seconds < 0)
        return 0;
    return (seconds < RETRY_AFTER_MAX_S ? (int64_t)seconds : RETRY_AFTER_MAX_S) * 1000;
}

int http_exchange(struct http *http, const struct http_wait *wait, const struct request *request,
                  const char *bearer, struct response *response, struct dsar_error *error)
{
    struct call call = {.http = http, .wait = wait, .response = response};
    const char *place = request->from_origin ? http->options.site->origin : http->options.site->base;
    struct curl_slist *headers = NULL;
    struct buf url;
    int result = -1;
    buf_init(&url, strlen(place) + request->target.len);
    if (buf_append_text(&url, place, &call.fault) ||
        buf_append(&url, request->target.data, request->target.len, &call.fault) ||
        !set_headers(&headers, request, bearer) ||
        !set_call_options(http->curl, url.data, headers, request, &call)) {
        dsar_error_set(error, "no_memory", true, "no memory for a call");
        goto out;
    }
    CURLcode code = curl_easy_perform(http->curl);
    result = check_transfer(request, code, &call, error);
    if (curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &response->status))
        response->status = 0;
    response->retry_after_ms = retry_after_ms(http->curl);
out:
    /* the handle must not keep what is freed here */
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, NULL);
    curl_slist_free_all(headers);
    buf_wipe(&url);
    return result;
}
