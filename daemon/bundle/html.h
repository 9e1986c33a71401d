/* html: writes an HTML document piece by piece in constant memory; what is not markup of our own is escaped.
 *
 * Errors stick: after the first, nothing is written, and html_end tells. One thread at a time.
 */
#ifndef DSAR_BUNDLE_HTML_H
#define DSAR_BUNDLE_HTML_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>

struct html {
    int (*write_cb)(void *ctx, const void *data, size_t len, struct fault *fault);
    void *ctx;
    struct fault *fault;
    bool failed;
    size_t len;
    char data[8192]; /* personal data: wiped by html_end */
};

/* Where the bytes go; -1 from `write_cb` ends the writing with its fault. `fault` outlives the document. */
void html_begin(struct html *html,
                int (*write_cb)(void *ctx, const void *data, size_t len, struct fault *fault), void *ctx,
                struct fault *fault);

/* Markup of our own, as it is. */
void html_raw(struct html *html, const char *markup);

/* Text, safe inside an element and inside a quoted attribute. `&`, `<`, `>` and quotes become references;
 * control characters, bidirectional overrides and isolates, and non-characters, which could hide or reorder
 * what is read, become visible as ⟨U+202E⟩; invalid UTF-8 becomes U+FFFD. Line ends and tabs stay. NULL
 * writes nothing. */
void html_text(struct html *html, const char *text);
void html_text_n(struct html *html, const char *text, size_t len);

/* A template of our own in which {0} to {9} stand for values; both are written as text. */
void html_fill(struct html *html, const char *template, const char *const *values);

/* A link to another entry of the bundle, its path as its text. A path that is not [A-Za-z0-9][A-Za-z0-9._/-]*
 * is written as text alone. */
void html_entry_link(struct html *html, const char *path);

/* Ends the writing because of what the caller met; it has filled the fault. */
void html_fail(struct html *html);

/* Writes what is left and wipes. -1 when anything failed. */
int html_end(struct html *html) __attribute__((warn_unused_result));

#endif
