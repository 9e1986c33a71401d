#include "bundle/report_parts.h"

#include <string.h>

void part_words(struct page *page, enum report_text text)
{
    html_text(&page->html, report_text(page->lang, text));
}

void part_open(struct page *page, const char *id, enum report_text heading)
{
    struct html *html = &page->html;
    html_raw(html, "<section aria-labelledby=\"");
    html_raw(html, id);
    html_raw(html, "\">\n<h2 id=\"");
    html_raw(html, id);
    html_raw(html, "\">");
    part_words(page, heading);
    html_raw(html, "</h2>\n");
}

void part_close(struct page *page)
{
    html_raw(&page->html, "</section>\n");
}

void part_paragraph(struct page *page, enum report_text text)
{
    html_raw(&page->html, "<p>");
    part_words(page, text);
    html_raw(&page->html, "</p>\n");
}

void part_row_head(struct page *page, const enum report_text *columns, size_t n_columns)
{
    html_raw(&page->html, "<thead><tr>");
    for (size_t i = 0; i < n_columns; i++) {
        html_raw(&page->html, "<th scope=\"col\">");
        part_words(page, columns[i]);
        html_raw(&page->html, "</th>");
    }
    html_raw(&page->html, "</tr></thead>\n");
}

void part_term_open(struct page *page, enum report_text term)
{
    html_raw(&page->html, "<div><dt>");
    part_words(page, term);
    html_raw(&page->html, "</dt><dd>");
}

void part_term_close(struct page *page)
{
    html_raw(&page->html, "</dd></div>\n");
}

void part_term(struct page *page, enum report_text term, const char *description)
{
    part_term_open(page, term);
    html_text(&page->html, description ? description : report_text(page->lang, TEXT_NOT_GIVEN));
    part_term_close(page);
}

const char *part_source_title(const struct page *page, const char *name)
{
    const struct gather_result *result = page->manifest->result;
    for (size_t i = 0; i < result->n_sources; i++)
        if (strcmp(result->sources[i].name, name) == 0)
            return result->sources[i].title;
    return name;
}

bool part_is_empty(const struct page *page)
{
    const struct gather_result *result = page->manifest->result;
    return gather_result_records(result) == 0 && gather_result_files(result) == 0;
}

bool part_has_gaps(const struct page *page)
{
    return !gather_result_complete(page->manifest->result);
}
