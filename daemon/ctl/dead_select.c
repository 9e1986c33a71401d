#include "ctl/dead_select.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Digits alone up to `stop`; -1 for anything else. */
static int64_t read_number(const char *text, char stop, int64_t max, const char **end)
{
    size_t n_digits = strspn(text, "0123456789");
    *end = text + n_digits;
    if (n_digits == 0 || text[n_digits] != stop)
        return -1;
    errno = 0;
    int64_t number = strtoll(text, NULL, 10);
    return errno || number > max ? -1 : number;
}

int dead_place_parse(const char *text, struct dead_place *place, struct fault *fault)
{
    const char *end;
    int64_t partition = read_number(text, '/', INT32_MAX, &end);
    int64_t offset = partition < 0 ? -1 : read_number(end + 1, '\0', INT64_MAX, &end);
    if (offset < 0)
        return fault_set(fault, "bad_letter",
                         "'%s' names no letter: expected PARTITION/OFFSET as `dsarctl dead list` prints it",
                         text);
    *place = (struct dead_place){(int32_t)partition, offset};
    return 0;
}

static bool is_chosen(struct dead_selection *selection, const struct dead_place *place)
{
    bool chosen = selection->n_choices == 0;
    for (size_t i = 0; i < selection->n_choices; i++) {
        struct dead_choice *choice = &selection->choices[i];
        if (choice->place.partition == place->partition && choice->place.offset == place->offset)
            chosen = choice->found = true;
    }
    return chosen;
}

static bool is(const char *expected, const char *text)
{
    return !expected || strcmp(expected, text) == 0;
}

bool dead_selected(struct dead_selection *selection, const struct dead_facts *facts)
{
    return is_chosen(selection, &facts->place) && is(selection->code, facts->code) &&
           is(selection->topic, facts->topic) && is(selection->request, facts->request) &&
           facts->time_unix_s >= selection->since_unix_s &&
           (!selection->until_unix_s || facts->time_unix_s < selection->until_unix_s);
}
