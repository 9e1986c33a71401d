#include "config/options.h"

#include "config/config.h"
#include "config/scalar.h"

#include <ctype.h>
#include <string.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

#define FIELD(type, member) .offset = offsetof(struct type, member)
#define RANGE(least, most)  .min = (least), .max = (most)
#define COUNTED(type, list, count)                                                                           \
    .offset = offsetof(struct type, list), .count_offset = offsetof(struct type, count)

static bool is_controller_id(const char *text)
{
    size_t len = strspn(text, LOWER DIGITS ".-");
    return !text[len] && len <= 64;
}

static bool is_source_name(const char *text)
{
    size_t len = strspn(text, LOWER DIGITS "-");
    return !text[len] && len <= 32 && islower((unsigned char)text[0]);
}

static bool is_topic(const char *text)
{
    size_t len = strspn(text, LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "._-");
    return !text[len] && len <= 249 && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static bool is_uri_reference(const char *text)
{
    for (; *text; text++)
        if (!isgraph((unsigned char)*text) || strchr("\"<>\\^`{|}", *text))
            return false;
    return true;
}

static bool is_results_url(const char *text)
{
    char last = text[0] ? text[strlen(text) - 1] : '\0';
    return scalar_is_url(text) && (last == '/' || last == '=');
}

/* An IP address, in brackets where it has colons, and a port. */
static bool is_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    long long port;
    return colon && colon > text && colon - text < 64 && scalar_is_integer(colon + 1, &port) && port >= 0 &&
           port <= 65535 && strspn(text, DIGITS "abcdefABCDEF.:[]") >= (size_t)(colon - text);
}

static bool is_port(const char *text)
{
    long long port;
    return scalar_is_integer(text, &port) && port >= 1 && port <= 65535;
}

static const struct text_rule controller_id_rule = {is_controller_id, "1 to 64 of a-z, 0-9, '.' and '-'"};
static const struct text_rule source_name_rule = {is_source_name,
                                                  "1 to 32 of a-z, 0-9 and '-', the first a letter"};
static const struct text_rule kind_rule = {scalar_is_name,
                                           "1 to 64 of a-z, 0-9, '_', '.' and '-', the first a letter"};
static const struct text_rule topic_rule = {is_topic,
                                            "a topic name: 1 to 249 of A-Z, a-z, 0-9, '.', '_' and '-'"};
static const struct text_rule uri_rule = {is_uri_reference, "a URI reference (RFC 3986)"};
static const struct text_rule address_rule = {is_address, "an IP address and a port, as in 127.0.0.1:9470"};
static const struct text_rule port_rule = {is_port, "a port, 1 to 65535"};
static const struct text_rule results_url_rule = {is_results_url,
                                                  "an http or https URL that ends in '/' or '='"};

static const char *const framings[] = {"none", "confluent", NULL};
static const char *const store_kinds[] = {"dir", NULL};
static const char *const resolves[] = {"auto", "yes", "no", NULL}; /* as enum config_resolve */
static const char *const log_levels[] = {"debug", "info", "warning", "error", NULL}; /* as enum log_level */
static const char *const log_formats[] = {"text", "json", NULL};

static const struct option controller_options[] = {
    {"id", OPTION_TEXT, OPTION_REQUIRED, .rule = &controller_id_rule, FIELD(controller_config, id),
     .help = "who answers, for programs: `controller_id` in events"},
    {"name", OPTION_TEXT, OPTION_REQUIRED, FIELD(controller_config, name),
     .help = "who answers, for people: stands in the report and the manifest"},
    {"contact", OPTION_TEXT, OPTION_REQUIRED, FIELD(controller_config, contact),
     .help = "where the person can ask back: an address of mail or web"},
    {"complaints", OPTION_TEXT, FIELD(controller_config, complaints),
     .help = "the supervisory authority that takes complaints"},
    {NULL},
};

