/* SPDX-License-Identifier: Apache-2.0 */
#include "lanes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/clock.h"
#include "base/memory.h"
#include "bus/admin.h"
#include "ingest.h"
#include "installation.h"

#define KAFKA_TIMEOUT_MS 4000
#define TRUSTED_MS       60000

struct known_pool {
    char id[UUID_TEXT_SIZE];
    int64_t seen_ms;
    UT_hash_handle hh;
};

struct lanes {
    pthread_mutex_t lock; /* of known and is_asking */
    struct known_pool *known;
    bool is_asking;
};

struct lanes *lanes_new(void)
{
    struct lanes *lanes = xcalloc(1, sizeof *lanes);
    pthread_mutex_init(&lanes->lock, NULL);
    return lanes;
}

void lanes_free(struct lanes **lanes)
{
    struct known_pool *pool, *next;
    if (*lanes == NULL)
        return;
    HASH_ITER (hh, (*lanes)->known, pool, next) {
        HASH_DEL((*lanes)->known, pool);
        free(pool);
    }
    pthread_mutex_destroy(&(*lanes)->lock);
    memory_free(lanes);
}

/* 1: known; 0: it is on us to ask; -1: somebody asks just now. */
static int begin_asking(struct lanes *lanes, const char *pool_id)
{
    struct known_pool *pool;
    pthread_mutex_lock(&lanes->lock);
    HASH_FIND_STR(lanes->known, pool_id, pool);
    int answer = pool != NULL && monotonic_ms() - pool->seen_ms < TRUSTED_MS ? 1
                 : lanes->is_asking                                          ? -1
                                                                             : 0;
    if (answer == 0)
        lanes->is_asking = true;
    pthread_mutex_unlock(&lanes->lock);
    return answer;
}

static void end_asking(struct lanes *lanes, const char *pool_id, bool is_there)
{
    struct known_pool *pool;
    pthread_mutex_lock(&lanes->lock);
    lanes->is_asking = false;
    HASH_FIND_STR(lanes->known, pool_id, pool);
    if (is_there && pool == NULL) {
        pool = xcalloc(1, sizeof *pool);
        memcpy(pool->id, pool_id, strlen(pool_id) + 1);
        HASH_ADD_STR(lanes->known, id, pool);
    }
    if (is_there)
        pool->seen_ms = monotonic_ms();
    pthread_mutex_unlock(&lanes->lock);
}

static int make_topic(const struct bus_settings *bus, const char *topic, int lanes,
                      struct error *error)
{
    int there;
    if (bus_topic_partitions(bus, topic, KAFKA_TIMEOUT_MS, &there, error) < 0)
        return -1;
    if (there == lanes)
        return 0;
    if (there > 0)
        return error_set(error, "unavailable", "topic %s has %d partitions instead of %d", topic,
                         there, lanes);
    return bus_topic_create(bus, topic, lanes, topics[TOPIC_LANES].retention_ms, KAFKA_TIMEOUT_MS,
                            error);
}

int lanes_ensure(struct request *request, struct store *store, const struct uuid *pool_id,
                 struct error *error)
{
    struct ingest *ingest = request_ingest(request);
    char topic[TOPIC_NAME_SIZE];
    int count;
    if (installation_partitions(ingest->installation, store, TOPIC_LANES, &count, error) < 0)
        return -1;
    int answer = begin_asking(ingest->lanes, pool_id->text);
    if (answer > 0)
        return 0;
    if (answer < 0)
        return error_set(error, "unavailable", "another worker waits for Kafka just now");
    installation_topic(ingest->installation, TOPIC_LANES, pool_id->text, topic);
    int status = make_topic(&ingest->bus, topic, count, error);
    end_asking(ingest->lanes, pool_id->text, status == 0);
    return status;
}
