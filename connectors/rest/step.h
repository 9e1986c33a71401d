/* step: one thing that a profile asks a system for: a request, how its pages follow, and how to read the
 * answers. README.md beside this file is the reference of all keys. */
#ifndef REST_STEP_H
#define REST_STEP_H

#include "value.h"

enum step_role {
    STEP_RESOLVE,    /* looks the person up */
    STEP_COLLECTION, /* reads a collection */
    STEP_CHILD,      /* completes one record of a collection */
};

enum records_kind { RECORDS_ARRAY, RECORDS_OBJECT, RECORDS_SINGLE };

enum paging_kind { PAGING_NONE, PAGING_OFFSET, PAGING_NUMBER };

struct paging {
    enum paging_kind kind;
    bool in_form;       /* otherwise in the query */
    const char *start;  /* offset: the parameter that says how many to skip */
    const char *number; /* page: the parameter that says which page */
    json_int_t first;   /* page: the number of the first page */
    const char *size;   /* the parameter that says how many a page holds, NULL without */
    json_int_t by;      /* how many a page holds */
    const char *pages;  /* page: pointer to the number of pages, NULL without */
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
    const json_t *match;      /* tests that hold for records of the person */
    const json_t *assertions; /* tests that must hold for every record */
    const json_t *empty;      /* values that stand for no records */
    const char *records;      /* pointer */
    enum records_kind kind;
    const char *total; /* pointer to the number of records on all pages */
    const char *key;   /* pointer to what tells two records apart */
    struct paging paging;
    const json_t *yields;   /* of a lookup */
    const char *evidence;   /* of a lookup */
    const json_t *each;     /* of a collection: the child step */
    const json_t *withhold; /* of a collection: rules of what is kept back (withhold.h) */
    const char *unread;     /* of a collection: where the files stand that are not read, with `*` for any */
    const json_t *omit;     /* of a child: names of members that it leaves out */
};

/* Where a step stands in the profile, and as what. */
struct step_plan {
    const json_t *json;
    enum step_role role;
    const char *path; /* JSON Pointer, for error texts */
};

/* Reads and checks a step. The needs in `scope` are the parent's for a child, otherwise the step's own.
 * Error: "bad_profile". */
int step_read(struct step *step, const struct step_plan *plan, const struct scope *scope,
              struct dsar_error *error) __attribute__((warn_unused_result));

#endif
