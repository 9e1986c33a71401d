#include "client.h"

#include "../sdk/error.h"
#include "base/clock.h"
#include "pause.h"
#include "token.h"
#include "wipe.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MIN_BYTES 4096
#define ANSWER_MAX_BYTES ((json_int_t)1 << 30)
#define FILE_MAX_BYTES   ((json_int_t)1 << 40)
#define TOKEN_ANSWER_MAX 65536
#define REDIRECTS_MAX    3
#define BACKOFF_MS       200
/* A longer wait is dsard's matter, which has other work meanwhile. */
#define PATIENCE_MS 5000

/* A place that tokens come from, other than the system. */
struct token_place {
    const char *name; /* the setting that names it; NULL without a place */
    struct site site;
    struct http *http;
};

struct client {
    struct client_options options;
    struct site site;
    struct http *http;
    struct token_place token_place; /* the last one that was asked */
    struct token token;
    size_t answer_max_bytes;
    json_int_t retries;
    int64_t interval_ms; /* between the beginnings of two calls */
    int64_t next_ms;     /* no call begins earlier, on the clock of clock_now_ms */
};

static const char *setting(const struct client *client, const char *name)
{
    return json_string_value(json_object_get(client->options.settings, name));
}

static int read_integer(const struct client *client, const char *name, json_int_t least, json_int_t most,
                        json_int_t *value, struct dsar_error *error)
{
    *value = json_integer_value(json_object_get(client->options.settings, name));
    if (*value >= least && *value <= most)
        return 0;
    return dsar_error_set(error, "bad_settings", false, "%s: expected %lld to %lld", name, (long long)least,
                          (long long)most);
}

static int read_rate(struct client *client, struct dsar_error *error)
{
    const char *text = setting(client, "requests_per_second");
    double rate = client->options.requests_per_second;
    if (text) {
        char *end;
        rate = strtod(text, &end);
        if (!*text || *end || text[strspn(text, "0123456789.")] || rate < CLIENT_RATE_MIN ||
            rate > CLIENT_RATE_MAX)
            return dsar_error_set(error, "bad_settings", false,
                                  "requests_per_second: expected a number from %g to %g", CLIENT_RATE_MIN,
                                  CLIENT_RATE_MAX);
    }
    client->interval_ms = rate > 0 ? (int64_t)(1000 / rate) : 0;
    /* rather a little slower than too fast */
    if (rate > 0 && (double)client->interval_ms * rate < 1000)
        client->interval_ms++;
    return 0;
}

static int check_proxy(const struct client *client, struct dsar_error *error)
{
    const char *proxy = setting(client, "proxy");
    CURLU *url = proxy ? curl_url() : NULL;
    char *scheme = NULL;
    char *user = NULL;
    if (!proxy)
        return 0;
    bool is_fit = url && !curl_url_set(url, CURLUPART_URL, proxy, 0) &&
                  !curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) &&
                  (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
                  curl_url_get(url, CURLUPART_USER, &user, 0);
    curl_free(scheme);
    curl_free(user);
    curl_url_cleanup(url);
    return is_fit ? 0
                  : dsar_error_set(error, "bad_settings", false,
                                   "proxy: expected http://HOST:PORT or https://HOST:PORT, without a user");
}

static int open_http(const struct client *client, const struct site *site, size_t answer_max_bytes,
                     json_int_t file_max_bytes, struct http **http, struct dsar_error *error)
{
    const char *client_key = json_string_value(json_object_get(client->options.secrets, "client_key"));
    const char *cert_file = setting(client, "client_cert_file");
    if (!client_key != !cert_file)
        return dsar_error_set(error, "bad_settings", false,
                              "client_cert_file, client_key: expected both, or neither");
    const struct http_options options = {
        .site = site,
        .ca_file = setting(client, "ca_file"),
        .cert_file = cert_file,
        .client_key = client_key,
        .proxy = setting(client, "proxy"),
        .answer_max_bytes = answer_max_bytes,
        .sunk_max_bytes = (uint64_t)file_max_bytes,
    };
    return http_open(http, &options, error);
}

static int configure(struct client *client, struct dsar_error *error)
{
    json_int_t answer_max;
    json_int_t file_max;
    if (read_integer(client, "answer_max_bytes", ANSWER_MIN_BYTES, ANSWER_MAX_BYTES, &answer_max, error) ||
        read_integer(client, "file_max_bytes", 1, FILE_MAX_BYTES, &file_max, error) ||
        read_integer(client, "retries", 0, CLIENT_RETRIES_MAX, &client->retries, error) ||
        read_rate(client, error) || check_proxy(client, error) ||
        site_read(&client->site, "base_url", setting(client, "base_url"), error))
        return -1;
    client->answer_max_bytes = (size_t)answer_max;
    return open_http(client, &client->site, client->answer_max_bytes, file_max, &client->http, error);
}

