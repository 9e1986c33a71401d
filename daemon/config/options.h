/* options: the table of all that may stand in a configuration file. The reader and the reference both come
 * from it. */
#ifndef DSAR_CONFIG_OPTIONS_H
#define DSAR_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum option_kind {
    OPTION_TEXT,        /* char * */
    OPTION_PATH,        /* char *, made absolute; need not exist */
    OPTION_FILE,        /* char *, made absolute; is there and readable */
    OPTION_SECRET_FILE, /* the same, for no one else's eyes */
    OPTION_INTEGER,     /* unsigned */
    OPTION_BOOLEAN,     /* bool */
    OPTION_CHOICE,      /* an enum: the index in `choices` */
    OPTION_TEXTS,       /* char **, and a size_t at `count_offset` */
    OPTION_PAIRS,       /* struct config_pair *, and a size_t */
    OPTION_SECTION,     /* the struct that `members` describe */
    OPTION_LIST,        /* a pointer to structs of `item_size` bytes that `members` describe, and a size_t */
};

enum option_need {
    OPTION_OPTIONAL,
    OPTION_REQUIRED,
    OPTION_REQUIRED_FOR_RUN, /* a section that may be absent for `once` */
};

/* What a text must look like beyond not being empty. */
struct text_rule {
    bool (*holds)(const char *text);
    const char *expected;
};

struct option {
    const char *name; /* NULL ends a table */
    enum option_kind kind;
    enum option_need need;
    const char *fallback;       /* taken as if it stood in the file; NULL: none */
    const char *fallback_words; /* for the reference, where the default is worked out from other options */
    unsigned min, max;          /* of an integer, or of the number of elements */
    const char *const *choices; /* ends with NULL */
    const struct text_rule *rule;
    const char *help;
    size_t offset; /* in the struct that the table describes */
    size_t count_offset;
    size_t item_size;
    const struct option *members;
};

/* The options of the whole file, which describe struct config. */
const struct option *config_options(void);

/* What the value must be, in words: "an integer from 1 to 64". Uses `text` where there is no fixed one. */
#define OPTION_EXPECTED_MAX 128
const char *option_expected(const struct option *option, char text[OPTION_EXPECTED_MAX]);

/* Frees all that the options of a table own below `base`. */
void options_free(const struct option *options, void *base);

#endif