static const struct option topics_options[] = {
    {"requests", OPTION_TEXT, .fallback = "dsar.requests", .rule = &topic_rule,
     FIELD(topics_config, requests), .help = "requests are read from here"},
    {"control", OPTION_TEXT, .fallback = "dsar.control", .rule = &topic_rule, FIELD(topics_config, control),
     .help = "cancels are read from here; as many partitions as `requests`"},
    {"events", OPTION_TEXT, .fallback = "dsar.events", .rule = &topic_rule, FIELD(topics_config, events),
     .help = "what became of each request goes here"},
    {"dead", OPTION_TEXT, .fallback = "dsar.requests.dead", .rule = &topic_rule, FIELD(topics_config, dead),
     .help = "what cannot be answered goes here, as it came"},
    {"audit", OPTION_TEXT, .fallback = "dsar.audit", .rule = &topic_rule, FIELD(topics_config, audit),
     .help = "who touched what, in counts and codes, goes here"},
    {NULL},
};

static const struct option kafka_options[] = {
    {"brokers", OPTION_TEXT, OPTION_REQUIRED, FIELD(kafka_config, brokers),
     .help = "HOST:PORT of some brokers, separated by commas"},
    {"group", OPTION_TEXT, .fallback = "dsard", FIELD(kafka_config, group),
     .help = "the consumer group; the same for all workers that share the work"},
    {"transactional_id", OPTION_TEXT, OPTION_REQUIRED, FIELD(kafka_config, transactional_id),
     .help = "names this worker across restarts; different for each worker, for example `dsard-${HOSTNAME}`"},
    {"framing", OPTION_CHOICE, .fallback = "none", .choices = framings, FIELD(kafka_config, framing),
     .help = "what stands before a message's JSON: nothing, or the five bytes of a schema registry"},
    {"topics", OPTION_SECTION, FIELD(kafka_config, topics), .members = topics_options,
     .help = "the names of the topics"},
    {"properties", OPTION_PAIRS, .max = 200, COUNTED(kafka_config, properties, n_properties),
     .help = "any property of librdkafka, for consumer and producers; secrets as `NAME_file: PATH`. Relative "
             "`*.location` paths start at the folder of this file. Properties that delivery depends on are "
             "refused."},
    {"open_ranges", OPTION_INTEGER, .fallback = "200", RANGE(1, 300), FIELD(kafka_config, open_ranges),
     .help = "how many separate runs of messages of a partition may be done above one that is not, before no "
             "more "
             "are read from it: they ride in the commit's metadata, which Kafka limits to 4096 bytes"},
    {NULL},
};

static const struct option requests_options[] = {
    {"require_signature", OPTION_BOOLEAN, .fallback = "true", FIELD(requests_config, require_signature),
     .help = "whether a request must be signed by a trusted key. Without, whoever can write to the topic can "
             "ask for "
             "anyone's data."},
    {"trusted_keys_file", OPTION_FILE, .fallback_words = "required with `require_signature`",
     FIELD(requests_config, trusted_keys_file), .help = "JWKS with the public keys that may sign requests"},
    {"audience", OPTION_TEXT, .fallback_words = "`controller.id`", FIELD(requests_config, audience),
     .help = "the `aud` that a signature must be made for"},
    {"max_bytes", OPTION_INTEGER, .fallback = "262144", RANGE(1024, 1048576),
     FIELD(requests_config, max_bytes), .help = "the largest request"},
    {"identity_keys_file", OPTION_SECRET_FILE, FIELD(requests_config, identity_keys_file),
     .help = "private JWK, or JWK Set of several, that identities may be sealed to: a request may name any "
             "of them"},
    {NULL},
};

