/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/ends.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "base/memory.h"
#include "bus/client.h"

#define QUERY_TIMEOUT_MS 2000

enum question_state { ASKED, ANSWERED };

struct question {
    int32_t partition;
    enum question_state state;
    bool stale; /* forgotten while it was being asked */
    rd_kafka_resp_err_t code;
    struct log_ends ends;
    UT_hash_handle hh;
};

/* Owned by its thread once that runs: it may be held in the library when the owner closes. */
struct ends {
    rd_kafka_t *client;
    char *topic;
    pthread_mutex_t lock;
    pthread_cond_t asked;
    /* Under the lock: */
    struct question *questions;
    int wake_fd; /* -1: the owner is gone */
};

static void ends_free(struct ends *ends)
{
    struct question *question, *next;
    HASH_ITER (hh, ends->questions, question, next) {
        HASH_DEL(ends->questions, question);
        free(question);
    }
    rd_kafka_destroy(ends->client);
    pthread_mutex_destroy(&ends->lock);
    pthread_cond_destroy(&ends->asked);
    free(ends->topic);
    free(ends);
}

static struct question *next_question(const struct ends *ends)
{
    struct question *question, *next;
    HASH_ITER (hh, ends->questions, question, next) {
        if (question->state == ASKED)
            return question;
    }
    return NULL;
}

static void answer(struct ends *ends, struct question *question, rd_kafka_resp_err_t code,
                   const struct log_ends *found)
{
    const uint64_t one = 1;
    question->code = code;
    question->ends = *found;
    question->state = question->stale ? ASKED : ANSWERED;
    question->stale = false;
    if (question->state == ANSWERED)
        (void)!write(ends->wake_fd, &one, sizeof one);
}

static void *run(void *context)
{
    struct ends *ends = context;
    pthread_mutex_lock(&ends->lock);
    while (ends->wake_fd >= 0) {
        struct question *question = next_question(ends);
        if (question == NULL) {
            pthread_cond_wait(&ends->asked, &ends->lock);
            continue;
        }
        struct log_ends found = {0};
        int32_t partition = question->partition;
        pthread_mutex_unlock(&ends->lock);
        rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
            ends->client, ends->topic, partition, &found.low, &found.high, QUERY_TIMEOUT_MS);
        pthread_mutex_lock(&ends->lock);
        if (ends->wake_fd >= 0)
            answer(ends, question, code, &found);
    }
    pthread_mutex_unlock(&ends->lock);
    ends_free(ends);
    return NULL;
}

int ends_open(const struct bus_settings *settings, const char *topic, int wake_fd,
              struct ends **ends_r, struct error *error)
{
    const struct client_option options[] = {{NULL, NULL}};
    rd_kafka_conf_t *configuration;
    pthread_attr_t attributes;
    pthread_t thread;
    char text[256];
    if (client_configure(settings, options, &configuration, error) < 0)
        return -1;
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, text, sizeof text);
    if (client == NULL) {
        rd_kafka_conf_destroy(configuration);
        return error_set(error, "invalid", "kafka: %s", text);
    }
    struct ends *ends = xcalloc(1, sizeof *ends);
    *ends = (struct ends){.client = client, .topic = xstrdup(topic), .wake_fd = wake_fd};
    pthread_mutex_init(&ends->lock, NULL);
    pthread_cond_init(&ends->asked, NULL);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attributes, run, ends);
    pthread_attr_destroy(&attributes);
    if (failed != 0) {
        ends_free(ends);
        return error_set(error, "unavailable", "no thread to ask the broker: %s", strerror(failed));
    }
    *ends_r = ends;
    return 0;
}

void ends_close(struct ends **ends_p)
{
    struct ends *ends = *ends_p;
    if (ends == NULL)
        return;
    *ends_p = NULL;
    pthread_mutex_lock(&ends->lock);
    ends->wake_fd = -1;
    pthread_cond_signal(&ends->asked);
    pthread_mutex_unlock(&ends->lock); /* the thread may free it from here on */
}

static int take(struct ends *ends, struct question *question, struct log_ends *ends_r,
                struct error *error)
{
    rd_kafka_resp_err_t code = question->code;
    *ends_r = question->ends;
    HASH_DEL(ends->questions, question);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 1;
    return error_set(error, "unavailable", "kafka: %s partition %d: %s", ends->topic,
                     question->partition, rd_kafka_err2str(code));
}

int ends_take(struct ends *ends, int32_t partition, struct log_ends *ends_r, struct error *error)
{
    struct question *question;
    int status = 0;
    pthread_mutex_lock(&ends->lock);
    HASH_FIND(hh, ends->questions, &partition, sizeof partition, question);
    if (question == NULL) {
        question = xcalloc(1, sizeof *question);
        question->partition = partition;
        HASH_ADD(hh, ends->questions, partition, sizeof partition, question);
        pthread_cond_signal(&ends->asked);
    } else if (question->state == ANSWERED) {
        status = take(ends, question, ends_r, error);
        free(question);
    }
    pthread_mutex_unlock(&ends->lock);
    return status;
}

void ends_forget(struct ends *ends, int32_t partition)
{
    struct question *question;
    pthread_mutex_lock(&ends->lock);
    HASH_FIND(hh, ends->questions, &partition, sizeof partition, question);
    if (question != NULL && question->state == ANSWERED) {
        HASH_DEL(ends->questions, question);
        free(question);
    } else if (question != NULL) {
        question->stale = true;
    }
    pthread_mutex_unlock(&ends->lock);
}
