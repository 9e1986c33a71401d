/* reader: brings a document into structs, as the table of options says. Not thread-safe. */
#ifndef DSAR_CONFIG_READER_H
#define DSAR_CONFIG_READER_H

#include "config/config.h"
#include "config/document.h"

/* Fills `config`, whose folder is set and all else zero, from the document, and writes what is wrong to
 * `problems`. Fields whose value was wrong stay zero. The elements of a list stand in the order and number of
 * the document's. */
void reader_read(struct config *config, const struct node *root, enum config_use use,
                 struct problems *problems);

#endif
