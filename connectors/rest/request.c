#include "request.h"

#include "../sdk/error.h"
#include "site.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#define TARGET_MAX  16384
#define FORM_MAX    65536
#define HEADERS_MAX 16384
#define VALUE_MAX   ((size_t)8192)

void request_init(struct request *request)
{
    *request = (struct request){.is_post = false};
    buf_init(&request->target, TARGET_MAX);
    buf_init(&request->form, FORM_MAX);
    buf_init(&request->headers, HEADERS_MAX);
    buf_init(&request->label, TARGET_MAX);
}

void request_wipe(struct request *request)
{
    buf_wipe(&request->target);
    buf_wipe(&request->form);
    buf_wipe(&request->headers);
    buf_wipe(&request->label);
}

/* RFC 3986: all but the unreserved characters. Form decoders read it alike. */
static int append_encoded(struct buf *out, const char *text, size_t len, struct fault *fault)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                        c == '-' || c == '.' || c == '_' || c == '~';
        const char encoded[3] = {'%', digits[c >> 4], digits[c & 15]};
        if (is_plain ? buf_append(out, &text[i], 1, fault) : buf_append(out, encoded, sizeof encoded, fault))
            return -1;
    }
    return 0;
}

enum pairs_in { IN_QUERY, IN_FORM };

static int append_pair(struct buf *out, enum pairs_in where, const char *name, const struct buf *value,
                       struct fault *fault)
{
    const char *separator = out->len ? "&" : "";
    /* the query stands behind the path in the same buffer */
    if (where == IN_QUERY && !strchr(out->data, '?'))
        separator = "?";
    if (buf_append_text(out, separator, fault) || append_encoded(out, name, strlen(name), fault) ||
        buf_append(out, "=", 1, fault))
        return -1;
    return append_encoded(out, value->data, value->len, fault);
}

static int add_pairs(struct buf *out, enum pairs_in where, const json_t *map, const struct sources *sources,
                     struct dsar_error *error)
{
    struct buf text;
    struct fault fault;
    int result = 0;
    buf_init(&text, VALUE_MAX);
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)map, name, value) {
        bool present;
        buf_clear(&text);
        result = value_append(&text, value, sources, &present, error);
        if (!result && present && append_pair(out, where, name, &text, &fault))
            result = error_from_fault(error, &fault);
        if (result)
            break;
    }
    buf_wipe(&text);
    return result;
}

static int add_number(struct buf *out, enum pairs_in where, const char *name, json_int_t number,
                      struct fault *fault)
{
    struct buf text;
    buf_init(&text, VALUE_MAX);
    int result = buf_printf(&text, fault, "%" JSON_INTEGER_FORMAT, number) ||
                         append_pair(out, where, name, &text, fault)
                     ? -1
                     : 0;
    buf_wipe(&text);
    return result;
}

/* The parameter that says which page. */
static int add_position(struct buf *out, enum pairs_in where, const struct paging *paging,
                        const struct page_at *at, struct fault *fault)
{
    switch (paging->kind) {
    case PAGING_NONE:
    case PAGING_LINK:
    case PAGING_NEXT: return 0;
    case PAGING_OFFSET: return add_number(out, where, paging->start, at->skip, fault);
    case PAGING_NUMBER: return add_number(out, where, paging->number, paging->first + at->number, fault);
    case PAGING_CURSOR: break;
    }
    if (!at->cursor)
        return 0;
    const struct buf cursor = {.data = (char *)(uintptr_t)at->cursor,
                               .len = strlen(at->cursor)}; /* only read */
    return append_pair(out, where, paging->cursor, &cursor, fault);
}

static int add_page(struct request *request, const struct paging *paging, const struct page_at *at,
                    struct dsar_error *error)
{
    struct fault fault;
    struct buf *out = paging->in_form ? &request->form : &request->target;
    enum pairs_in where = paging->in_form ? IN_FORM : IN_QUERY;
    if (!at || paging->kind == PAGING_NONE)
        return 0;
    if ((paging->size && add_number(out, where, paging->size, paging->by, &fault)) ||
        add_position(out, where, paging, at, &fault))
        return error_from_fault(error, &fault);
    return 0;
}

static int add_segment(struct request *request, const json_t *segment, const struct sources *sources,
                       struct dsar_error *error)
{
    struct buf text;
    struct fault fault;
    bool present;
    buf_init(&text, VALUE_MAX);
    int result = value_append(&text, segment, sources, &present, error);
    if (result)
        goto out;
    const size_t start = request->target.len + 1;
    if (buf_append(&request->target, "/", 1, &fault) ||
        append_encoded(&request->target, text.data, text.len, &fault) ||
        buf_append(&request->label, "/", 1, &fault) || value_describe(&request->label, segment, &fault))
        result = error_from_fault(error, &fault);
    else if (!site_is_segment(request->target.data + start, request->target.len - start))
        result = dsar_error_set(
            error, "bad_bind", false,
            "a path segment with one of / \\ ; ? # %% or control characters, or of dots alone, "
            "could name another resource");
out:
    buf_wipe(&text);
    return result;
}

