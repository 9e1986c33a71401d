#include "bundle/report_parts.h"

#include <stdio.h>
#include <string.h>

/* A table is for short values of few kinds; anything else reads better as one list a record. */
#define COLUMNS_MAX      6
#define CELL_BYTES_MAX   60
#define SHORT_BYTES_MAX  24 /* a cell whose column holds no more is not broken into lines */
#define VALUE_SHOWN_MAX  2000
#define VALUES_SHOWN_MAX 200

struct rows {
    struct page *page;
    const struct preview *preview;
    size_t n_records;
};

/* Calls `field_cb` for each value of record `i`. */
static void walk(const struct rows *rows, size_t i,
                 void (*field_cb)(void *ctx, const struct report_field *field), void *ctx)
{
    const char *record;
    size_t len;
    preview_record(rows->preview, i, &record, &len);
    struct html *html = &rows->page->html;
    if (!html->failed && report_fields_walk(rows->page->fields, record, len, field_cb, ctx, html->fault))
        html_fail(html);
}

static bool same_path(const char *path, size_t len, const struct report_field *field)
{
    return len == field->path_len && memcmp(path, field->path, len) == 0;
}

static void text_value(struct page *page, const struct report_field *field)
{
    size_t len = field->len;
    if (len > VALUE_SHOWN_MAX) {
        len = VALUE_SHOWN_MAX;
        while (len && ((unsigned char)field->text[len] & 0xc0) == 0x80)
            len--;
    }
    html_raw(&page->html, "<bdi>");
    html_text_n(&page->html, field->text, len);
    html_raw(&page->html, "</bdi>");
    if (len < field->len) {
        html_raw(&page->html, "… <span class=\"muted\">(");
        part_words(page, TEXT_VALUE_CUT);
        html_raw(&page->html, ")</span>");
    }
}

static void field_value(struct page *page, const struct report_field *field)
{
    switch (field->kind) {
    case FIELD_TEXT: text_value(page, field); break;
    case FIELD_NUMBER: html_text_n(&page->html, field->text, field->len); break;
    case FIELD_TRUE: part_words(page, TEXT_YES); break;
    case FIELD_FALSE: part_words(page, TEXT_NO); break;
    case FIELD_EMPTY: html_raw(&page->html, "<span class=\"muted\">–</span>"); break;
    }
}

/* --- as a table
 * ------------------------------------------------------------------------------------------------- */

struct columns {
    size_t n;
    bool unfit;
    struct {
        char path[CELL_BYTES_MAX];
        size_t len;
        bool is_long;
    } at[COLUMNS_MAX];
};

/* Where the column of the field is, or will be: columns->n when it is new. */
static size_t column_of(const struct columns *columns, const struct report_field *field)
{
    size_t i = 0;
    while (i < columns->n && !same_path(columns->at[i].path, columns->at[i].len, field))
        i++;
    return i;
}

static void survey_field(void *ctx, const struct report_field *field)
{
    struct columns *columns = ctx;
    size_t i = column_of(columns, field);
    if (i == COLUMNS_MAX || field->len > CELL_BYTES_MAX || field->path_len > CELL_BYTES_MAX ||
        (field->kind == FIELD_TEXT && memchr(field->text, '\n', field->len)))
        columns->unfit = true;
    if (columns->unfit)
        return;
    if (i == columns->n) {
        memcpy(columns->at[i].path, field->path, field->path_len);
        columns->at[i].len = field->path_len;
        columns->n++;
    }
    columns->at[i].is_long |= field->len > SHORT_BYTES_MAX;
}

static bool fits_a_table(const struct rows *rows, struct columns *columns)
{
    if (rows->n_records < 2)
        return false;
    for (size_t i = 0; i < rows->n_records && !columns->unfit; i++)
        walk(rows, i, survey_field, columns);
    return !columns->unfit && columns->n;
}

struct cell {
    struct page *page;
    const char *path;
    size_t path_len;
    size_t n_values;
};

static void cell_field(void *ctx, const struct report_field *field)
{
    struct cell *cell = ctx;
    if (!same_path(cell->path, cell->path_len, field) || cell->n_values == VALUES_SHOWN_MAX)
        return;
    if (cell->n_values++)
        html_raw(&cell->page->html, ", ");
    field_value(cell->page, field);
}

