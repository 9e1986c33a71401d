/* Any bytes as a block of records. What is taken must be JSON objects to another parser too, fit into three
 * times the room, and hold nothing of a field that is dropped. */
#include "screen/screen.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LEN_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct screen *make_screen(void)
{
    static const char *const own_list[] = {"alice@example.test"};
    struct fault fault;
    struct classes *classes;
    struct own_addresses *own;
    struct screen *screen;
    json_t *fields =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "/o", "own", "/t", "third_party", "/t/*/o", "own",
                  "/s", "secret", "/c", "card", "/*/v", "cvv", "/w/*", "withhold:trade_secret");
    if (classes_new(&classes, fields, &fault) || own_addresses_new(&own, own_list, 1, &fault) ||
        screen_new(&screen, &(struct screen_options){.classes = classes, .own = own}, &fault))
        abort();
    json_decref(fields);
    return screen;
}

static void check(char *out, size_t len)
{
    if (len == 0)
        return;
    json_error_t error;
    if (memcmp(out, ",\n", 2) != 0)
        abort();
    out[0] = '[';
    out[len] = ']';
    out[len + 1] = '\0';
    json_t *records =
        json_loadb(out, len + 1, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
    if (!records) {
        /* its numbers end at those of a double, its text has no half pairs, and its keys no NUL */
        enum json_error_code code = json_error_code(&error);
        if (code != json_error_numeric_overflow && code != json_error_null_byte_in_key &&
            !strstr(out, "\\ud"))
            abort();
        return;
    }
    for (size_t i = 0; i < json_array_size(records); i++)
        if (!json_is_object(json_array_get(records, i)) || json_object_get(json_array_get(records, i), "s"))
            abort();
    json_decref(records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct screen *screen;
    struct fault fault;
    size_t out_len;
    if (!screen)
        screen = make_screen();
    if (size > LEN_MAX)
        return 0;
    char *out = malloc(3 * size + 2);
    if (!out)
        abort();
    if (screen_records(screen, (const char *)data, size, out, 3 * size, &out_len, &fault) == 0)
        check(out, out_len);
    else if (strcmp(fault.code, "bad_record") != 0)
        abort();
    free(out);
    return 0;
}