static const struct option exporter_options[] = {
    {"source", OPTION_TEXT, OPTION_REQUIRED, .rule = &uri_rule, FIELD(exporter_config, source),
     .help = "`ce_source` of events, for example `//dsard.example.test`"},
    {"key_file", OPTION_SECRET_FILE, OPTION_REQUIRED, FIELD(exporter_config, key_file),
     .help = "private JWK (ES256) that signs events, receipts and manifests"},
    {"retired_keys_file", OPTION_FILE, FIELD(exporter_config, retired_keys_file),
     .help =
         "JWKS with the public parts of former `key_file`s: what they signed in the store and on the retry "
         "topics still counts. Before a `key_file` changes, every worker needs the new key's public part "
         "here"},
    {NULL},
};

static const struct option store_options[] = {
    {"kind", OPTION_CHOICE, .fallback = "dir", .choices = store_kinds, FIELD(store_config, kind),
     .help = "where bundles lie: a directory"},
    {"path", OPTION_PATH, OPTION_REQUIRED, FIELD(store_config, path),
     .help = "the directory; several workers share it through a file system"},
    {"bundle_days", OPTION_INTEGER, .fallback = "14", RANGE(1, 365), FIELD(store_config, bundle_days),
     .help = "how long a bundle can be fetched"},
    {"results_url", OPTION_TEXT, OPTION_REQUIRED, .rule = &results_url_rule, FIELD(store_config, results_url),
     .help = "the page where clients fetch their bundle; the request id is appended"},
    {"sweep_after_s", OPTION_INTEGER, .fallback = "86400", RANGE(1, 864000),
     FIELD(store_config, sweep_after_s),
     .help = "how old leftovers of attempts that died must be to be removed; more than a worker can be held "
             "up between storing a bundle and its receipt"},
    {NULL},
};

static const struct option work_options[] = {
    {"spool_dir", OPTION_PATH, OPTION_REQUIRED, FIELD(work_config, spool_dir),
     .help = "directory for the entries of unfinished bundles, on disk or tmpfs; only ciphertext lies there"},
    {"concurrent_requests", OPTION_INTEGER, .fallback = "4", RANGE(1, 64),
     FIELD(work_config, concurrent_requests), .help = "requests worked on at a time"},
    {"concurrent_sources", OPTION_INTEGER, .fallback = "4", RANGE(1, 32),
     FIELD(work_config, concurrent_sources), .help = "sources asked at a time for one request"},
    {"seal_threads", OPTION_INTEGER, .fallback = "0", RANGE(0, 64), FIELD(work_config, seal_threads),
     .help = "threads that compress and encrypt; 0: one a core"},
    {"blocks", OPTION_INTEGER, .fallback = "0", RANGE(0, 65536), FIELD(work_config, blocks),
     .help = "blocks of memory between sources and sealing; 0: as many as needed"},
    {"block_kib", OPTION_INTEGER, .fallback = "256", RANGE(256, 8192), FIELD(work_config, block_kib),
     .help = "the size of a block"},
    {"entries_max", OPTION_INTEGER, .fallback = "10000", RANGE(100, 60000), FIELD(work_config, entries_max),
     .help = "the most entries of one bundle"},
    {"waves_max", OPTION_INTEGER, .fallback = "8", RANGE(1, 32), FIELD(work_config, waves_max),
     .help = "how often sources are asked for more identities"},
    {"identities_per_source", OPTION_INTEGER, .fallback = "20", RANGE(1, 100),
     FIELD(work_config, identities_per_source),
     .help =
         "the most identities of one kind from one source; beyond it the request is refused as ambiguous"},
    {"parked_max", OPTION_INTEGER, .fallback = "1000", RANGE(1, 100000), FIELD(work_config, parked_max),
     .help = "requests that wait for their next attempt and are held in memory, so that a cancel ends them "
             "at once"},
    {"claim_s", OPTION_INTEGER, .fallback = "30", RANGE(1, 600), FIELD(work_config, claim_s),
     .help =
         "how often a worker renews its claims on the requests it works on; after three times that without "
         "a renewal another worker takes over"},
    {"grace_s", OPTION_INTEGER, .fallback = "25", RANGE(0, 86400), FIELD(work_config, grace_s),
     .help = "how long a worker that is told to leave lets requests come to their end; less than what its "
             "container runtime waits before it kills"},
    {NULL},
};

