/* What the tests of gathering share: a connector that plays what a test says, and a stage with such sources. */
#ifndef DSAR_TEST_GATHER_H
#define DSAR_TEST_GATHER_H

#include "gather/gather.h"

#include "base/clock.h"
#include "test_bundle.h"

#include <pthread.h>
#include <signal.h>

/* A connector that does what its second argument says: {"hello":…, "yields":{KIND:[[KIND,VALUE]…]},
 * "resolve":[STEP…], "fetch":[[STEP…] for the first try, …]}. A step is a message, whose `payload` follows
 * it, or a word: "crash"; "hang"; "heed" waits for a cancel and does as it is told; "meet" waits until the first source has
 * been asked; "large" is a record that does not fit into a block; "dribble" is a message that never ends, byte by byte.
 * What it is asked goes to the file that its first argument names, a line each. */
static const char actor[] =
    "import json, os, sys, time\n"
    "log, play = sys.argv[1], json.loads(sys.argv[2])\n"
    "def note(line):\n"
    "    with open(log, 'a') as file: file.write(line + '\\n')\n"
    "def heed():\n"
    "    if sys.stdin.readline(): note('cancelled')\n"
    "    os._exit(0)\n"
    "def meet():\n"
    "    while not os.path.exists(os.path.join(os.path.dirname(log), '0.log')): time.sleep(0.01)\n"
    "def dribble():\n"
    "    sys.stdout.write('{\"type\":\"')\n"
    "    while True:\n"
    "        sys.stdout.write('x')\n"
    "        sys.stdout.flush()\n"
    "        time.sleep(0.02)\n"
    "def large():\n"
    "    say({'type': 'record', 'collection': 'things', 'payload': '{\"x\":\"' + 'x' * 100000 + '\"}'})\n"
    "words = {'crash': lambda: os._exit(1), 'hang': lambda: time.sleep(60), 'heed': heed, 'meet': meet,\n"
    "         'dribble': dribble, 'large': large}\n"
    "def say(message):\n"
    "    if isinstance(message, str): return words[message]()\n"
    "    payload = message.pop('payload', None)\n"
    "    if payload is not None: message['bytes'] = len(payload)\n"
    "    sys.stdout.write(json.dumps(message) + '\\n' + (payload or ''))\n"
    "    sys.stdout.flush()\n"
    "say(play['hello'])\n"
    "for line in sys.stdin:\n"
    "    asked = json.loads(line)\n"
    "    if asked['type'] == 'configure':\n"
    "        say({'type': 'ready'})\n"
    "        continue\n"
    "    with open(log, 'a+') as file:\n"
    "        file.seek(0)\n"
    "        tried = sum(asked['type'] in told.split()[0] for told in file)\n"
    "    told = [i['kind'] + '=' + i['value'] for i in asked['identities']]\n"
    "    note(' '.join([asked['type'], *asked.get('collections', []), *told]))\n"
    "    if asked['type'] == 'resolve':\n"
    "        for i in asked['identities']:\n"
    "            for kind, value in play.get('yields', {}).get(i['kind'], []):\n"
    "                say({'type': 'identity', 'kind': kind, 'value': value})\n"
    "        for step in play.get('resolve', []): say(step)\n"
    "        say({'type': 'done', 'status': 'ok'})\n"
    "    else:\n"
    "        tries = play.get('fetch', [[]])\n"
    "        for step in tries[min(tried, len(tries) - 1)]: say(step)\n"
    "        say({'type': 'done', 'status': 'ok'})\n";

#define SOURCES_MAX 4

