#include "bundle/report_parts.h"

#include <stdio.h>
#include <string.h>

void report_who(struct page *page)
{
    const struct manifest_controller *controller = &page->manifest->controller;
    html_raw(&page->html, "<dl class=\"facts\">\n");
    part_term(page, TEXT_CONTROLLER, controller->name);
    part_term(page, TEXT_CONTACT, controller->contact);
    part_term(page, TEXT_COMPLAINTS, controller->complaints);
    html_raw(&page->html, "</dl>\n");
}

static const char *type_words(const struct page *page)
{
    bool portability = strcmp(page->manifest->request_type, "portability") == 0;
    return report_text(page->lang, portability ? TEXT_TYPE_PORTABILITY : TEXT_TYPE_ACCESS);
}

static const char *regulation_words(const struct page *page)
{
    const char *regulation = page->manifest->regulation;
    if (strcmp(regulation, "gdpr") == 0)
        return report_text(page->lang, TEXT_GDPR);
    if (strcmp(regulation, "ccpa") == 0)
        return report_text(page->lang, TEXT_CCPA);
    return regulation;
}

static void identity(struct page *page, const json_t *identity)
{
    struct html *html = &page->html;
    const char *kind = json_string_value(json_object_get(identity, "kind"));
    const char *from = json_string_value(json_object_get(identity, "from"));
    const char *words = report_identity(page->lang, kind);
    html_raw(html, "<li>");
    html_text(html, words ? words : kind);
    html_raw(html, " <bdi class=\"value\">");
    html_text(html, json_string_value(json_object_get(identity, "value")));
    html_raw(html, "</bdi> <span class=\"muted\">(");
    if (from && strcmp(from, "request") != 0)
        html_fill(html, report_text(page->lang, TEXT_FROM_SOURCE),
                  (const char *[]){part_source_title(page, from)});
    else
        part_words(page, TEXT_FROM_REQUEST);
    html_raw(html, ")</span></li>\n");
}

void report_asked(struct page *page)
{
    const struct manifest *manifest = page->manifest;
    char received[REPORT_FORMAT_MAX], answered[REPORT_FORMAT_MAX];
    report_date(page->lang, manifest->submitted_unix_s, received);
    report_date(page->lang, manifest->completed_unix_s, answered);
    html_raw(&page->html, "<dl class=\"facts\">\n");
    part_term(page, TEXT_REQUEST_TYPE, type_words(page));
    part_term(page, TEXT_REGULATION, regulation_words(page));
    part_term(page, TEXT_RECEIVED, received);
    part_term(page, TEXT_ANSWERED, answered);
    part_term(page, TEXT_REQUEST_ID, manifest->request_id);
    part_term_open(page, TEXT_SEARCHED_BY);
    html_raw(&page->html, "<ul class=\"plain\">\n");
    size_t i;
    json_t *known;
    json_array_foreach (manifest->identities, i, known)
        identity(page, known);
    html_raw(&page->html, "</ul>");
    part_term_close(page);
    html_raw(&page->html, "</dl>\n");
}

static void searched_row(struct page *page, const struct source_result *source)
{
    struct html *html = &page->html;
    html_raw(html, "<tr><th scope=\"row\">");
    html_text(html, source->title);
    if (source->purpose) {
        html_raw(html, "<br><span class=\"muted\">");
        html_fill(html, report_text(page->lang, TEXT_USED_FOR), (const char *[]){source->purpose});
        html_raw(html, "</span>");
    }
    html_raw(html, "</th><td><span class=\"status ");
    html_raw(html, source_status_name(source->status));
    html_raw(html, "\">");
    html_text(html, report_status(page->lang, source->status));
    html_raw(html, "</span></td></tr>\n");
}

void report_searched(struct page *page)
{
    static const enum report_text columns[] = {TEXT_SYSTEM, TEXT_RESULT};
    const struct gather_result *result = page->manifest->result;
    part_paragraph(page, TEXT_SEARCHED_INTRO);
    html_raw(&page->html, "<table>\n");
    part_row_head(page, columns, sizeof columns / sizeof *columns);
    html_raw(&page->html, "<tbody>\n");
    for (size_t i = 0; i < result->n_sources; i++)
        searched_row(page, &result->sources[i]);
    html_raw(&page->html, "</tbody>\n</table>\n");
}

/* `collection` is NULL where the whole source is missing. */
static void gap(struct page *page, const struct source_result *source,
                const struct collection_result *collection)
{
    struct html *html = &page->html;
    const char *code = collection ? collection->gap_code : source->gap_code;
    const char *text = collection ? collection->gap_text : source->gap_text;
    const char *words = report_gap(page->lang, code);
    html_raw(html, "<li><strong>");
    html_text(html, source->title);
    if (collection) {
        html_raw(html, " › ");
        html_text(html, collection->title);
    }
    html_raw(html, "</strong><br>");
    html_text(html, report_status(page->lang, collection ? collection->status : source->status));
    html_raw(html, ". ");
    html_text(html, words ? words : report_text(page->lang, TEXT_REASON_UNKNOWN));
    if (code) {
        html_raw(html, "<br><span class=\"muted\">");
        html_fill(html, report_text(page->lang, TEXT_REASON_CODE), (const char *[]){code});
        if (text) {
            html_raw(html, " · ");
            html_text(html, text);
        }
        html_raw(html, "</span>");
    }
    html_raw(html, "</li>\n");
}

void report_missing(struct page *page)
{
    const struct gather_result *result = page->manifest->result;
    html_raw(&page->html, "<p>");
    html_fill(&page->html, report_text(page->lang, TEXT_MISSING_INTRO),
              (const char *[]){page->manifest->controller.name});
    html_raw(&page->html, "</p>\n<ul class=\"gaps\">\n");
    for (size_t i = 0; i < result->n_sources; i++) {
        const struct source_result *source = &result->sources[i];
        if (source->status != SOURCE_FAILED && source->status != SOURCE_PARTIAL)
            continue;
        size_t told = 0;
        for (size_t k = 0; source->status == SOURCE_PARTIAL && k < source->n_collections; k++) {
            enum source_status status = source->collections[k].status;
            if (status != SOURCE_PARTIAL && status != SOURCE_FAILED)
                continue;
            gap(page, source, &source->collections[k]);
            told++;
        }
        if (!told)
            gap(page, source, NULL);
    }
    html_raw(&page->html, "</ul>\n");
}
