#include "bundle/html.h"

#include <openssl/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void html_begin(struct html *html,
                int (*write_cb)(void *ctx, const void *data, size_t len, struct fault *fault), void *ctx,
                struct fault *fault)
{
    html->write_cb = write_cb;
    html->ctx = ctx;
    html->fault = fault;
    html->failed = false;
    html->len = 0;
}

static void flush(struct html *html)
{
    if (!html->failed && html->len && html->write_cb(html->ctx, html->data, html->len, html->fault))
        html->failed = true;
    html->len = 0;
}

static void put(struct html *html, const char *data, size_t len)
{
    while (len && !html->failed) {
        size_t room = sizeof html->data - html->len;
        size_t n = len < room ? len : room;
        memcpy(html->data + html->len, data, n);
        html->len += n;
        data += n;
        len -= n;
        if (html->len == sizeof html->data)
            flush(html);
    }
}

void html_raw(struct html *html, const char *markup)
{
    put(html, markup, strlen(markup));
}

/* The length of the UTF-8 character (RFC 3629) that `text` begins with, 0 when it is none. */
static size_t decode(const unsigned char *text, size_t len, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = text[0] < 0x80   ? 1
               : text[0] < 0xc2 ? 0
               : text[0] < 0xe0 ? 2
               : text[0] < 0xf0 ? 3
               : text[0] < 0xf5 ? 4
                                : 0;
    if (n == 0 || n > len)
        return 0;
    *character = n == 1 ? text[0] : text[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *character = *character << 6 | (text[i] & 0x3fu);
    }
    bool surrogate = *character >= 0xd800 && *character <= 0xdfff;
    return *character < least[n] || *character > 0x10ffff || surrogate ? 0 : n;
}

static bool is_deceptive(uint32_t c)
{
    return (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || (c >= 0x7f && c <= 0x9f) ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || (c >= 0xfdd0 && c <= 0xfdef) ||
           (c & 0xfffe) == 0xfffe;
}

/* What is written instead of the character, NULL when it stands for itself. */
static const char *instead(uint32_t character, char code[24])
{
    switch (character) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: break;
    }
    if (!is_deceptive(character))
        return NULL;
    snprintf(code, 24, "⟨U+%04X⟩", (unsigned)character);
    return code;
}

void html_text_n(struct html *html, const char *text, size_t len)
{
    char code[24];
    while (len && !html->failed) {
        uint32_t character = 0;
        size_t n = decode((const unsigned char *)text, len, &character);
        const char *other = n ? instead(character, code) : "\xef\xbf\xbd";
        if (other)
            html_raw(html, other);
        else
            put(html, text, n);
        text += n ? n : 1;
        len -= n ? n : 1;
    }
}

void html_text(struct html *html, const char *text)
{
    if (text)
        html_text_n(html, text, strlen(text));
}

void html_fill(struct html *html, const char *template, const char *const *values)
{
    const char *mark;
    while ((mark = strchr(template, '{')) && mark[1] >= '0' && mark[1] <= '9' && mark[2] == '}') {
        html_text_n(html, template, (size_t)(mark - template));
        html_text(html, values[mark[1] - '0']);
        template = mark + 3;
    }
    html_text(html, template);
}

void html_entry_link(struct html *html, const char *path)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-";
    bool link = strspn(path, first) && path[strspn(path, safe)] == '\0' && !strstr(path, "..");
    if (link) {
        html_raw(html, "<a href=\"");
        html_text(html, path);
        html_raw(html, "\">");
    }
    html_raw(html, "<code>");
    html_text(html, path);
    html_raw(html, link ? "</code></a>" : "</code>");
}

void html_fail(struct html *html)
{
    html->failed = true;
}

int html_end(struct html *html)
{
    flush(html);
    OPENSSL_cleanse(html->data, sizeof html->data);
    return html->failed ? -1 : 0;
}
