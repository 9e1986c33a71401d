/* step: one thing that a profile asks a system for: a request, how its pages follow, and how to read the
 * answers. README.md beside this file is the reference of all keys. */
#ifndef REST_STEP_H
#define REST_STEP_H

#include "value.h"

enum step_role {
    STEP_RESOLVE,    /* looks the person up */
    STEP_COLLECTION, /* reads a collection */
    STEP_PARENT,     /* lists what a collection is read for */
    STEP_CHILD,      /* completes one record of a collection */
    STEP_START,      /* begins an export */
    STEP_POLL,       /* asks whether it is ready */
    STEP_FILE,       /* reads a file that a record names */
};

enum records_kind { RECORDS_ARRAY, RECORDS_OBJECT, RECORDS_SINGLE };

/* Where a count stands: in the answer, or in a header of it; both NULL without one. */
struct count_at {
    const char *pointer;
    const char *header;
};

enum paging_kind { PAGING_NONE, PAGING_OFFSET, PAGING_NUMBER, PAGING_CURSOR, PAGING_LINK, PAGING_NEXT };

struct paging {
    enum paging_kind kind;
    bool in_form;          /* otherwise in the query */
    const char *start;     /* offset: the parameter that says how many to skip */
    const char *number;    /* page: the parameter that says which page */
    json_int_t first;      /* page: the number of the first page */
    const char *cursor;    /* cursor: the parameter that takes it */
    const char *size;      /* the parameter that says how many a page holds, NULL without */
    json_int_t by;         /* how many a page holds */
    struct count_at pages; /* page: the number of pages */
    const char *next;      /* pointer to the cursor, or to the URL, of the next page */
    const char *last;      /* cursor: pointer to it in the last record of a page */
    const char *more;      /* pointer to whether there is more, NULL without */
    const json_t *end;     /* tests: one holds when there is no such page */
    json_int_t max_pages;
};

/* A view of the profile's JSON: nothing in it is owned, and it is valid as long as the JSON. What is not
 * there is NULL. */
struct step {
    const json_t *needs;
    const json_t *request;
    const json_t *ok;         /* tests that all hold for a good answer */
    const json_t *not_found;  /* tests: one holds when the person is not known */
    const json_t *refused;    /* tests: one holds when the credentials are not accepted */
    const json_t *busy;       /* tests: one holds when the system wants to be left alone */
    const json_t *match;      /* tests that hold for records of the person */
    const json_t *assertions; /* tests that must hold for every record */
    const json_t *empty;      /* values that stand for no records */
    const char *records;      /* pointer */
    enum records_kind kind;
    struct count_at total; /* of records on all pages */
    json_int_t cap;        /* how many records the system gives at most, 0 when it gives all */
    const char *key;       /* pointer to what tells two records apart */
    struct paging paging;
    bool is_asserted;       /* every record is shown to be the person's */
    const json_t *yields;   /* of a lookup */
    const char *evidence;   /* of a lookup */
    const json_t *parent;   /* of a collection or parent: the step that lists what it is read for */
    unsigned n_parents;     /* how many such steps are above it */
    const json_t *job;      /* of a collection: the export that comes first (job.h) */
    const json_t *each;     /* of a collection: child steps, an array */
    const json_t *files;    /* of a collection: which files its records name (files.h) */
    const json_t *withhold; /* of a collection: rules of what is kept back (withhold.h) */
    const char *unread;     /* of a collection: where the files stand that are not read, with `*` for any */
    const json_t *omit;     /* of a child: names of members that it leaves out */
    const char *into;       /* of a child: the member that takes its records */
    const json_t *done;     /* of a poll: tests that all hold when the export is ready */
    const json_t *failed;   /* of a poll: tests: one holds when it will never be */
    json_int_t every_s;     /* of a poll */
    json_int_t max_s;       /* of a poll */
    const char *in;         /* of a file: pointer to what stands for one, with `*` for any */
    const json_t *where;    /* of a file: which of them the rule is for; NULL: all */
    const char *name;       /* of a file: relative pointer to its name */
    const char *media_type; /* of a file: relative pointer to its media type */
    const char *data;       /* of a file: pointer to its base64 in what stands for it */
    const char *base64;     /* of a file: pointer to its base64 in the answer */
};

/* Where a step stands in the profile, and as what. */
struct step_plan {
    const json_t *json;
    enum step_role role;
    const char *path; /* JSON Pointer, for error texts */
};

/* Reads and checks a step, and those below it. The needs in `scope` are the parent's for a child, otherwise the step's
 * own. Error: "bad_profile". */
int step_read(struct step *step, const struct step_plan *plan, const struct scope *scope,
              struct dsar_error *error) __attribute__((warn_unused_result));

#endif
