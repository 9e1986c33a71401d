/* config: what the operator decided, read from one YAML file.
 *
 * A configuration is filled by config_load, read-only afterwards and then safe for several threads. It owns
 * all its strings. Paths are absolute. What each field means and which values it may have stands in
 * config/options.c, from which config_print_reference writes the reference. Optional texts that were not
 * given are NULL.
 */
#ifndef DSAR_CONFIG_CONFIG_H
#define DSAR_CONFIG_CONFIG_H

#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A place in the file; both count from 1, columns in characters. */
struct config_mark {
    unsigned line;
    unsigned column;
};

/* One entry of a free mapping (properties of Kafka, settings of a source). `NAME_file: PATH` is kept as NAME
 * with is_file: the value is then the absolute path of the file that holds the secret, which is not read
 * here. */
struct config_pair {
    char *name;
    char *value;
    bool is_file;
    struct config_mark key_mark;
    struct config_mark value_mark;
};

enum config_framing { CONFIG_FRAMING_NONE, CONFIG_FRAMING_CONFLUENT };
enum config_store_kind { CONFIG_STORE_DIR };
enum config_log_format { CONFIG_LOG_TEXT, CONFIG_LOG_JSON };

struct controller_config {
    char *id;
    char *name;
    char *contact;
    char *complaints; /* may be NULL */
};

struct topics_config {
    char *requests;
    char *control;
    char *events;
    char *dead;
    char *audit;
};

struct kafka_config {
    char *brokers; /* NULL: the file has no kafka section, and nothing else of this struct is set */
    char *group;
    char *transactional_id;
    enum config_framing framing;
    struct topics_config topics;
    struct config_pair *properties;
    size_t n_properties;
    unsigned open_ranges; /* of one partition */
};

struct requests_config {
    bool require_signature;
    char *trusted_keys_file; /* NULL only without require_signature */
    char *audience;
    unsigned max_bytes;
    char *identity_keys_file; /* NULL: identities cannot be sealed */
};

struct exporter_config {
    char *source;
    char *key_file;
    char *retired_keys_file; /* may be NULL */
};

struct store_config {
    enum config_store_kind kind;
    char *path;
    unsigned bundle_days;
    char *results_url; /* the request id is appended to it */
    unsigned sweep_after_s;
};

struct work_config {
    char *spool_dir;
    unsigned concurrent_requests;
    unsigned concurrent_sources; /* of one request */
    unsigned seal_threads;       /* 0: one a core */
    unsigned blocks;             /* 0: as many as needed */
    unsigned block_kib;
    unsigned entries_max; /* of one bundle */
    unsigned waves_max;
    unsigned identities_per_source; /* of one kind from one source */
    unsigned parked_max;
    unsigned claim_s;
    unsigned grace_s;
};

/* A topic where requests wait `delay_s` seconds for another attempt. */
struct retry_tier {
    char *topic;
    unsigned delay_s;
};

struct retry_config {
    unsigned attempts; /* in place, of one source */
    unsigned first_ms;
    unsigned max_ms;
    struct retry_tier *tiers; /* each later than the one before; without Kafka never used */
    size_t n_tiers;
    unsigned horizon_s;
    unsigned margin_s;
    unsigned breaker_failures; /* 0: sources have no circuit breaker */
    unsigned breaker_open_s;
};

/* What source `from` finds out as `kind` may be told to each source of `to`. */
struct identity_edge {
    char *from;
    char *kind;
    char **to;
    size_t n_to;
};

struct identities_config {
    struct identity_edge *allow;
    size_t n_allow;
};

enum config_resolve { CONFIG_RESOLVE_AUTO, CONFIG_RESOLVE_YES, CONFIG_RESOLVE_NO };

/* What a source's connector may do beyond what follows from its settings. */
struct source_sandbox_config {
    bool enabled;
    char **read; /* as written */
    size_t n_read;
    char **connect; /* TCP ports, as text */
    size_t n_connect;
    enum config_resolve resolve_names;
    bool unix_sockets;
    bool processes;
    bool read_any_owner;
    unsigned memory_mib;
    unsigned files_max;
    char *user; /* NULL: the one of the whole sandbox */
};

struct source_config {
    char *name;
    char *title;
    char *purpose;      /* may be NULL */
    char *connector;    /* as written */
    char *program;      /* the connector's executable */
    char *profile;      /* as written; may be NULL */
    char *profile_path; /* NULL without a profile */
    char **arguments;
    size_t n_arguments;
    struct config_pair *settings;
    size_t n_settings;
    unsigned max_concurrent; /* processes of this source at a time, in this worker */
    unsigned deadline_s;
    unsigned resolve_deadline_s;
    unsigned keep_alive_s;
    struct source_sandbox_config sandbox;
    struct config_mark mark;
    const char *folder; /* the configuration's, borrowed: relative paths in settings start there */
};

/* What holds for the connectors of all sources. */
struct sandbox_config {
    char *user; /* NULL: the daemon's own */
    unsigned processes_max;
    bool required;
};

struct ops_config {
    char *address; /* NULL: nothing is shown */
};

struct log_config {
    enum log_level level;
    enum config_log_format format;
};

struct config {
    char *path;   /* the file, as it was named */
    char *folder; /* where it lies: relative paths start there */
    struct controller_config controller;
    struct kafka_config kafka;
    struct requests_config requests;
    struct exporter_config exporter;
    struct store_config store;
    struct work_config work;
    struct retry_config retry;
    struct identities_config identities;
    struct source_config *sources;
    size_t n_sources;
    char *connectors_dir;
    char *profiles_dir;
    struct sandbox_config sandbox;
    struct ops_config ops;
    struct log_config log;
};

enum config_use {
    CONFIG_FOR_RUN,  /* a worker on Kafka */
    CONFIG_FOR_ONCE, /* one request from a file: the kafka section may be absent */
};

/* Reads and checks the file. 0 with *config to be freed by config_free, or -1 after having written every
 * problem to `errors`, one a line: "FILE:LINE:COLUMN: error: .path.of.key: what was expected". Lines with
 * "warning:" may be written in either case. Secrets and the values of environment variables are never
 * written. Reads the environment: to be called before there are threads. */
int config_load(struct config **config, const char *path, enum config_use use, FILE *errors)
    __attribute__((warn_unused_result));

/* NULL is harmless. */
void config_free(struct config *config);

/* Writes the reference of all options as Markdown. */
void config_print_reference(FILE *out);

#endif