/* Path and query of a URL that the system gave. */
static int add_url(struct request *request, const json_t *path, const struct sources *sources,
                   struct dsar_error *error)
{
    const json_t *url = json_object_get(path, "url");
    struct buf text;
    struct fault fault;
    bool present;
    bool is_elsewhere;
    buf_init(&text, VALUE_MAX);
    int result = value_append(&text, url, sources, &present, error);
    if (!result &&
        (site_locate(NULL, "https://site.invalid/", text.data, &request->target, &is_elsewhere, &fault) ||
         buf_append(&request->label, "/", 1, &fault) || value_describe(&request->label, url, &fault)))
        result = strcmp(fault.code, "bad_reference") == 0
                     ? dsar_error_set(error, "bad_bind", false, "what is to be the URL of a call is none")
                     : error_from_fault(error, &fault);
    request->from_origin = true;
    request->under = json_string_value(json_object_get(path, "under"));
    buf_wipe(&text);
    return result;
}

static int add_path(struct request *request, const json_t *path, const struct sources *sources,
                    struct dsar_error *error)
{
    struct fault fault;
    if (json_is_object(path))
        return add_url(request, path, sources, error);
    if (json_is_string(path)) {
        if (buf_append_text(&request->target, json_string_value(path), &fault) ||
            buf_append_text(&request->label, json_string_value(path), &fault))
            return error_from_fault(error, &fault);
        return 0;
    }
    for (size_t i = 0; i < json_array_size(path); i++)
        if (add_segment(request, json_array_get(path, i), sources, error))
            return -1;
    return 0;
}

static int append_header(struct buf *out, const char *name, const struct buf *value, struct dsar_error *error)
{
    struct fault fault;
    for (size_t i = 0; i < value->len; i++)
        if ((unsigned char)value->data[i] < 0x20 || value->data[i] == 0x7f)
            return dsar_error_set(error, "bad_bind", false,
                                  "header %s: expected a value without control characters", name);
    if (buf_append_text(out, name, &fault) || buf_append_text(out, ": ", &fault) ||
        buf_append(out, value->data, value->len + 1, &fault))
        return error_from_fault(error, &fault);
    return 0;
}

static int add_headers(struct request *request, const json_t *map, const struct sources *sources,
                       struct dsar_error *error)
{
    struct buf text;
    int result = 0;
    buf_init(&text, VALUE_MAX);
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)map, name, value) {
        bool present;
        buf_clear(&text);
        result = value_append(&text, value, sources, &present, error);
        if (!result && present)
            result = append_header(&request->headers, name, &text, error);
        if (result)
            break;
    }
    buf_wipe(&text);
    return result;
}

/* RFC 7617; a token is added by whoever makes the call. */
static int add_auth(struct request *request, const json_t *auth, const struct sources *sources,
                    struct dsar_error *error)
{
    struct buf plain;
    struct buf text;
    struct fault fault;
    bool present;
    if (!auth)
        return 0;
    if (strcmp(json_string_value(json_object_get(auth, "kind")), "basic") != 0) {
        request->token_auth = auth;
        return 0;
    }
    buf_init(&plain, 2 * VALUE_MAX);
    buf_init(&text, 4 * VALUE_MAX);
    int result = value_append(&plain, json_object_get(auth, "user"), sources, &present, error);
    if (!result && strchr(plain.data ? plain.data : "", ':'))
        result = dsar_error_set(error, "bad_bind", false,
                                "basic authentication: expected a user name without a colon");
    if (!result && buf_append(&plain, ":", 1, &fault))
        result = error_from_fault(error, &fault);
    if (!result)
        result = value_append(&plain, json_object_get(auth, "password"), sources, &present, error);
    if (!result &&
        (buf_append_text(&text, "Basic ", &fault) || buf_reserve(&text, plain.len / 3 * 4 + 8, &fault)))
        result = error_from_fault(error, &fault);
    if (!result) {
        text.len += (size_t)EVP_EncodeBlock((unsigned char *)text.data + text.len,
                                            (const unsigned char *)plain.data, (int)plain.len);
        result = append_header(&request->headers, "Authorization", &text, error);
    }
    buf_wipe(&plain);
    buf_wipe(&text);
    return result;
}

/* Where the page is that an answer named, in place of path and query. */
static int take_target(struct request *request, const struct page_at *at, struct dsar_error *error)
{
    struct fault fault;
    if (!at || !at->target)
        return 0;
    buf_clear(&request->target);
    request->from_origin = true;
    return buf_append_text(&request->target, at->target, &fault) ? error_from_fault(error, &fault) : 0;
}

int request_build(struct request *request, const struct step *step, const struct sources *sources,
                  const struct page_at *at, struct dsar_error *error)
{
    const json_t *plan = step->request;
    request->is_post = strcmp(json_string_value(json_object_get(plan, "method")), "POST") == 0;
    request->is_repeatable = !request->is_post || json_is_true(json_object_get(plan, "idempotent"));
    request->is_pinned = !step->is_asserted;
    if (add_path(request, json_object_get(plan, "path"), sources, error) ||
        add_pairs(&request->target, IN_QUERY, json_object_get(plan, "query"), sources, error) ||
        add_pairs(&request->form, IN_FORM, json_object_get(plan, "form"), sources, error) ||
        add_page(request, &step->paging, at, error) || take_target(request, at, error) ||
        add_headers(request, json_object_get(plan, "headers"), sources, error))
        return -1;
    return add_auth(request, json_object_get(plan, "auth"), sources, error);
}