static const struct option tier_options[] = {
    {"topic", OPTION_TEXT, OPTION_REQUIRED, .rule = &topic_rule, FIELD(retry_tier, topic),
     .help = "as many partitions as `kafka.topics.requests`"},
    {"delay_s", OPTION_INTEGER, OPTION_REQUIRED, RANGE(1, 604800), FIELD(retry_tier, delay_s),
     .help = "how long a request waits there"},
    {NULL},
};

static const struct option retry_options[] = {
    {"attempts", OPTION_INTEGER, .fallback = "3", RANGE(1, 20), FIELD(retry_config, attempts),
     .help = "how often a source is asked before its gap is accepted"},
    {"first_ms", OPTION_INTEGER, .fallback = "500", RANGE(10, 60000), FIELD(retry_config, first_ms),
     .help = "the wait before the second attempt; it doubles with each"},
    {"max_ms", OPTION_INTEGER, .fallback = "30000", RANGE(10, 600000), FIELD(retry_config, max_ms),
     .help = "the longest wait; a source that asks for a longer one is not asked again in place"},
    {"tiers", OPTION_LIST, .max = 8, COUNTED(retry_config, tiers, n_tiers),
     .item_size = sizeof(struct retry_tier), .members = tier_options,
     .fallback_words = "`dsar.requests.retry.5m`, `.1h` and `.6h`, with 300, 3600 and 21600 seconds",
     .help =
         "topics where a request waits when a source did not answer in place: the first attempt that fails "
         "leads to the first, and so on; then again to the last. `[]`: none"},
    {"horizon_s", OPTION_INTEGER, .fallback = "604800", RANGE(0, 2592000), FIELD(retry_config, horizon_s),
     .help = "how long after a request's arrival another attempt is still put off; then gaps are accepted"},
    {"margin_s", OPTION_INTEGER, .fallback = "86400", RANGE(0, 2592000), FIELD(retry_config, margin_s),
     .help = "how long before its due time a request is at risk, and no attempt is put off any more"},
    {"breaker_failures", OPTION_INTEGER, .fallback = "5", RANGE(0, 1000),
     FIELD(retry_config, breaker_failures),
     .help =
         "tries of a source that fail one after another, whichever request they were for, before it is left "
         "alone; 0: never"},
    {"breaker_open_s", OPTION_INTEGER, .fallback = "60", RANGE(1, 3600), FIELD(retry_config, breaker_open_s),
     .help = "how long it is left alone; then one try decides"},
    {NULL},
};

static const struct option edge_options[] = {
    {"from", OPTION_TEXT, OPTION_REQUIRED, .rule = &source_name_rule, FIELD(identity_edge, from),
     .help = "the source that finds the identity"},
    {"kind", OPTION_TEXT, OPTION_REQUIRED, .rule = &kind_rule, FIELD(identity_edge, kind),
     .help = "the kind of identity; never `email`"},
    {"to", OPTION_TEXTS, OPTION_REQUIRED, RANGE(1, 100), .rule = &source_name_rule,
     COUNTED(identity_edge, to, n_to), .help = "the sources that may be told"},
    {NULL},
};

static const struct option identities_options[] = {
    {"allow", OPTION_LIST, .max = 500, COUNTED(identities_config, allow, n_allow),
     .item_size = sizeof(struct identity_edge), .members = edge_options,
     .help = "which source's finding may be told to which others; all else is not passed on"},
    {NULL},
};

