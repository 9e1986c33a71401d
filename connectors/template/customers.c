/* customers: a connector in C to start from. It reads a file of customers, one JSON object a line, and finds the person by
 * e-mail address:
 *
 *     {"id":"4711","email":"alice@example.test","name":"Alice Example","note":"prefers letters"}
 *
 * Copy this file, build it, let it be judged, then replace what it does line by line:
 *
 *     cc -o dsar-customers customers.c $(pkg-config --cflags --libs dsar-connector)
 *     run ./dsar-customers -- --settings settings.json --identities identities.json
 *
 * The library speaks the protocol (PROTOCOL.md). Here stand the answers to its questions: what do you hold (hello), what are
 * you told (configure), does it work (check), who is it (resolve), what do you hold of them (fetch). connector.h says what
 * each function may do. The same connector in Python is in ../template-python.
 */
#define _POSIX_C_SOURCE 200809L

#include <dsar/connector.h>
#include <dsar/protocol.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* `settings` is what the operator writes into the configuration, `yields` how we name people, `needs` what must be known
 * of the person before we are asked, `fields` what may leave: a field without a class is taken for free text. */
static const char hello_json[] =
    "{\"name\":\"customers\",\"version\":\"1.0.0\","
    "\"settings\":[{\"name\":\"path\",\"kind\":\"path\",\"required\":true,"
    "\"help\":\"the file of customers, one JSON object a line\"}],"
    "\"check\":true,"
    "\"resolve\":{\"needs\":[\"email\"],\"yields\":[\"customer_id\"]},"
    "\"collections\":[{\"name\":\"customers\",\"title\":\"Customer file\",\"category\":\"customers\","
    "\"needs\":[\"customer_id\"],"
    "\"fields\":{\"/id\":\"own\",\"/email\":\"own\",\"/agent\":\"third_party\",\"/password\":\"secret\"}}]}";

/* What the callbacks share: they get it back as `state`. */
struct customers {
    char *path;
};

/* One line of the file, and what is asked of all lines. */
struct line {
    const char *text; /* as the file has it, so that numbers keep their digits */
    size_t len;
    const char *id;
    const char *email;
};

typedef int (*line_cb)(const struct line *line, void *ctx, struct dsar_error *error);

struct reading {
    struct dsar_session *session;
    line_cb use;
    void *ctx;
    uint64_t n_lines;
    uint64_t n_unreadable;
};

/* Texts are for people and logs: they name the place and the remedy, never anything that was read. */
static int cannot(const char *doing, const char *path, struct dsar_error *error)
{
    /* what may pass is retryable; what the operator must mend is not */
    int why = errno;
    int is_refused = why == EACCES || why == EPERM;
    return dsar_error_set(error, is_refused ? "source_refused" : "source_unreachable", !is_refused,
                          "%s cannot be %s: %s", path, doing, strerror(why));
}

static int use_line(struct reading *reading, const char *text, size_t len, struct dsar_error *error)
{
    if (len > DSAR_PAYLOAD_MAX) {
        reading->n_unreadable++;
        return 0;
    }
    if (strspn(text, " \t\r\n") >= len)
        return 0;
    /* a number may be larger than any of C's; only texts are looked at */
    json_t *customer = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    const struct line line = {
        .text = text,
        .len = len,
        .id = json_string_value(json_object_get(customer, "id")),
        .email = json_string_value(json_object_get(customer, "email")),
    };
    int result = 0;
    if (line.id && *line.id && line.email)
        result = reading->use(&line, reading->ctx, error);
    else
        reading->n_unreadable++;
    json_decref(customer);
    return result;
}

/* The next line, without its newline, and its length. One that is longer than a record may be is cut behind DSAR_PAYLOAD_MAX + 1
 * bytes: what a system holds has no bound of its own. */
static bool read_line(FILE *file, char text[DSAR_PAYLOAD_MAX + 2], size_t *len)
{
    int c;
    *len = 0;
    while ((c = getc_unlocked(file)) != EOF && c != '\n')
        if (*len <= DSAR_PAYLOAD_MAX)
            text[(*len)++] = (char)c;
    text[*len] = '\0';
    return c != EOF || *len > 0;
}

/* Shows every line to `use`. In constant memory: a system may hold more than fits. */
static int read_file(const char *path, struct reading *reading, struct dsar_error *error)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return cannot("opened", path, error);
    char *text = malloc(DSAR_PAYLOAD_MAX + 2);
    if (!text) {
        fclose(file);
        return dsar_error_set(error, "no_memory", true, "no memory");
    }
    size_t len;
    int result = 0;
    while (result == 0 && read_line(file, text, &len)) {
        result = use_line(reading, text, len, error);
        /* says now and then that we are at work, and hears when we are to stop: to be called in every loop */
        if (result == 0)
            result = dsar_progress(reading->session, ++reading->n_lines, 0, error);
    }
    if (result == 0 && ferror(file))
        result = cannot("read", path, error);
    free(text);
    fclose(file);
    return result;
}