int client_open(struct client **client, const struct client_options *options, struct dsar_error *error)
{
    struct client *made = calloc(1, sizeof *made);
    if (!made)
        return error_no_memory(error);
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free, wipe_realloc, wipe_strdup,
                             wipe_calloc)) {
        free(made);
        return dsar_error_set(error, "internal", false, "libcurl cannot be started");
    }
    made->options = *options;
    token_init(&made->token);
    if (configure(made, error)) {
        client_close(made);
        return -1;
    }
    *client = made;
    return 0;
}

static void leave_token_place(struct client *client)
{
    http_close(client->token_place.http);
    site_wipe(&client->token_place.site);
    client->token_place = (struct token_place){.name = NULL};
}

void client_close(struct client *client)
{
    if (!client)
        return;
    http_close(client->http);
    leave_token_place(client);
    token_wipe(&client->token);
    site_wipe(&client->site);
    free(client);
    curl_global_cleanup();
}

static int bad_answer_from(const struct site *site, const struct request *request, bool retryable,
                           const char *why, struct dsar_error *error)
{
    return dsar_error_set(error, "source_answer", retryable, "%s%s: the answer %s", site->host,
                          request->label.data, why);
}

int client_bad_answer(const struct client *client, const struct request *request, bool retryable,
                      const char *why, struct dsar_error *error)
{
    return bad_answer_from(&client->site, request, retryable, why, error);
}

size_t client_answer_max(const struct client *client)
{
    return client->answer_max_bytes;
}

int client_locate(const struct client *client, const struct request *request, const char *reference,
                  struct buf *target, bool *is_elsewhere, struct dsar_error *error)
{
    const char *place = request->from_origin ? client->site.origin : client->site.base;
    struct buf url;
    struct fault fault;
    buf_init(&url, strlen(place) + request->target.len);
    int result = buf_append_text(&url, place, &fault) ||
                         buf_append(&url, request->target.data, request->target.len, &fault)
                     ? error_from_fault(error, &fault)
                     : 0;
    if (!result && site_locate(&client->site, url.data, reference, target, is_elsewhere, &fault))
        result = strcmp(fault.code, "bad_reference") == 0
                     ? client_bad_answer(client, request, true, "leads to what is no URL", error)
                     : error_from_fault(error, &fault);
    buf_wipe(&url);
    return result;
}

/* `site` is who answered. */
static int judge_status(const struct site *site, const struct request *request,
                        const struct response *response, struct dsar_error *error)
{
    long status = response->status;
    const char *code = "source_answer";
    const char *hint = "";
    bool retryable = false;
    if (status >= 200 && status < 300)
        return 0;
    if (status == 401 || status == 403 || status == 407) {
        code = "source_refused";
        hint = "; the credentials need read access";
    } else if (status == 408 || status == 425 || status == 429 || status == 503) {
        code = "source_busy";
        retryable = true;
    } else if (status >= 500) {
        code = "source_error";
        retryable = true;
    } else if (status >= 400) {
        return 0;
    } else if (status >= 300) {
        hint = "; this redirect is not followed: the URL in the settings must be the final address";
    }
    dsar_error_set(error, code, retryable, "%s%s: answered with status %ld%s", site->host,
                   request->label.data, status, hint);
    if (strcmp(code, "source_busy") == 0)
        error->retry_after_ms = response->retry_after_ms;
    return -1;
}

static int keep_pace(struct client *client, const struct http_wait *wait, struct dsar_error *error)
{
    int64_t now_ms = clock_now_ms();
    if (client->next_ms > now_ms && pause_for(wait, client->next_ms - now_ms, error))
        return -1;
    client->next_ms = clock_now_ms() + client->interval_ms;
    return 0;
}

/* The place where `auth` gets its tokens, opened: the secret of one is never sent to another's. *place is NULL when
 * that is the system itself. */
static int go_to_token_place(struct client *client, const json_t *auth, const struct token_place **place,
                             struct dsar_error *error)
{
    const char *name = json_string_value(json_object_get(json_object_get(auth, "token_url"), "setting"));
    struct token_place *last = &client->token_place;
    *place = name ? last : NULL;
    if (!name || (last->name && strcmp(last->name, name) == 0))
        return 0;
    leave_token_place(client);
    const char *url = setting(client, name);
    if (!url)
        return dsar_error_set(error, "bad_settings", false, "%s: a url that must be given", name);
    if (site_read(&last->site, name, url, error) ||
        open_http(client, &last->site, TOKEN_ANSWER_MAX, 1, &last->http, error)) {
        leave_token_place(client);
        return -1;
    }
    last->name = name;
    return 0;
}

/* One call for a token. */
static int ask_token(struct client *client, const struct http_wait *wait, const struct token_place *place,
                     struct request *request, const json_t *auth, struct dsar_error *error)
{
    struct http *http = place ? place->http : client->http;
    const struct site *site = place ? &place->site : &client->site;
    struct response response;
    struct fault fault;
    response_init(&response, TOKEN_ANSWER_MAX);
    int result =
        keep_pace(client, wait, error) || http_exchange(http, wait, request, NULL, &response, error) ? -1 : 0;
    /* RFC 6749, 5.2: wrong credentials are 400 or 401 */
    if (!result && response.status >= 400 && response.status < 500 && response.status != 408 &&
        response.status != 425 && response.status != 429)
        result = dsar_error_set(error, "source_refused", false,
                                "%s%s: answered with status %ld to the credentials", site->host,
                                request->label.data, response.status);
    if (!result)
        result = judge_status(site, request, &response, error);
    if (!result && token_keep(&client->token, auth, &response.body, &fault))
        result = bad_answer_from(site, request, true, fault.text, error);
    response_wipe(&response);
    return result;
}

