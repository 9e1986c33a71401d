/* report_text: the words of the report in each language. Constant; thread-safe.
 *
 * One more language is one more value here, one more column in each table of report_text.c and
 * report_reasons.c, and its rules for plurals, numbers and dates in report_format.c.
 */
#ifndef DSAR_BUNDLE_REPORT_TEXT_H
#define DSAR_BUNDLE_REPORT_TEXT_H

#include "gather/result.h"

#include <stddef.h>
#include <stdint.h>

enum report_lang { REPORT_EN, REPORT_FR, REPORT_LANGS };

/* For a BCP 47 tag: "fr" and "fr-CH" are French; NULL and what is not known are English. */
enum report_lang report_lang_of(const char *locale);

/* "en", "fr": for the lang attribute. */
const char *report_lang_tag(enum report_lang lang);

/* {0}, {1}, {2} in a text stand for values, as in html_fill. */
enum report_text {
    TEXT_TITLE,
    TEXT_SKIP,
    TEXT_CONTENTS,
    TEXT_PREPARED, /* 0 date */
    TEXT_LEAD,     /* 0 controller, 1 records, 2 files, 3 systems that gave any */
    TEXT_NOTHING,  /* 0 controller, 1 systems searched */
    TEXT_NOTHING_PARTIAL,
    TEXT_COMPLETE,
    TEXT_PARTIAL, /* 0 systems that did not answer in full */
    TEXT_SEE_MISSING,

    TEXT_WHO,
    TEXT_CONTROLLER,
    TEXT_CONTACT,
    TEXT_COMPLAINTS,
    TEXT_NOT_GIVEN,

    TEXT_ASKED,
    TEXT_REQUEST_ID,
    TEXT_REQUEST_TYPE,
    TEXT_TYPE_ACCESS,
    TEXT_TYPE_PORTABILITY,
    TEXT_REGULATION,
    TEXT_GDPR,
    TEXT_CCPA,
    TEXT_RECEIVED,
    TEXT_ANSWERED,
    TEXT_SEARCHED_BY,
    TEXT_FROM_REQUEST,
    TEXT_FROM_SOURCE, /* 0 title of the source */

    TEXT_SEARCHED,
    TEXT_SEARCHED_INTRO,
    TEXT_SYSTEM,
    TEXT_USED_FOR, /* 0 purpose */
    TEXT_RESULT,

    TEXT_MISSING,
    TEXT_MISSING_INTRO, /* 0 controller */
    TEXT_REASON_UNKNOWN,
    TEXT_REASON_CODE, /* 0 code */

    TEXT_FOUND,
    TEXT_FOUND_INTRO,
    TEXT_COLLECTION,
    TEXT_CATEGORY, /* 0 category */
    TEXT_RECORDS,
    TEXT_FILES,
    TEXT_SIZE,
    TEXT_TOTAL,

    TEXT_DATA,
    TEXT_SHOWN, /* 0 records shown, 1 records */
    TEXT_ALL_RECORDS_IN,
    TEXT_FILES_IN, /* 0 files */
    TEXT_RECORD,   /* 0 number */
    TEXT_TABLE_OF, /* 0 title of the collection */
    TEXT_YES,
    TEXT_NO,
    TEXT_VALUE_CUT,
    TEXT_FIELDS_CUT, /* 0 fields */

    TEXT_WITHHELD,
    TEXT_WITHHELD_INTRO,
    TEXT_WITHHELD_NONE,
    TEXT_WITHHELD_WHAT,
    TEXT_WITHHELD_WHERE,
    TEXT_WITHHELD_COUNT,
    TEXT_WITHHELD_UNKNOWN,

    TEXT_RIGHTS,
    TEXT_RIGHTS_INTRO, /* 0 controller */
    TEXT_RIGHTS_CONTACT,

    TEXT_READING,
    TEXT_READING_UNPACK,
    TEXT_READING_JSON,
    TEXT_READING_MANIFEST,
    TEXT_READING_NUMBERS,
    TEXT_READING_KEEP,

    TEXT_FOOT,    /* 0 request id */
    TEXT_POLICY,  /* 0 version */
    TEXT_MADE_BY, /* 0 exporter, 1 version */
    TEXTS
};

const char *report_text(enum report_lang lang, enum report_text text);

enum report_noun { NOUN_RECORD, NOUN_FILE, NOUN_SYSTEM, NOUN_VALUE, NOUN_SEARCHED, NOUN_LEFT_OUT, NOUNS };

/* The form of the noun that goes with `n`. */
const char *report_noun(enum report_lang lang, enum report_noun noun, uint64_t n);

/* "January"; `month` from 1 to 12. */
const char *report_month(enum report_lang lang, unsigned month);

/* How a source, or a collection of one, came out. */
const char *report_status(enum report_lang lang, enum source_status status);

/* Why data is missing or was left out, and what an identity is, in a sentence or word for the person. NULL
 * for a code that is not known. */
const char *report_gap(enum report_lang lang, const char *code);
const char *report_withheld(enum report_lang lang, const char *code);
const char *report_identity(enum report_lang lang, const char *kind);

struct report_right {
    const char *name[REPORT_LANGS];
    const char *text[REPORT_LANGS];
};

/* The rights besides access under a regulation ("gdpr", "ccpa"; others as "gdpr"). */
const struct report_right *report_rights(const char *regulation, size_t *n_rights);

#endif
