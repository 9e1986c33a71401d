/* checks: what holds between the options of a configuration, beyond each one's own type. Not thread-safe. */
#ifndef DSAR_CONFIG_CHECKS_H
#define DSAR_CONFIG_CHECKS_H

#include "config/config.h"
#include "config/document.h"

/* Writes to `problems` what does not fit together. `config` was read from `root`, its defaults are filled in;
 * texts that were wrong are NULL. */
void checks_run(const struct config *config, const struct node *root, struct problems *problems);

#endif
