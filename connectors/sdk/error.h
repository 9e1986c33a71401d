/* error: faults of the base library as errors of a connector. */
#ifndef DSAR_SDK_ERROR_H
#define DSAR_SDK_ERROR_H

#include "base/fault.h"

#include <dsar/connector.h>

/* Fills `error` from `fault` and returns -1. */
int error_from_fault(struct dsar_error *error, const struct fault *fault);

/* Fills `error` for want of memory and returns -1. */
int error_no_memory(struct dsar_error *error);

#endif
