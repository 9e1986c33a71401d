/* manifest: what was asked, searched, found, withheld and packed: manifest.json, for machines and people. */
#ifndef DSAR_BUNDLE_MANIFEST_H
#define DSAR_BUNDLE_MANIFEST_H

#include "base/buf.h"
#include "base/fault.h"
#include "bundle/bundle.h"
#include "gather/result.h"

#include <jansson.h>
#include <stdint.h>

#define MANIFEST_ENTRY           "manifest.json"
#define MANIFEST_SIGNATURE_ENTRY "manifest.jws"

/* Who answers. */
struct manifest_controller {
    const char *id;
    const char *name;
    const char *contact;    /* NULL when not configured */
    const char *complaints; /* the authority, for people; NULL when not configured */
};

/* What made the bundle, and the key that signs it. */
struct manifest_exporter {
    const char *source;
    const char *kid; /* NULL when the key has none */
    const char *version;
};

/* All of it is borrowed, UTF-8, and read only. */
struct manifest {
    const char *request_id;
    const char *regulation;   /* "gdpr", "ccpa" */
    const char *request_type; /* "access", "portability" */
    int64_t submitted_unix_s;
    int64_t completed_unix_s;
    struct manifest_controller controller;
    struct manifest_exporter exporter;
    const char *policy_version;
    const json_t
        *identities; /* [{kind, value, from}]: what was searched with; from is "request" or a source's name */
    const struct gather_result *result;
};

/* Appends the manifest to `out`: indented JSON, members in a fixed order, so that the same facts give the
 * same bytes. Lists every ended entry of `bundle` but the manifest itself and its signature. Fails without
 * memory, and with "too_large" when `out` is too small. The bundle must not change meanwhile. */
int manifest_json(const struct manifest *manifest, const struct bundle *bundle, struct buf *out,
                  struct fault *fault) __attribute__((warn_unused_result));

#endif