static const struct option source_sandbox_options[] = {
    {"enabled", OPTION_BOOLEAN, .fallback = "true", FIELD(source_sandbox_config, enabled),
     .help = "false: the connector may do whatever its user may. To find out what it lacks, not to stay"},
    {"read", OPTION_TEXTS, .max = 100, COUNTED(source_sandbox_config, read, n_read),
     .help =
         "paths of more files, and of folders with all that is in them, that it may read and, where they are "
         "programs, start"},
    {"connect", OPTION_TEXTS, .max = 100, .rule = &port_rule,
     COUNTED(source_sandbox_config, connect, n_connect),
     .help = "more TCP ports that it may connect to, of whichever address"},
    {"resolve_names", OPTION_CHOICE, .fallback = "auto", .choices = resolves,
     FIELD(source_sandbox_config, resolve_names),
     .help = "whether it may ask name servers, which takes UDP and TCP port 53; `auto`: when a setting names "
             "a host "
             "that is neither an address nor localhost. `no` where /etc/hosts has the name"},
    {"unix_sockets", OPTION_BOOLEAN, .fallback = "false", FIELD(source_sandbox_config, unix_sockets),
     .help = "whether it may connect to sockets in the file system also when no setting names one"},
    {"processes", OPTION_BOOLEAN, .fallback = "false", FIELD(source_sandbox_config, processes),
     .help = "whether it may start processes, as shell scripts do"},
    {"read_any_owner", OPTION_BOOLEAN, .fallback = "false", FIELD(source_sandbox_config, read_any_owner),
     .help = "whether it may read files of whichever owner, as far as the sandbox lets it read files at all: "
             "keeps "
             "CAP_DAC_READ_SEARCH where dsard has it"},
    {"memory_mib", OPTION_INTEGER, .fallback = "1024", RANGE(0, 1048576),
     FIELD(source_sandbox_config, memory_mib),
     .help = "the most addresses of a process of it, which is more than the memory that it uses; Node.js and "
             "Java "
             "reserve much more. 0: no limit"},
    {"files_max", OPTION_INTEGER, .fallback = "256", RANGE(16, 65536),
     FIELD(source_sandbox_config, files_max), .help = "the most descriptors that a process of it has open"},
    {"user", OPTION_TEXT, .fallback_words = "`sandbox.user`", FIELD(source_sandbox_config, user),
     .help = "the user that it runs as"},
    {NULL},
};

static const struct option source_options[] = {
    {"name", OPTION_TEXT, OPTION_REQUIRED, .rule = &source_name_rule, FIELD(source_config, name),
     .help = "names the source in bundles and events; unique"},
    {"title", OPTION_TEXT, .fallback_words = "`name`", FIELD(source_config, title),
     .help = "its name for people"},
    {"purpose", OPTION_TEXT, FIELD(source_config, purpose),
     .help = "what the data is held for; stands in the report"},
    {"connector", OPTION_TEXT, OPTION_REQUIRED, FIELD(source_config, connector),
     .help = "the program that reads the source: NAME stands for `dsar-NAME` in `connectors_dir`; with a "
             "slash, its path"},
    {"profile", OPTION_TEXT, FIELD(source_config, profile),
     .help = "what the connector must know of a product: NAME stands for NAME`.json` in `profiles_dir`; with "
             "`/` or `.` "
             "in front, its path"},
    {"arguments", OPTION_TEXTS, .max = 100, COUNTED(source_config, arguments, n_arguments),
     .help = "further arguments of the program; no secrets"},
    {"settings", OPTION_PAIRS, .max = 100, COUNTED(source_config, settings, n_settings),
     .help = "what the connector asks for; a secret NAME as `NAME_file: PATH`"},
    {"max_concurrent", OPTION_INTEGER, .fallback = "2", RANGE(1, 64), FIELD(source_config, max_concurrent),
     .help = "processes of this source at a time, in one worker"},
    {"deadline_s", OPTION_INTEGER, .fallback = "3600", RANGE(1, 86400), FIELD(source_config, deadline_s),
     .help = "how long fetching one person's data may take"},
    {"resolve_deadline_s", OPTION_INTEGER, .fallback = "60", RANGE(1, 86400),
     FIELD(source_config, resolve_deadline_s), .help = "how long looking a person up may take"},
    {"keep_alive_s", OPTION_INTEGER, .fallback = "30", RANGE(1, 600), FIELD(source_config, keep_alive_s),
     .help = "the longest silence of a connector"},
    {"sandbox", OPTION_SECTION, FIELD(source_config, sandbox), .members = source_sandbox_options,
     .help = "what the connector may do beyond what follows from its settings"},
    {NULL},
};

