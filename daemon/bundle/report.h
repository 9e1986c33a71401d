/* report: report.html: what was asked, searched, found and withheld, for the person to read, offline and on
 * paper.
 *
 * One self-contained HTML document in the person's language: no script, no external resource. Everything that
 * came from elsewhere is escaped.
 */
#ifndef DSAR_BUNDLE_REPORT_H
#define DSAR_BUNDLE_REPORT_H

#include "base/fault.h"
#include "bundle/manifest.h"

#include <stddef.h>

#define REPORT_ENTRY "report.html"

struct report {
    const struct manifest *manifest; /* borrowed */
    const char *locale;              /* a BCP 47 tag; English for what is not known */
};

/* Gives the document to `write_cb` piece by piece, in constant memory. Fails with write_cb's own fault when
 * it returns -1, or without memory. Thread-safe as long as the facts do not change meanwhile. */
int report_render(const struct report *report,
                  int (*write_cb)(void *ctx, const void *data, size_t len, struct fault *fault), void *ctx,
                  struct fault *fault) __attribute__((warn_unused_result));

#endif
