#include "config/config.h"
#include "config/options.h"

static const char *type_of(const struct option *option)
{
    switch (option->kind) {
    case OPTION_TEXT: return "text";
    case OPTION_PATH: return "path";
    case OPTION_FILE: return "file";
    case OPTION_SECRET_FILE: return "secret file";
    case OPTION_INTEGER: return "integer";
    case OPTION_BOOLEAN: return "boolean";
    case OPTION_CHOICE: return "choice";
    case OPTION_TEXTS: return "list of texts";
    case OPTION_PAIRS: return "mapping of names to texts";
    case OPTION_SECTION: return "section";
    case OPTION_LIST: break;
    }
    return "list of sections";
}

static void print_default(const struct option *option, FILE *out)
{
    if (option->need != OPTION_OPTIONAL)
        fputs("**required**", out);
    else if (option->fallback_words)
        fputs(option->fallback_words, out);
    else if (option->fallback)
        fprintf(out, "`%s`", option->fallback);
    else
        fputs("none", out);
}

static void print_range(const struct option *option, FILE *out)
{
    bool counted =
        option->kind == OPTION_TEXTS || option->kind == OPTION_PAIRS || option->kind == OPTION_LIST;
    if (counted)
        fprintf(out, "%u to %u entries", option->min, option->max);
    else if (option->kind == OPTION_INTEGER)
        fprintf(out, "%u to %u", option->min, option->max);
    else if (option->kind == OPTION_BOOLEAN)
        fputs("true, false", out);
    else if (option->kind == OPTION_CHOICE)
        for (const char *const *choice = option->choices; *choice; choice++)
            fprintf(out, "%s%s", choice == option->choices ? "" : ", ", *choice);
    else if (option->rule)
        fputs(option->rule->expected, out);
    else
        fputs("any", out);
}

static void print_row(const struct option *option, const char *prefix, FILE *out)
{
    fprintf(out, "| `%s%s` | %s | ", prefix, option->name, type_of(option));
    print_default(option, out);
    fputs(" | ", out);
    print_range(option, out);
    fprintf(out, " | %s |\n", option->help);
}

/* One row an option; the options within come right below what holds them. */
static void print_rows(const struct option *options, const char *prefix, FILE *out)
{
    for (const struct option *option = options; option->name; option++) {
        if (option->kind != OPTION_SECTION)
            print_row(option, prefix, out);
        if (!option->members)
            continue;
        char below[128];
        snprintf(below, sizeof below, "%s%s%s.", prefix, option->name,
                 option->kind == OPTION_LIST ? "[]" : "");
        print_rows(option->members, below, out);
    }
}

static void print_table(const struct option *options, const char *prefix, FILE *out)
{
    fputs("\n| name | type | default | range | help |\n|---|---|---|---|---|\n", out);
    print_rows(options, prefix, out);
}

void config_print_reference(FILE *out)
{
    fputs("# Options of dsard\n\n"
          "One YAML file, strict: a key that is not listed here is an error. `${NAME}` in a value is the "
          "environment's\n"
          "variable NAME, `$$` a dollar. Relative paths start at the folder of the file. Secrets stand in "
          "files of\n"
          "their own, named by keys that end in `_file`.\n",
          out);
    for (const struct option *option = config_options(); option->name; option++) {
        bool list = option->kind == OPTION_LIST;
        char prefix[64];
        snprintf(prefix, sizeof prefix, "%s%s.", option->name, list ? "[]" : "");
        fprintf(out, "\n## %s\n\n", option->name);
        if (option->members) {
            fprintf(out, "%s\n", option->help);
            print_table(option->members, prefix, out);
        } else {
            const struct option alone[] = {*option, {.name = NULL}};
            print_table(alone, "", out);
        }
    }
}
