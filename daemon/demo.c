/* dsard demo: an example host, a portal and Kafka's mock cluster on this machine, around the real programs.
 */
#include "commands.h"

#include "demo_steps.h"

#include <getopt.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: dsard demo [--dir DIR]\n\n"
    "Starts an example host (billing, hosting panel, forum, marketing) and an embedded Kafka on this "
    "machine, sends a\n"
    "signed request of one of its clients, lets `dsard run` answer it and shows how the bundle is opened.\n"
    "  --dir  where all of it is kept: a folder that does not exist or is empty; a new one by default\n";

static const struct {
    const char *name;
    int n_partitions;
} topics[] = {{"dsar.requests", 4},          {"dsar.control", 4},
              {"dsar.requests.retry.5m", 4}, {"dsar.requests.retry.1h", 4},
              {"dsar.requests.retry.6h", 4}, {"dsar.events", 4},
              {"dsar.requests.dead", 1},     {"dsar.audit", 1}};

/* Kafka within this process; it serves others over TCP on the loopback interface. */
static rd_kafka_t *start_kafka(const char **brokers, struct fault *fault)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", text, sizeof text);
    rd_kafka_conf_set(conf, "log_level", "2", text, sizeof text);
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!kafka) {
        rd_kafka_conf_destroy(conf);
        fault_set(fault, "kafka", "the embedded Kafka cannot be started: %s", text);
        return NULL;
    }
    rd_kafka_mock_cluster_t *cluster = rd_kafka_handle_mock_cluster(kafka);
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        rd_kafka_mock_topic_create(cluster, topics[i].name, topics[i].n_partitions, 1);
    *brokers = rd_kafka_mock_cluster_bootstraps(cluster);
    return kafka;
}

static int show_result(const struct demo *demo, struct fault *fault)
{
    char bundle[DEMO_PATH_MAX], passphrase[256];
    if (demo_find_bundle(demo, bundle, fault) || demo_passphrase(demo, passphrase, sizeof passphrase, fault))
        return -1;
    printf("\nbundle: %s\n"
           "passphrase: %s\n"
           "recipient key: %s/recipient.jwk\n"
           "\nOpen it with 7-Zip, which asks for the passphrase:\n"
           "  7zz x '-o%s/opened-by-7zip' '%s'\n"
           "or with the recipient's key and the event:\n"
           "  '%s' open '%s' --event '%s/event.json' --key '%s/recipient.jwk' --out '%s/opened'\n"
           "and check it:\n"
           "  '%s' verify '%s' --event '%s/event.json' --key '%s/recipient.jwk' --jwks "
           "'%s/exporter.jwks.json'\n",
           bundle, passphrase, demo->dir, demo->dir, bundle, demo->dsarctl, bundle, demo->dir, demo->dir,
           demo->dir, demo->dsarctl, bundle, demo->dir, demo->dir, demo->dir);
    explicit_bzero(passphrase, sizeof passphrase);
    return 0;
}

static int play(struct demo *demo, struct fault *fault)
{
    if (demo_make_keys(demo, fault) || demo_start_host(demo, fault) || demo_write_config(demo, fault) ||
        demo_start_worker(demo, fault))
        return -1;
    printf("%s: alice@example.test asks the portal for her data\n", demo->host_name);
    if (demo_submit(demo, fault) || demo_watch(demo, fault))
        return -1;
    return show_result(demo, fault);
}

int command_demo(int argc, char **argv, const struct command_signals *signals)
{
    static const struct option options[] = {
        {"dir", required_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *dir = NULL, *brokers;
    struct demo demo;
    struct fault fault;
    for (int c; (c = getopt_long(argc, argv, "d:h", options, NULL)) != -1;) {
        if (c != 'd') {
            fputs(help, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_DONE : EXIT_USAGE;
        }
        dir = optarg;
    }
    if (optind != argc) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    rd_kafka_t *kafka = start_kafka(&brokers, &fault);
    if (!kafka)
        return command_failed("demo", &fault, EXIT_FAILED);
    int status = EXIT_DONE;
    if (demo_begin(&demo, dir, brokers, signals->leave, &fault) || play(&demo, &fault))
        status = command_failed("demo", &fault, EXIT_FAILED);
    demo_end(&demo);
    rd_kafka_destroy(kafka);
    return status;
}
