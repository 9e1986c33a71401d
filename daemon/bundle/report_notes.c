#include "bundle/report_parts.h"

#include <string.h>

/* "Billing › Invoices" for "billing/invoices"; the name itself where the result does not know it. */
static void where(struct page *page, const char *name)
{
    struct html *html = &page->html;
    const struct gather_result *result = page->manifest->result;
    const char *slash = strchr(name, '/');
    for (size_t i = 0; slash && i < result->n_sources; i++) {
        const struct source_result *source = &result->sources[i];
        if (strlen(source->name) != (size_t)(slash - name) ||
            strncmp(source->name, name, (size_t)(slash - name)) != 0)
            continue;
        for (size_t k = 0; k < source->n_collections; k++) {
            if (strcmp(source->collections[k].name, slash + 1) != 0)
                continue;
            html_text(html, source->title);
            html_raw(html, " › ");
            html_text(html, source->collections[k].title);
            return;
        }
    }
    html_text(html, name);
}

static void left_out_row(struct page *page, const json_t *line)
{
    struct html *html = &page->html;
    const char *reason = json_string_value(json_object_get(line, "reason"));
    const char *words = report_withheld(page->lang, reason);
    char count[REPORT_FORMAT_MAX];
    report_number(page->lang, (uint64_t)json_integer_value(json_object_get(line, "count")), count);
    html_raw(html, "<tr><th scope=\"row\">");
    where(page, json_string_value(json_object_get(line, "collection")));
    html_raw(html, "</th><td>");
    if (words) {
        html_text(html, words);
    } else {
        part_words(page, TEXT_WITHHELD_UNKNOWN);
        html_raw(html, " <code>");
        html_text(html, reason);
        html_raw(html, "</code>");
    }
    html_raw(html, "</td><td class=\"number\">");
    html_text(html, count);
    html_raw(html, "</td></tr>\n");
}

void report_left_out(struct page *page)
{
    static const enum report_text columns[] = {TEXT_WITHHELD_WHERE, TEXT_WITHHELD_WHAT, TEXT_WITHHELD_COUNT};
    if (!json_array_size(page->withheld)) {
        part_paragraph(page, TEXT_WITHHELD_NONE);
        return;
    }
    part_paragraph(page, TEXT_WITHHELD_INTRO);
    html_raw(&page->html, "<table>\n");
    part_row_head(page, columns, sizeof columns / sizeof *columns);
    html_raw(&page->html, "<tbody>\n");
    size_t i;
    json_t *line;
    json_array_foreach (page->withheld, i, line)
        left_out_row(page, line);
    html_raw(&page->html, "</tbody>\n</table>\n");
}

void report_your_rights(struct page *page)
{
    struct html *html = &page->html;
    const struct manifest_controller *controller = &page->manifest->controller;
    size_t n_rights;
    const struct report_right *rights = report_rights(page->manifest->regulation, &n_rights);
    html_raw(html, "<p>");
    html_fill(html, report_text(page->lang, TEXT_RIGHTS_INTRO), (const char *[]){controller->name});
    if (controller->contact) {
        html_raw(html, " ");
        part_words(page, TEXT_RIGHTS_CONTACT);
        html_raw(html, " <strong>");
        html_text(html, controller->contact);
        html_raw(html, "</strong>");
    }
    html_raw(html, "</p>\n<dl class=\"facts\">\n");
    for (size_t i = 0; i < n_rights; i++) {
        html_raw(html, "<div><dt>");
        html_text(html, rights[i].name[page->lang]);
        html_raw(html, "</dt><dd>");
        html_text(html, rights[i].text[page->lang]);
        html_raw(html, "</dd></div>\n");
    }
    if (controller->complaints)
        part_term(page, TEXT_COMPLAINTS, controller->complaints);
    html_raw(html, "</dl>\n");
}

void report_reading(struct page *page)
{
    static const enum report_text hints[] = {TEXT_READING_UNPACK, TEXT_READING_JSON, TEXT_READING_MANIFEST,
                                             TEXT_READING_NUMBERS, TEXT_READING_KEEP};
    html_raw(&page->html, "<ul>\n");
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        html_raw(&page->html, "<li>");
        part_words(page, hints[i]);
        html_raw(&page->html, "</li>\n");
    }
    html_raw(&page->html, "</ul>\n");
}
