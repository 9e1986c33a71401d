#include "pick.h"

#include "../sdk/error.h"

#include <stdio.h>
#include <string.h>

int pick_init(struct pick *pick, const char *pointer, struct buf *rest, base64_use_cb use, void *ctx,
              struct dsar_error *error)
{
    size_t len = 0;
    *pick = (struct pick){.use = use, .ctx = ctx, .rest = rest};
    for (const char *at = pointer; *at == '/';) {
        if (pick->n_tokens == PICK_TOKENS_MAX)
            return dsar_error_set(error, "bad_profile", false, "a pointer to base64 has too many segments");
        pick->token_at[pick->n_tokens++] = len;
        for (at++; *at && *at != '/'; at++) {
            if (len == sizeof pick->tokens - 1)
                return dsar_error_set(error, "bad_profile", false, "a pointer to base64 is too long");
            bool is_escape = *at == '~' && (at[1] == '0' || at[1] == '1');
            pick->tokens[len++] = !is_escape ? *at : *++at == '1' ? '/' : '~';
        }
    }
    pick->token_at[pick->n_tokens] = len;
    return 0;
}

static int bad(struct dsar_error *error, const char *why)
{
    return dsar_error_set(error, "source_answer", true, "the answer with a file %s", why);
}

static bool in_object(const struct pick *pick)
{
    return pick->depth > 0 && pick->are_objects >> (pick->depth - 1) & 1;
}

/* The innermost array or object is at another member. */
static void step_to(struct pick *pick, const char *name, size_t len)
{
    unsigned at = pick->depth - 1;
    if (pick->n_matched < at)
        return;
    pick->n_matched = at;
    if (at < pick->n_tokens && len == pick->token_at[at + 1] - pick->token_at[at] &&
        memcmp(name, pick->tokens + pick->token_at[at], len) == 0)
        pick->n_matched++;
}

static void step_to_index(struct pick *pick)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%zu", pick->indexes[pick->depth - 1]);
    step_to(pick, text, (size_t)len);
}

static int open_container(struct pick *pick, bool is_object, struct dsar_error *error)
{
    if (pick->depth == PICK_DEPTH_MAX)
        return bad(error, "is nested too deep");
    uint64_t bit = (uint64_t)1 << pick->depth;
    pick->are_objects = is_object ? pick->are_objects | bit : pick->are_objects & ~bit;
    pick->indexes[pick->depth++] = 0;
    pick->wants_key = is_object;
    if (!is_object)
        step_to_index(pick);
    return 0;
}

static void close_container(struct pick *pick)
{
    if (pick->depth > 0)
        pick->depth--;
    if (pick->n_matched > pick->depth)
        pick->n_matched = pick->depth;
    pick->wants_key = false;
}

static void next_member(struct pick *pick)
{
    pick->wants_key = in_object(pick);
    if (pick->depth == 0 || pick->wants_key)
        return;
    pick->indexes[pick->depth - 1]++;
    step_to_index(pick);
}

static int begin_string(struct pick *pick, struct dsar_error *error)
{
    pick->in_string = true;
    pick->key_len = 0;
    pick->is_picked = !pick->wants_key && pick->depth == pick->n_tokens && pick->n_matched == pick->n_tokens;
    if (pick->is_picked && pick->is_found)
        return bad(error, "has it twice");
    return 0;
}

static int end_string(struct pick *pick, struct dsar_error *error)
{
    pick->in_string = false;
    if (pick->is_picked) {
        pick->is_picked = false;
        pick->is_found = true;
        return base64_end(&pick->base64, pick->use, pick->ctx, error);
    }
    if (pick->wants_key) {
        pick->wants_key = false;
        step_to(pick, pick->key, pick->key_len);
    }
    return 0;
}

/* A key with an escape in it, or a long one, is none that is looked for. */
static void take_key(struct pick *pick, char c)
{
    if (c == '\\' || pick->key_len == PICK_TEXT_MAX)
        pick->key_len = PICK_TEXT_MAX;
    else
        pick->key[pick->key_len++] = c;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One more character of an escape in the text: what it stands for, '\0' while it goes on, -1 for what is no base64. */
static int take_escape(struct pick *pick, char c)
{
    if (pick->n_escape == 1 && c != 'u') {
        pick->n_escape = 0;
        return c == '/' ? '/' : c == 'n' || c == 'r' || c == 't' ? ' ' : -1;
    }
    if (pick->n_escape++ == 1) {
        pick->escaped = 0;
        return '\0';
    }
    int digit = hex_value(c);
    if (digit < 0)
        return -1;
    pick->escaped = pick->escaped << 4 | (unsigned)digit;
    if (pick->n_escape < 6)
        return '\0';
    pick->n_escape = 0;
    return pick->escaped > 0 && pick->escaped < 0x80 ? (int)pick->escaped : -1;
}

/* Decodes the text up to its end, or to an escape. Returns how many characters were taken; 0 with an error. */
static size_t take_text(struct pick *pick, const char *data, size_t len, struct dsar_error *error)
{
    size_t n = 0;
    if (pick->n_escape > 0) {
        int c = take_escape(pick, *data);
        const char one = (char)c;
        if (c < 0) {
            bad(error, "is no base64");
            return 0;
        }
        return c == '\0' || !base64_feed(&pick->base64, &one, 1, pick->use, pick->ctx, error) ? 1 : 0;
    }
    while (n < len && data[n] != '"' && data[n] != '\\')
        n++;
    if (n > 0)
        return base64_feed(&pick->base64, data, n, pick->use, pick->ctx, error) ? 0 : n;
    pick->n_escape = 1;
    return 1;
}

static int take_mark(struct pick *pick, char c, struct dsar_error *error)
{
    switch (c) {
    case '"': return begin_string(pick, error);
    case '{': return open_container(pick, true, error);
    case '[': return open_container(pick, false, error);
    case '}':
    case ']': close_container(pick); return 0;
    case ',': next_member(pick); return 0;
    default: return 0;
    }
}

/* One character of a string that stays in the document. */
static int take_kept(struct pick *pick, char c, struct dsar_error *error)
{
    if (pick->n_escape > 0) {
        pick->n_escape = 0;
        return 0;
    }
    if (c == '"')
        return end_string(pick, error);
    if (pick->wants_key)
        take_key(pick, c);
    pick->n_escape = c == '\\';
    return 0;
}

int pick_feed(struct pick *pick, const char *data, size_t len, struct dsar_error *error)
{
    struct fault fault;
    for (size_t i = 0; i < len;) {
        if (pick->is_picked && (data[i] != '"' || pick->n_escape > 0)) {
            size_t n = take_text(pick, data + i, len - i, error);
            if (n == 0)
                return -1;
            i += n;
            continue;
        }
        int result = pick->is_picked   ? end_string(pick, error)
                     : pick->in_string ? take_kept(pick, data[i], error)
                                       : take_mark(pick, data[i], error);
        if (result)
            return -1;
        if (buf_append(pick->rest, &data[i], 1, &fault))
            return strcmp(fault.code, "too_large") == 0 ? bad(error, "is too long beside it")
                                                        : error_from_fault(error, &fault);
        i++;
    }
    return 0;
}

bool pick_is_whole(const struct pick *pick)
{
    return pick->is_found;
}
