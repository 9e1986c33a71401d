#include "ops/exposition.h"

static const char *const types[] = {"counter", "gauge"};

void exposition_init(struct exposition *exposition)
{
    *exposition = (struct exposition){.failed = false};
    buf_init(&exposition->text, EXPOSITION_MAX_BYTES);
}

void exposition_wipe(struct exposition *exposition)
{
    buf_wipe(&exposition->text);
}

void exposition_begin(struct exposition *exposition, const struct exposition_family *family)
{
    exposition->failed |= buf_printf(&exposition->text, NULL, "# HELP %s %s\n# TYPE %s %s\n", family->name,
                                     family->help, family->name, types[family->type]);
}

/* A label's value: '\\', '"' and line feeds are escaped. */
static int append_escaped(struct buf *buf, const char *value)
{
    for (; *value; value++) {
        const char *escaped = *value == '\\'   ? "\\\\"
                              : *value == '"'  ? "\\\""
                              : *value == '\n' ? "\\n"
                                               : NULL;
        if (escaped ? buf_append_text(buf, escaped, NULL) : buf_append(buf, value, 1, NULL))
            return -1;
    }
    return 0;
}

void exposition_add(struct exposition *exposition, const struct exposition_family *family,
                    const char *value_of_label, double value)
{
    struct buf *text = &exposition->text;
    int failed = buf_append_text(text, family->name, NULL);
    if (!failed && family->label)
        failed = buf_printf(text, NULL, "{%s=\"", family->label) || append_escaped(text, value_of_label) ||
                 buf_append_text(text, "\"}", NULL);
    exposition->failed |= failed || buf_printf(text, NULL, " %.17g\n", value);
}
