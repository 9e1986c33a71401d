/* profile_check: whether a profile, and the settings it is run with, have the shape that profile.h describes.
 */
#ifndef DSAR_SDK_PROFILE_CHECK_H
#define DSAR_SDK_PROFILE_CHECK_H

#include "profile.h"

/* The whole document but what stands behind the engine's keys. */
int profile_check_document(const json_t *document, const struct profile_engine *engine,
                           struct dsar_error *error) __attribute__((warn_unused_result));

/* An array of settings as in hello: each whole, and no name twice. */
int profile_check_settings(const json_t *settings, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* See profile_settle. `declared` is an array that profile_check_settings has passed. */
int profile_check_given(const json_t *declared, const json_t *settings, const json_t *secrets,
                        json_t **effective, struct dsar_error *error) __attribute__((warn_unused_result));

#endif