static int renew_token(struct client *client, const struct http_wait *wait, const json_t *auth,
                       struct dsar_error *error)
{
    const struct sources sources = {.settings = client->options.settings, .secrets = client->options.secrets};
    const struct token_place *place;
    struct request request;
    if (go_to_token_place(client, auth, &place, error))
        return -1;
    const char *path = json_string_value(json_object_get(auth, "token_path"));
    json_t *plan = token_request(auth, place ? place->site.path : path);
    if (!plan)
        return error_no_memory(error);
    request_init(&request);
    int result = request_build(&request, &(struct step){.request = plan}, &sources, NULL, error);
    request.from_origin = place;
    if (!result)
        result = ask_token(client, wait, place, &request, auth, error);
    request_wipe(&request);
    json_decref(plan);
    return result;
}

static int authorize(struct client *client, const struct http_wait *wait, const struct request *request,
                     const char **bearer, struct dsar_error *error)
{
    *bearer = NULL;
    if (!request->token_auth)
        return 0;
    if (!token_holds(&client->token, request->token_auth) &&
        renew_token(client, wait, request->token_auth, error))
        return -1;
    *bearer = client->token.text.data;
    return 0;
}

/* Goes where a redirect leads, if that is at the same place. 1: to be asked there. */
static int redirect(const struct client *client, struct request *request, const struct response *response,
                    struct dsar_error *error)
{
    const char *location = response_header(response, "Location", 0);
    struct buf target;
    struct fault fault;
    bool is_elsewhere;
    if (response->status < 301 || response->status > 308 || response->status == 304 || !location ||
        request->is_post || request->is_pinned)
        return 0;
    buf_init(&target, request->target.max);
    int result = client_locate(client, request, location, &target, &is_elsewhere, error);
    if (!result && is_elsewhere)
        result = client_bad_answer(client, request, false,
                                   "is a redirect to another host, which is never followed", error);
    if (!result) {
        buf_clear(&request->target);
        request->from_origin = true;
        result = buf_append(&request->target, target.data, target.len, &fault)
                     ? error_from_fault(error, &fault)
                     : 1;
    }
    buf_wipe(&target);
    return result;
}

static int try_once(struct client *client, const struct http_wait *wait, struct request *request,
                    struct response *response, struct dsar_error *error)
{
    for (int n_redirects = 0;; n_redirects++) {
        const char *bearer;
        response_clear(response);
        if (request->under && !site_holds(&client->site, request->under, request->target.data))
            return client_bad_answer(client, request, false, "leads out of the folder of its URLs", error);
        if (authorize(client, wait, request, &bearer, error) || keep_pace(client, wait, error) ||
            http_exchange(client->http, wait, request, bearer, response, error))
            return -1;
        int redirected = n_redirects < REDIRECTS_MAX ? redirect(client, request, response, error) : 0;
        if (redirected <= 0)
            return redirected ? -1 : judge_status(&client->site, request, response, error);
    }
}

/* How long to wait before the call is made again; negative when it is not. */
static int64_t before_retry_ms(const struct client *client, const struct http_wait *wait,
                               const struct request *request, const struct response *response,
                               json_int_t n_tries, const struct dsar_error *error)
{
    bool is_passing = strcmp(error->code, "source_unreachable") == 0 ||
                      strcmp(error->code, "source_busy") == 0 || strcmp(error->code, "source_error") == 0;
    if (!is_passing || !request->is_repeatable || response->n_sunk || n_tries > client->retries)
        return -1;
    int64_t wait_ms = (int64_t)BACKOFF_MS << (n_tries - 1);
    if (wait_ms < error->retry_after_ms)
        wait_ms = error->retry_after_ms;
    return wait_ms <= PATIENCE_MS && wait_ms < dsar_time_left_ms(wait->session) ? wait_ms : -1;
}

int client_send(struct client *client, const struct http_wait *wait, struct request *request,
                struct response *response, struct dsar_error *error)
{
    bool is_renewed = false;
    for (json_int_t n_tries = 1;;) {
        if (try_once(client, wait, request, response, error) == 0)
            return 0;
        /* a token may be withdrawn before its time; what was refused has not been done */
        if (response->status == 401 && request->token_auth && !is_renewed) {
            token_wipe(&client->token);
            is_renewed = true;
            continue;
        }
        int64_t wait_ms = before_retry_ms(client, wait, request, response, n_tries++, error);
        if (wait_ms < 0 || pause_for(wait, wait_ms, error))
            return -1;
    }
}
