/* report_parts: the sections of the report, in the order of the page. Between the report's own files only. */
#ifndef DSAR_BUNDLE_REPORT_PARTS_H
#define DSAR_BUNDLE_REPORT_PARTS_H

#include "bundle/html.h"
#include "bundle/manifest.h"
#include "bundle/preview.h"
#include "bundle/report_fields.h"
#include "bundle/report_format.h"
#include "bundle/report_text.h"

/* The page in the making. */
struct page {
    struct html html;
    enum report_lang lang;
    const struct manifest *manifest;
    const json_t *withheld; /* the ledger */
    struct report_fields *fields;
};

extern const char *const report_style[]; /* the page's style sheet in pieces; NULL ends them */

/* What the sections are made of. */
void part_words(struct page *page, enum report_text text);
void part_open(struct page *page, const char *id, enum report_text heading);
void part_close(struct page *page);
void part_paragraph(struct page *page, enum report_text text);
void part_row_head(struct page *page, const enum report_text *columns, size_t n_columns);

/* One line of a description list whose description the caller writes between these. */
void part_term_open(struct page *page, enum report_text term);
void part_term_close(struct page *page);
void part_term(struct page *page, enum report_text term, const char *description);

/* The title of a source by its name; the name itself where none has it. */
const char *part_source_title(const struct page *page, const char *name);

/* Whether nothing at all was found. */
bool part_is_empty(const struct page *page);

/* Whether anything is missing. */
bool part_has_gaps(const struct page *page);

/* The sections. */
void report_who(struct page *page);
void report_asked(struct page *page);
void report_searched(struct page *page);
void report_missing(struct page *page);
void report_found(struct page *page);
void report_data(struct page *page);
void report_left_out(struct page *page);
void report_your_rights(struct page *page);
void report_reading(struct page *page);

/* The first records of a collection, as a table where that suits them, otherwise one list each. */
void report_rows(struct page *page, const struct collection_result *collection);

#endif