struct stage {
    char folder[32];
    char script[64];
    char logs[SOURCES_MAX][64];
    char *arguments[SOURCES_MAX][3];
    struct source_config sources[SOURCES_MAX];
    struct identity_edge edges[SOURCES_MAX];
    char *targets[SOURCES_MAX];
    struct config config;
    struct identity identities[1];
    struct request request;
    struct catalog *catalog;
    struct seal_pool *pool;
    size_t entries_max;
    struct bundle *bundle;
    struct preview_budget previews;
    struct cancel *cancel;
    struct gather_result result;
    json_t *found;
    struct fault fault;
    void (*progress_cb)(void *ctx, size_t n_done, size_t n_sources); /* ctx is the stage */
};

static inline int set_up(void **state)
{
    static char python[] = "/usr/bin/python3";
    struct stage *stage = calloc(1, sizeof *stage);
    struct fault fault;
    if (!stage)
        return -1;
    signal(SIGPIPE, SIG_IGN);
    snprintf(stage->folder, sizeof stage->folder, "/tmp/dsard-gather-XXXXXX");
    if (!mkdtemp(stage->folder) || cancel_new(&stage->cancel, &fault))
        return -1;
    snprintf(stage->script, sizeof stage->script, "%s/actor.py", stage->folder);
    FILE *file = fopen(stage->script, "w");
    if (!file || fputs(actor, file) < 0 || fclose(file))
        return -1;
    for (size_t i = 0; i < SOURCES_MAX; i++) {
        snprintf(stage->logs[i], sizeof stage->logs[i], "%s/%zu.log", stage->folder, i);
        stage->sources[i] = (struct source_config){.program = python,
                                                   .arguments = stage->arguments[i],
                                                   .n_arguments = 3,
                                                   .max_concurrent = 2,
                                                   .deadline_s = 20,
                                                   .resolve_deadline_s = 20,
                                                   .keep_alive_s = 20};
    }
    stage->config = (struct config){
        .path = stage->folder,
        .work = {.concurrent_sources = 4, .waves_max = 8, .identities_per_source = 2},
        .retry = {.attempts = 2, .first_ms = 1, .max_ms = 5},
        .identities = {.allow = stage->edges},
        .sources = stage->sources,
    };
    stage->entries_max = 1000;
    stage->identities[0] = (struct identity){"email", "alice@example.test"};
    stage->request = (struct request){
        .id = "2c0e5a1e-0000-4000-8000-000000000001", .identities = stage->identities, .n_identities = 1};
    *state = stage;
    return 0;
}

/* What was answered. */
static inline void forget(struct stage *stage)
{
    gather_result_wipe(&stage->result);
    json_decref(stage->found);
    bundle_free(stage->bundle);
    stage->found = NULL;
    stage->bundle = NULL;
}

static inline int tear_down(void **state)
{
    struct stage *stage = *state;
    char command[64];
    forget(stage);
    seal_pool_free(stage->pool);
    catalog_free(stage->catalog);
    cancel_free(stage->cancel);
    for (size_t i = 0; i < SOURCES_MAX; i++) {
        free(stage->arguments[i][2]);
        free(stage->targets[i]);
        free(stage->sources[i].name);
    }
    snprintf(command, sizeof command, "rm -rf %s", stage->folder);
    free(stage);
    return system(command);
}

/* Adds a source that plays `play`, whose texts have ' for ". */
static inline struct source_config *add(struct stage *stage, const char *name, const char *play)
{
    size_t n = stage->config.n_sources++;
    struct source_config *source = &stage->sources[n];
    source->name = source->title = strdup(name);
    stage->arguments[n][0] = stage->script;
    stage->arguments[n][1] = stage->logs[n];
    stage->arguments[n][2] = strdup(play);
    assert_non_null(source->name);
    assert_non_null(stage->arguments[n][2]);
    for (char *at = stage->arguments[n][2]; *at; at++)
        if (*at == '\'')
            *at = '"';
    return source;
}

static inline void allow(struct stage *stage, char *from, char *kind, const char *to)
{
    size_t n = stage->config.identities.n_allow++;
    stage->targets[n] = strdup(to);
    stage->edges[n] = (struct identity_edge){from, kind, &stage->targets[n], 1};
}