static void table_head(struct page *page, const struct columns *columns)
{
    struct html *html = &page->html;
    html_raw(html, "<thead><tr>");
    for (size_t i = 0; i < columns->n; i++) {
        html_raw(html, "<th scope=\"col\"><bdi>");
        html_text_n(html, columns->at[i].path, columns->at[i].len);
        html_raw(html, "</bdi></th>");
    }
    html_raw(html, "</tr></thead>\n<tbody>\n");
}

static void table(const struct rows *rows, const struct columns *columns, const char *title)
{
    struct html *html = &rows->page->html;
    html_raw(html, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    html_fill(html, report_text(rows->page->lang, TEXT_TABLE_OF), (const char *[]){title});
    html_raw(html, "\">\n<table class=\"rows\">\n");
    table_head(rows->page, columns);
    for (size_t i = 0; i < rows->n_records; i++) {
        html_raw(html, "<tr>");
        for (size_t k = 0; k < columns->n; k++) {
            struct cell cell = {
                .page = rows->page, .path = columns->at[k].path, .path_len = columns->at[k].len};
            html_raw(html, columns->at[k].is_long ? "<td>" : "<td class=\"short\">");
            walk(rows, i, cell_field, &cell);
            html_raw(html, "</td>");
        }
        html_raw(html, "</tr>\n");
    }
    html_raw(html, "</tbody>\n</table>\n</div>\n");
}

/* --- as lists
 * --------------------------------------------------------------------------------------------------- */

struct list {
    struct page *page;
    size_t n_values;
    size_t path_len; /* of the value before */
    char path[REPORT_PATH_MAX];
};

static void list_field(void *ctx, const struct report_field *field)
{
    struct list *list = ctx;
    struct html *html = &list->page->html;
    if (list->n_values++ >= VALUES_SHOWN_MAX)
        return;
    if (list->n_values > 1 && same_path(list->path, list->path_len, field)) {
        html_raw(html, "<br>");
        field_value(list->page, field);
        return;
    }
    if (list->n_values > 1)
        html_raw(html, "</dd></div>\n");
    memcpy(list->path, field->path, field->path_len);
    list->path_len = field->path_len;
    html_raw(html, "<div><dt><bdi>");
    html_text_n(html, field->path, field->path_len);
    html_raw(html, "</bdi></dt><dd>");
    field_value(list->page, field);
}

static void values_left(struct page *page, size_t n)
{
    char values[REPORT_FORMAT_MAX];
    report_count(page->lang, NOUN_VALUE, n, values);
    html_raw(&page->html, "<p class=\"muted\">… ");
    html_fill(&page->html, report_text(page->lang, TEXT_FIELDS_CUT), (const char *[]){values});
    html_raw(&page->html, "</p>\n");
}

static void one_list(const struct rows *rows, size_t i)
{
    struct html *html = &rows->page->html;
    char number[REPORT_FORMAT_MAX];
    struct list list = {.page = rows->page};
    report_number(rows->page->lang, i + 1, number);
    html_raw(html, "<li>\n<p class=\"nth\">");
    html_fill(html, report_text(rows->page->lang, TEXT_RECORD), (const char *[]){number});
    html_raw(html, "</p>\n<dl>\n");
    walk(rows, i, list_field, &list);
    html_raw(html, list.n_values ? "</dd></div>\n</dl>\n" : "</dl>\n");
    if (list.n_values > VALUES_SHOWN_MAX)
        values_left(rows->page, list.n_values - VALUES_SHOWN_MAX);
    html_raw(html, "</li>\n");
}

void report_rows(struct page *page, const struct collection_result *collection)
{
    const struct rows rows = {
        .page = page, .preview = collection->preview, .n_records = preview_n_records(collection->preview)};
    struct columns columns = {0};
    if (!rows.n_records)
        return;
    if (fits_a_table(&rows, &columns)) {
        table(&rows, &columns, collection->title);
        return;
    }
    html_raw(&page->html, "<ol class=\"records\">\n");
    for (size_t i = 0; i < rows.n_records; i++)
        one_list(&rows, i);
    html_raw(&page->html, "</ol>\n");
}
