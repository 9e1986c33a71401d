#include "check_parts.h"

#include "gather/crew.h"
#include "gather/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 2606: no name ends with it. */
#define NOBODY "nobody@dsard.invalid"

enum verdict { ANSWERS, FAILS, CANNOT_TELL };

/* One source on its way. */
struct tried {
    const struct catalog_source *source;
    const struct cancel *cancel;
    enum verdict verdict;
    struct fault fault;        /* when it fails */
    char says[FAULT_TEXT_MAX]; /* when it answers */
};

void check_good(const char *name, const char *says)
{
    printf("  %-16s ok%s%s\n", name, *says ? "      " : "", says);
}

int check_bad(const char *name, const struct fault *fault)
{
    printf("  %-16s FAILED  %s: %s\n", name, fault->code, fault->text);
    return -1;
}

static int refuse_identity(void *ctx, const char *kind, const char *value, struct fault *fault)
{
    const struct tried *tried = ctx;
    (void)kind;
    (void)value;
    return fault_set(fault, "source_answer", "source %s: finds somebody by an address that nobody has",
                     tried->source->config->name);
}

static int look_up_nobody(struct tried *tried, struct session *session)
{
    bool found;
    json_t *identities = json_pack("[{s:s,s:s}]", "kind", "email", "value", NOBODY);
    int result = identities ? session_resolve(session, "check", identities, refuse_identity, tried, &found,
                                              &tried->fault)
                            : fault_retry(&tried->fault, "no_memory", "no memory for a lookup");
    json_decref(identities);
    return !result && found ? refuse_identity(tried, "", "", &tried->fault) : result;
}

static bool looks_up_by_email(const struct catalog_source *source)
{
    size_t i;
    json_t *kind;
    json_array_foreach (source->resolve_needs, i, kind)
        if (strcmp(json_string_value(kind), "email") == 0)
            return true;
    return false;
}

static int try_source(struct tried *tried)
{
    const struct session_options options = {.cancel = tried->cancel};
    const struct catalog_source *source = tried->source;
    struct session *session;
    if (session_open(&session, source, &options, &tried->fault))
        return -1;
    int result = 0;
    if (json_is_true(json_object_get(source->hello, "check"))) {
        result = session_check(session, &tried->fault);
        snprintf(tried->says, sizeof tried->says, "%s", session_system(session));
    } else if (looks_up_by_email(source)) {
        result = look_up_nobody(tried, session);
    } else {
        tried->verdict = CANNOT_TELL;
    }
    session_close(session);
    return result;
}

static void try_job(void *ctx, size_t i)
{
    struct tried *tried = ctx;
    if (try_source(&tried[i]))
        tried[i].verdict = FAILS;
}

static int tell(const struct tried *tried)
{
    const char *name = tried->source->config->name;
    switch (tried->verdict) {
    case ANSWERS: check_good(name, tried->says); return 0;
    case CANNOT_TELL:
        printf(
            "  %-16s not tried: its connector has no check and looks nobody up by address; --identity does\n",
            name);
        return 0;
    case FAILS: break;
    }
    return check_bad(name, &tried->fault);
}

int check_sources(const struct catalog *catalog, size_t n_threads, const struct cancel *cancel)
{
    struct tried *tried = calloc(catalog->n_sources, sizeof *tried);
    struct fault fault;
    int result = 0;
    if (!tried) {
        fault_retry(&fault, "no_memory", "no memory for the sources");
        return check_bad("sources", &fault);
    }
    for (size_t i = 0; i < catalog->n_sources; i++)
        tried[i] = (struct tried){.source = &catalog->sources[i], .cancel = cancel};
    crew_run(catalog->n_sources, n_threads, try_job, tried);
    for (size_t i = 0; i < catalog->n_sources; i++)
        if (tell(&tried[i]))
            result = -1;
    free(tried);
    return result;
}
