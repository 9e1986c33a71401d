#include "token.h"

#include "base/clock.h"

#include <string.h>

#define ANSWER_MEMORY_MAX ((size_t)1 << 20)
#define TOKEN_MAX         ((size_t)16384)

/* How long a token is kept whose answer does not say how long it holds, and at most. */
#define LIFE_UNSAID_S 300
#define LIFE_MAX_S    86400

/* How long before its end a token is no longer used. */
#define MARGIN_MS 10000

void token_init(struct token *token)
{
    *token = (struct token){.auth = NULL};
    buf_init(&token->text, TOKEN_MAX);
}

void token_wipe(struct token *token)
{
    buf_wipe(&token->text);
    token->auth = NULL;
}

bool token_holds(const struct token *token, const json_t *auth)
{
    return token->auth && json_equal(token->auth, auth) && clock_now_ms() < token->until_ms;
}

json_t *token_request(const json_t *auth, const char *path)
{
    json_t *id = json_object_get(auth, "client_id");
    json_t *secret = json_object_get(auth, "client_secret");
    const char *in = json_string_value(json_object_get(auth, "in"));
    bool in_header = in && strcmp(in, "basic") == 0;
    json_t *form = json_pack("{s:s}", "grant_type", "client_credentials");
    json_t *more = json_object_get(auth, "form");
    json_t *request = json_pack("{s:s, s:s, s:o}", "method", "POST", "path", path, "form", form);
    if (!request)
        return NULL;
    if ((more && json_object_update(form, more)) ||
        (in_header
             ? json_object_set_new(
                   request, "auth",
                   json_pack("{s:s, s:O, s:O}", "kind", "basic", "user", id, "password", secret))
             : json_object_set(form, "client_id", id) || json_object_set(form, "client_secret", secret))) {
        json_decref(request);
        return NULL;
    }
    return request;
}

static bool is_token(const struct node *node)
{
    if (!node || node->kind != NODE_STRING || node->len == 0 || node->len > TOKEN_MAX)
        return false;
    for (size_t i = 0; i < node->len; i++)
        if (node->text[i] <= ' ' || node->text[i] > '~')
            return false;
    return true;
}

static bool is_bearer(const struct node *node)
{
    return !node || node_equals(node, "bearer", strlen("bearer"), true);
}

/* Whole seconds; anything else counts as not said. */
static int64_t life_ms(const struct node *node)
{
    int64_t seconds = 0;
    if (!node_has_text(node) || node->len == 0)
        return (int64_t)LIFE_UNSAID_S * 1000;
    for (size_t i = 0; i < node->len && seconds < LIFE_MAX_S; i++) {
        if (node->text[i] < '0' || node->text[i] > '9')
            return (int64_t)LIFE_UNSAID_S * 1000;
        seconds = seconds * 10 + (node->text[i] - '0');
    }
    return (seconds < LIFE_MAX_S ? seconds : LIFE_MAX_S) * 1000;
}

int token_keep(struct token *token, const json_t *auth, const struct buf *body, struct fault *fault)
{
    struct tree *tree;
    token_wipe(token);
    if (tree_parse(&tree, body->data ? body->data : "", body->len, ANSWER_MEMORY_MAX, fault))
        return -1;
    const struct node *text = node_at(tree_root(tree), "/access_token");
    int64_t held_ms = life_ms(node_at(tree_root(tree), "/expires_in"));
    int result = -1;
    if (!is_token(text) || !is_bearer(node_at(tree_root(tree), "/token_type"))) {
        fault_set(fault, "no_token", "holds no bearer token");
    } else if (!buf_append(&token->text, text->text, text->len, fault)) {
        token->auth = auth;
        /* a short one is used for half of its time */
        token->until_ms = clock_now_ms() + (held_ms > 2 * MARGIN_MS ? held_ms - MARGIN_MS : held_ms / 2);
        result = 0;
    }
    tree_free(tree);
    return result;
}