static const struct option sandbox_options[] = {
    {"user", OPTION_TEXT, .fallback_words = "dsard's own", FIELD(sandbox_config, user),
     .help = "name or number of the user that connectors run as, where dsard runs as root"},
    {"processes_max", OPTION_INTEGER, .fallback = "4096", RANGE(0, 4194304),
     FIELD(sandbox_config, processes_max),
     .help = "the most processes and threads of a connector's user, whoever started them, beyond which a "
             "connector can "
             "start none; root has no such limit. 0: no limit"},
    {"required", OPTION_BOOLEAN, .fallback = "false", FIELD(sandbox_config, required),
     .help = "whether dsard refuses to start where a part of the sandbox is missing, instead of warning"},
    {NULL},
};

static const struct option ops_options[] = {
    {"address", OPTION_TEXT, .rule = &address_rule, FIELD(ops_config, address),
     .help = "where the worker's figures are shown for Prometheus, at /metrics; without it nowhere"},
    {NULL},
};

static const struct option log_options[] = {
    {"level", OPTION_CHOICE, .fallback = "info", .choices = log_levels, FIELD(log_config, level),
     .help = "the least that is logged"},
    {"format", OPTION_CHOICE, .fallback = "text", .choices = log_formats, FIELD(log_config, format),
     .help = "lines for people, or one JSON object a line"},
    {NULL},
};

static const struct option all_options[] = {
    {"controller", OPTION_SECTION, FIELD(config, controller), .members = controller_options,
     .help = "Who answers."},
    {"kafka", OPTION_SECTION, OPTION_REQUIRED_FOR_RUN, FIELD(config, kafka), .members = kafka_options,
     .help = "Where requests come from and events go. May be absent for `dsard once`."},
    {"requests", OPTION_SECTION, FIELD(config, requests), .members = requests_options,
     .help = "Which requests are answered."},
    {"exporter", OPTION_SECTION, FIELD(config, exporter), .members = exporter_options,
     .help = "In whose name dsard signs."},
    {"store", OPTION_SECTION, FIELD(config, store), .members = store_options, .help = "Where bundles go."},
    {"work", OPTION_SECTION, FIELD(config, work), .members = work_options,
     .help = "How much is done at a time."},
    {"retry", OPTION_SECTION, FIELD(config, retry), .members = retry_options,
     .help = "What happens while a source does not answer."},
    {"identities", OPTION_SECTION, FIELD(config, identities), .members = identities_options,
     .help = "How one source's knowledge of a person leads to another's."},
    {"sources", OPTION_LIST, OPTION_REQUIRED, RANGE(1, 100), COUNTED(config, sources, n_sources),
     .item_size = sizeof(struct source_config), .members = source_options,
     .help = "The systems that hold personal data."},
    {"connectors_dir", OPTION_PATH, .fallback_words = "`../libexec/dsard`, seen from the program's folder",
     FIELD(config, connectors_dir), .help = "where connectors lie"},
    {"profiles_dir", OPTION_PATH,
     .fallback_words = "`../share/dsard/profiles`, seen from the program's folder",
     FIELD(config, profiles_dir), .help = "where profiles lie"},
    {"sandbox", OPTION_SECTION, FIELD(config, sandbox), .members = sandbox_options,
     .help = "What connectors are kept from doing."},
    {"ops", OPTION_SECTION, FIELD(config, ops), .members = ops_options,
     .help = "What a worker shows of itself."},
    {"log", OPTION_SECTION, FIELD(config, log), .members = log_options,
     .help = "What is written to standard error."},
    {NULL},
};

const struct option *config_options(void)
{
    return all_options;
}
