#include "step_parts.h"

#include "../sdk/profile.h"

#include <stdio.h>
#include <string.h>

#define PAGE_SIZE_MAX   10000
#define MAX_PAGES       1000
#define MAX_PAGES_LIMIT 100000

static const char *const offset_keys[] = {"kind", "in", "start", "size", "by", "end", "max_pages", NULL};
static const char *const number_keys[] = {"kind", "in",    "number", "first",     "size",
                                          "by",   "pages", "end",    "max_pages", NULL};
static const char *const cursor_keys[] = {"kind", "in", "cursor", "next",      "last", "more",
                                          "size", "by", "end",    "max_pages", NULL};
static const char *const link_keys[] = {"kind", "in", "size", "by", "end", "max_pages", NULL};
static const char *const next_keys[] = {"kind", "in", "next", "more", "size", "by", "end", "max_pages", NULL};

static const struct {
    const char *name;
    enum paging_kind kind;
    const char *const *keys;
} kinds[] = {
    {"offset", PAGING_OFFSET, offset_keys}, {"page", PAGING_NUMBER, number_keys},
    {"cursor", PAGING_CURSOR, cursor_keys}, {"link", PAGING_LINK, link_keys},
    {"next", PAGING_NEXT, next_keys},
};

static int read_kind(const struct reading *reading, const json_t *page)
{
    const char *name = json_string_value(json_object_get(page, "kind"));
    for (size_t i = 0; name && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(name, kinds[i].name) != 0)
            continue;
        reading->step->paging.kind = kinds[i].kind;
        return profile_check_keys(page, reading->path, kinds[i].keys, reading->error);
    }
    return reading_bad(reading, "/kind", "\"offset\", \"page\", \"cursor\", \"link\" or \"next\"");
}

static int read_place(const struct reading *reading, const json_t *page)
{
    struct paging *paging = &reading->step->paging;
    const char *method = json_string_value(json_object_get(reading->step->request, "method"));
    const char *in = json_string_value(json_object_get(page, "in"));
    bool has_parameter = paging->start || paging->number || paging->cursor || paging->size;
    if (!in && !has_parameter)
        return 0;
    if (!in || (strcmp(in, "form") != 0 && strcmp(in, "query") != 0))
        return reading_bad(reading, "/in", "\"form\" or \"query\"");
    paging->in_form = strcmp(in, "form") == 0;
    if (paging->in_form && strcmp(method, "POST") != 0)
        return reading_bad(reading, "/in", "\"query\" with GET");
    return 0;
}

/* What a kind cannot do without. */
static bool is_whole(const struct paging *paging)
{
    switch (paging->kind) {
    case PAGING_NONE:
    case PAGING_LINK: return true;
    case PAGING_OFFSET: return paging->start;
    case PAGING_NUMBER: return paging->number;
    case PAGING_CURSOR: return paging->cursor && !paging->next != !paging->last;
    case PAGING_NEXT: return paging->next;
    }
    return false;
}

static int read_paging(const struct reading *reading, const json_t *page)
{
    struct paging *paging = &reading->step->paging;
    if (!json_is_object(page))
        return reading_bad(reading, "", "an object");
    paging->start = json_string_value(json_object_get(page, "start"));
    paging->number = json_string_value(json_object_get(page, "number"));
    paging->cursor = json_string_value(json_object_get(page, "cursor"));
    paging->size = json_string_value(json_object_get(page, "size"));
    if (read_kind(reading, page) || read_place(reading, page) ||
        reading_number(reading, page, "first", 0, PAGE_SIZE_MAX, &paging->first) ||
        reading_number(reading, page, "by", 1, PAGE_SIZE_MAX, &paging->by) ||
        reading_number(reading, page, "max_pages", 1, MAX_PAGES_LIMIT, &paging->max_pages) ||
        reading_count(reading, page, "pages", &paging->pages) ||
        reading_pointer(reading, page, "next", &paging->next) ||
        reading_pointer(reading, page, "last", &paging->last) ||
        reading_pointer(reading, page, "more", &paging->more) ||
        reading_tests(reading, page, "end", TESTS_OF_STATUS, &paging->end))
        return -1;
    return is_whole(paging)
               ? 0
               : reading_bad(reading, "",
                             "kind \"offset\" with `start`, \"page\" with `number`, \"cursor\" with "
                             "`cursor` and either `next` or `last`, or \"next\" with `next`");
}

int reading_page(const struct reading *reading)
{
    const json_t *page = json_object_get(reading->json, "page");
    char path[200];
    struct reading below = *reading;
    snprintf(path, sizeof path, "%s/page", reading->path);
    below.path = path;
    reading->step->paging = (struct paging){.first = 1, .by = 100, .max_pages = MAX_PAGES};
    return page ? read_paging(&below, page) : 0;
}

static bool is_of_person(const json_t *value)
{
    for (size_t i = 0; i < json_array_size(value); i++)
        if (is_of_person(json_array_get(value, i)))
            return true;
    return json_object_get(value, "id") || json_object_get(value, "record") ||
           json_object_get(value, "started") || json_object_get(value, "polled");
}

int reading_stays(const struct reading *reading)
{
    static const char *const elsewhere[] = {"query", "form", "headers", "auth"};
    const json_t *request = reading->step->request;
    enum paging_kind kind = reading->step->paging.kind;
    if (kind != PAGING_LINK && kind != PAGING_NEXT)
        return 0;
    bool is_elsewhere = json_is_object(json_object_get(request, "path")); /* a URL, with a query of its own */
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        const char *name;
        json_t *value;
        json_object_foreach (json_object_get(request, elsewhere[i]), name, value)
            is_elsewhere |= is_of_person(value);
    }
    return is_elsewhere
               ? reading_bad(
                     reading, "/page/kind",
                     "neither \"link\" nor \"next\", where records are not tested and the path is not "
                     "all that names the person: the next page might be everybody's")
               : 0;
}