static inline void open_up(struct stage *stage)
{
    assert_int_equal(catalog_new(&stage->catalog, &stage->config, stderr), 0);
    stage->pool = test_pool(2, 8);
}

/* Answers the request, all sources of the stage being known. What was answered before is forgotten. */
static inline int ask(struct stage *stage)
{
    forget(stage);
    const struct bundle_options bundle = {.pool = stage->pool,
                                          .spool_dir = "/tmp",
                                          .passphrase = TEST_PASSPHRASE,
                                          .entries_max = stage->entries_max};
    assert_int_equal(bundle_open(&stage->bundle, &bundle, &stage->fault), 0);
    preview_budget_init(&stage->previews, PREVIEW_BUDGET_BYTES);
    const struct gather_options options = {.config = &stage->config,
                                           .catalog = stage->catalog,
                                           .request = &stage->request,
                                           .bundle = stage->bundle,
                                           .previews = &stage->previews,
                                           .cancel = stage->cancel,
                                           .progress_cb = stage->progress_cb,
                                           .ctx = stage};
    return gather_run(&options, &stage->result, &stage->found, &stage->fault);
}

static inline int gather(struct stage *stage)
{
    open_up(stage);
    return ask(stage);
}

/* What source `i` was asked, a line each. */
static inline void read_asked(const struct stage *stage, size_t i, char text[2048])
{
    text[0] = '\0';
    FILE *file = fopen(stage->logs[i], "r");
    if (file) {
        text[fread(text, 1, 2047, file)] = '\0';
        fclose(file);
    }
}

/* What source `i` was asked is just this. */
static inline void assert_asked(const struct stage *stage, size_t i, const char *expected)
{
    char text[2048];
    read_asked(stage, i, text);
    assert_string_equal(text, expected);
}

/* Cancels the request once its first source has been asked: for a thread of its own. */
static inline void *cancel_once_asked(void *arg)
{
    struct stage *stage = arg;
    for (int i = 0; i < 500 && access(stage->logs[0], F_OK); i++)
        usleep(10000);
    cancel_raise(stage->cancel);
    return NULL;
}

/* How often source `i` was asked. */
static inline size_t count_asked(const struct stage *stage, size_t i)
{
    char text[2048];
    size_t n = 0;
    read_asked(stage, i, text);
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        n++;
    return n;
}

static inline void assert_source(const struct stage *stage, size_t i, enum source_status status,
                                 const char *gap)
{
    assert_string_equal(source_status_name(stage->result.sources[i].status), source_status_name(status));
    if (gap)
        assert_string_equal(stage->result.sources[i].gap_code, gap);
    else
        assert_null(stage->result.sources[i].gap_code);
}

/* Opens the archive of what was gathered and one entry more, so that it is never empty. */
static inline struct reader *archive(struct stage *stage)
{
    struct buf bytes;
    struct archive_info info;
    struct reader *reader;
    struct fault fault;
    test_whole_entry(test_section(stage->bundle), "extra", "x", 1);
    test_archive(stage->bundle, &bytes, &info);
    assert_int_equal(test_reader(&reader, &bytes, TEST_PASSPHRASE, &fault), 0);
    buf_wipe(&bytes);
    return reader;
}

#define HELLO(resolve, collections)                                                                          \
    "{'hello':{'type':'hello','protocol':1,'name':'actor','version':'1','settings':[]," resolve              \
    "'collections':[" collections "]}"
#define THINGS(needs) "{'name':'things','title':'Things','category':'lies','needs':[" needs "]}"
#define END           "{'type':'end','collection':'things','status':'complete','count':1}"
#define FAILED(code, retryable)                                                                              \
    "{'type':'done','status':'failed','code':'" code "','text':'no','retryable':" retryable "}"

/* Without members: quotes within the payload would end it. */
#define RECORD "{'type':'record','collection':'things','payload':'{}'}"

#endif
