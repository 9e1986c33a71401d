/* What the tests of the outcome share: librdkafka's mock cluster, and real messages from it. */
#ifndef DSAR_TEST_KAFKA_H
#define DSAR_TEST_KAFKA_H

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef __SANITIZE_THREAD__
#include <pthread.h>
#include <threads.h>

/* librdkafka uses the threads of C11, which ThreadSanitizer does not know: here they become those of POSIX,
 * as they are in glibc, so that it sees them begin, wait and end. */
/* Its atomic counts are not seen either. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:librdkafka";
}

struct test_thread {
    thrd_start_t run;
    void *arg;
};

static inline void *test_thread_run(void *arg)
{
    struct test_thread thread = *(struct test_thread *)arg;
    free(arg);
    return (void *)(intptr_t)thread.run(thread.arg);
}

int thrd_create(thrd_t *id, thrd_start_t run, void *arg)
{
    struct test_thread *thread = malloc(sizeof *thread);
    if (!thread)
        return thrd_nomem;
    *thread = (struct test_thread){run, arg};
    return pthread_create(id, NULL, test_thread_run, thread) ? thrd_error : thrd_success;
}

int thrd_join(thrd_t id, int *result)
{
    void *value;
    int error = pthread_join(id, &value);
    if (result)
        *result = (int)(intptr_t)value;
    return error ? thrd_error : thrd_success;
}

int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes,
                              type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    return pthread_mutex_init((pthread_mutex_t *)mutex, &attributes) ? thrd_error : thrd_success;
}

int mtx_lock(mtx_t *mutex)
{
    return pthread_mutex_lock((pthread_mutex_t *)mutex) ? thrd_error : thrd_success;
}

int mtx_trylock(mtx_t *mutex)
{
    return pthread_mutex_trylock((pthread_mutex_t *)mutex) ? thrd_busy : thrd_success;
}

int mtx_unlock(mtx_t *mutex)
{
    return pthread_mutex_unlock((pthread_mutex_t *)mutex) ? thrd_error : thrd_success;
}

void mtx_destroy(mtx_t *mutex)
{
    pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int cnd_init(cnd_t *condition)
{
    return pthread_cond_init((pthread_cond_t *)condition, NULL) ? thrd_error : thrd_success;
}

int cnd_signal(cnd_t *condition)
{
    return pthread_cond_signal((pthread_cond_t *)condition) ? thrd_error : thrd_success;
}

int cnd_broadcast(cnd_t *condition)
{
    return pthread_cond_broadcast((pthread_cond_t *)condition) ? thrd_error : thrd_success;
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex) ? thrd_error
                                                                                    : thrd_success;
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until)
{
    int error = pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until);
    return error == ETIMEDOUT ? thrd_timedout : error ? thrd_error : thrd_success;
}

void cnd_destroy(cnd_t *condition)
{
    pthread_cond_destroy((pthread_cond_t *)condition);
}
#endif

struct test_kafka {
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *cluster;
    char brokers[256];
    rd_kafka_t *consumer;
};

static inline rd_kafka_t *test_client(const struct test_kafka *kafka, rd_kafka_type_t type)
{
    static const char *const properties[][2] = {{"log_level", "0"},
                                                {"group.id", "test"},
                                                {"fetch.wait.max.ms", "10"},
                                                {"auto.offset.reset", "earliest"},
                                                {"isolation.level", "read_committed"}};
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    size_t n = type == RD_KAFKA_CONSUMER ? 5 : 1;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(rd_kafka_conf_set(conf, properties[i][0], properties[i][1], text, sizeof text), 0);
    if (*kafka->brokers)
        assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", kafka->brokers, text, sizeof text), 0);
    rd_kafka_t *client = rd_kafka_new(type, conf, text, sizeof text);
    assert_non_null(client);
    return client;
}

static inline void test_kafka_open(struct test_kafka *kafka)
{
    *kafka = (struct test_kafka){0};
    kafka->host = test_client(kafka, RD_KAFKA_PRODUCER);
    kafka->cluster = rd_kafka_mock_cluster_new(kafka->host, 1);
    assert_non_null(kafka->cluster);
    snprintf(kafka->brokers, sizeof kafka->brokers, "%s", rd_kafka_mock_cluster_bootstraps(kafka->cluster));
    kafka->consumer = test_client(kafka, RD_KAFKA_CONSUMER);
}

static inline void test_kafka_close(struct test_kafka *kafka)
{
    rd_kafka_destroy(kafka->consumer);
    rd_kafka_mock_cluster_destroy(kafka->cluster);
    rd_kafka_destroy(kafka->host);
}

/* Puts `n` messages on partition 0 of the topic, with the keys "0" to "9" again and again. */
static inline void test_produce(const struct test_kafka *kafka, const char *topic, size_t n)
{
    static char value[] = "value";
    rd_kafka_t *producer = test_client(kafka, RD_KAFKA_PRODUCER);
    for (size_t i = 0; i < n; i++) {
        char key = (char)('0' + i % 10);
        assert_int_equal(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                                           RD_KAFKA_V_KEY(&key, 1), RD_KAFKA_V_VALUE(value, 5),
                                           RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                         0);
    }
    assert_int_equal(rd_kafka_flush(producer, 10000), 0);
    rd_kafka_destroy(producer);
}

/* Reads on from `offset`. */
static inline void test_seek(const struct test_kafka *kafka, const char *topic, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = offset;
    assert_int_equal(rd_kafka_assign(kafka->consumer, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
}

/* The next message; NULL when none comes within `timeout_ms`. */
static inline rd_kafka_message_t *test_next(const struct test_kafka *kafka, int timeout_ms)
{
    for (;;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka->consumer, timeout_ms);
        if (!message || !message->err)
            return message;
        rd_kafka_message_destroy(message);
    }
}

#endif
