#include "outcome/exporter.h"

#include "base/secret.h"
#include "gather/confine.h"
#include "intake/client.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* Blocks that each sealing thread may have in work or in its queue. */
#define BLOCKS_AHEAD 3

#define THREADS_MAX 64

static int start_pool(struct exporter *exporter, struct fault *fault)
{
    const struct work_config *work = &exporter->config->work;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 1)
        cores = 1;
    unsigned threads = work->seal_threads    ? work->seal_threads
                       : cores < THREADS_MAX ? (unsigned)cores
                                             : THREADS_MAX;
    /* each source that is being fetched holds one block while it fills it */
    unsigned writers = work->concurrent_requests * work->concurrent_sources;
    unsigned least = writers + threads;
    const struct seal_pool_options options = {
        .n_threads = threads,
        .n_blocks = work->blocks > least ? work->blocks : writers + threads * BLOCKS_AHEAD,
        /* a newline may be added behind the largest payload */
        .block_bytes = (size_t)work->block_kib * 1024 + 4096,
    };
    return seal_pool_new(&exporter->pool, &options, fault);
}

/* Names and values, as far as librdkafka judges them before a client is made. */
static int try_properties(const struct config *config, struct fault *fault)
{
    rd_kafka_conf_t *conf;
    if (client_conf(&conf, config, fault))
        return fault_prefix(fault, "%s: .kafka.properties", config->path);
    rd_kafka_conf_destroy(conf);
    return 0;
}

int exporter_learn(struct exporter *exporter, const struct config *config, struct log *log,
                   struct fault *fault)
{
    *exporter = (struct exporter){.config = config, .log = log};
    if (keyring_load(&exporter->keyring, config->exporter.key_file, config->exporter.retired_keys_file,
                     fault))
        return fault_prefix(fault, "%s: .exporter.key_file or .retired_keys_file", config->path);
    if (config->kafka.brokers && config->requests.require_signature &&
        trust_load(&exporter->trust, config->requests.trusted_keys_file, fault))
        return fault_prefix(fault, "%s: .requests.trusted_keys_file", config->path);
    if (config->requests.identity_keys_file &&
        identity_keys_load(&exporter->identity_keys, config->requests.identity_keys_file, fault))
        return fault_prefix(fault, "%s: .requests.identity_keys_file", config->path);
    if (config->kafka.brokers && try_properties(config, fault))
        return -1;
    if (confine_check(config, fault))
        return fault_prefix(fault, "%s", config->path);
    if (catalog_new(&exporter->catalog, config, stderr))
        return fault_set(fault, "bad_config", "%s: the sources cannot be used as configured", config->path);
    return 0;
}

int exporter_open(struct exporter *exporter, struct fault *fault)
{
    const struct config *config = exporter->config;
    if (access(config->work.spool_dir, W_OK | X_OK))
        return fault_errno(fault, "spool_unusable", errno, "spool %s: expected a folder that can be written",
                           config->work.spool_dir);
    if (store_open(&exporter->store, config->store.path, fault) || start_pool(exporter, fault))
        return -1;
    exporter->records = (struct records){.store = exporter->store, .keyring = exporter->keyring};
    confine_tell(exporter->config, exporter->log);
    if (secret_unlocked())
        log_line(exporter->log, LOG_LEVEL_WARNING, NULL,
                 "memory for secrets cannot be locked and may be swapped: raise RLIMIT_MEMLOCK "
                 "(LimitMEMLOCK=infinity)");
    return 0;
}

void exporter_close(struct exporter *exporter)
{
    seal_pool_free(exporter->pool);
    store_close(exporter->store);
    catalog_free(exporter->catalog);
    identity_keys_free(exporter->identity_keys);
    trust_free(exporter->trust);
    keyring_free(exporter->keyring);
    *exporter = (struct exporter){0};
}