/* Before anything is read or connected: it depends on the program and its arguments alone. */
static json_t *hello(int argc, char **argv, void **state, struct dsar_error *error)
{
    (void)argv;
    json_t *message = NULL;
    if (argc != 1)
        dsar_error_set(error, "bad_arguments", false, "expected no arguments");
    else if (!(*state = calloc(1, sizeof(struct customers))) || !(message = json_loads(hello_json, 0, NULL)))
        dsar_error_set(error, "no_memory", true, "no memory");
    return message;
}

/* Takes the settings, and connects to nothing yet. A secret would come in `secrets`. */
static int configure(void *state, const json_t *settings, const json_t *secrets, struct dsar_error *error)
{
    (void)secrets;
    struct customers *customers = state;
    const char *path = json_string_value(json_object_get(settings, "path"));
    if (!path || !*path)
        return dsar_error_set(error, "bad_settings", false, "path: expected the path of a file");
    customers->path = strdup(path);
    return customers->path ? 0 : dsar_error_set(error, "no_memory", true, "no memory");
}

/* For `dsard check --connect`: can it work? Nobody's data are read. */
static int check(void *state, struct dsar_session *session, struct dsar_about *about,
                 struct dsar_error *error)
{
    (void)session;
    const struct customers *customers = state;
    FILE *file = fopen(customers->path, "re");
    if (!file)
        return cannot("opened", customers->path, error);
    fclose(file);
    snprintf(about->system, sizeof about->system, "a file of JSON lines");
    return 0;
}

/* Whether `value` is one of the person's identities of that kind: there may be several. */
static bool is_theirs(const struct dsar_identities *identities, const char *kind, const char *value,
                      int (*compare)(const char *, const char *))
{
    for (size_t i = 0; i < identities->n_items; i++)
        if (strcmp(identities->items[i].kind, kind) == 0 && compare(identities->items[i].value, value) == 0)
            return true;
    return false;
}

struct lookup {
    struct dsar_session *session;
    const struct dsar_identities *identities;
    bool *found;
};

/* Compares whole addresses: what merely looks alike is somebody else. */
static int find_person(const struct line *line, void *ctx, struct dsar_error *error)
{
    const struct lookup *lookup = ctx;
    if (!is_theirs(lookup->identities, "email", line->email, strcasecmp))
        return 0;
    *lookup->found = true;
    return dsar_yield(lookup->session, "customer_id", line->id, "exact match of the e-mail address", error);
}

static int resolve(void *state, struct dsar_session *session, const struct dsar_identities *identities,
                   bool *found, struct dsar_error *error)
{
    const struct customers *customers = state;
    struct lookup lookup = {session, identities, found};
    struct reading reading = {.session = session, .use = find_person, .ctx = &lookup};
    if (read_file(customers->path, &reading, error))
        return -1;
    /* "not found" would be a promise */
    if (!*found && reading.n_unreadable)
        return dsar_error_set(error, "source_answer", false,
                              "lines that are no customer: %llu; the person may be on one of them",
                              (unsigned long long)reading.n_unreadable);
    return 0;
}

struct fetching {
    struct dsar_session *session;
    const struct dsar_identities *identities;
    bool is_found;
};

/* Every record is looked at again for whose it is, just before it leaves. */
static int send_person(const struct line *line, void *ctx, struct dsar_error *error)
{
    struct fetching *fetching = ctx;
    if (!is_theirs(fetching->identities, "customer_id", line->id, strcmp))
        return 0;
    fetching->is_found = true;
    return dsar_record(fetching->session, line->text, line->len, error);
}

/* There is one collection; with several, compare `collection`. */
static int fetch(void *state, struct dsar_session *session, const char *collection,
                 const struct dsar_identities *identities, enum dsar_status *status, struct dsar_error *error)
{
    (void)collection;
    const struct customers *customers = state;
    struct fetching fetching = {session, identities, false};
    struct reading reading = {.session = session, .use = send_person, .ctx = &fetching};
    if (read_file(customers->path, &reading, error))
        return -1;
    *status = fetching.is_found ? DSAR_COMPLETE : DSAR_ABSENT;
    if (reading.n_unreadable) {
        /* what was sent is right, but may not be all */
        *status = DSAR_PARTIAL;
        dsar_error_set(error, "source_answer", false, "lines that are no customer: %llu",
                       (unsigned long long)reading.n_unreadable);
    }
    return 0;
}

static void leave(void *state)
{
    struct customers *customers = state;
    free(customers->path);
    free(customers);
}

int main(int argc, char **argv)
{
    static const struct dsar_connector connector = {
        .hello = hello,
        .configure = configure,
        .check = check,
        .resolve = resolve,
        .fetch = fetch,
        .leave = leave,
    };
    return dsar_connector_main(argc, argv, &connector);
}
