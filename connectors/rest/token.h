/* token: OAuth 2.0 client credentials (RFC 6749, 4.4): the token that a system gives for them.
 *
 *   "auth": {"kind": "oauth2", "token_path": "/oauth/v2/token", "client_id": VALUE, "client_secret": VALUE,
 *            "in": "form", "form": {"scope": "read"}} */
#ifndef REST_TOKEN_H
#define REST_TOKEN_H

#include "response.h"
#include "step.h"

/* A token that is kept for as long as it holds. */
struct token {
    const json_t *auth; /* what it was given for; NULL without a token */
    struct buf text;
    int64_t until_ms; /* on the clock of clock_now_ms */
};

void token_init(struct token *token);
void token_wipe(struct token *token);

/* Whether `token` holds for `auth` and still will when a call with it arrives. */
bool token_holds(const struct token *token, const json_t *auth);

/* The request by which `auth` is exchanged for a token, as a profile would write it: a new reference. `path` is
 * where. NULL without memory. */
json_t *token_request(const json_t *auth, const char *path);

/* Keeps what a good answer to that request gives. Fails with what is wrong with it, in words that continue "the
 * answer". */
int token_keep(struct token *token, const json_t *auth, const struct buf *body, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
