/* SPDX-License-Identifier: Apache-2.0 */
/* A program with all our libraries, connected, and nothing else: what a service cannot be smaller than, or start
 * faster. Says "ready", and stays until it is ended.
 *
 *   libraries POSTGRES-URL BROKERS REDIS-PORT */
#include <curl/curl.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <microhttpd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **state)
{
    (void)context, (void)connection, (void)url, (void)method, (void)version, (void)data, (void)size;
    (void)state;
    return MHD_NO;
}

static rd_kafka_t *make_producer(const char *brokers)
{
    char text[512];
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    rd_kafka_conf_set(settings, "bootstrap.servers", brokers, text, sizeof text);
    return rd_kafka_new(RD_KAFKA_PRODUCER, settings, text, sizeof text);
}

int main(int argc, char **argv)
{
    if (argc != 4 || sodium_init() < 0 || curl_global_init(CURL_GLOBAL_ALL) != 0)
        return 2;
    json_object_seed(0);
    struct MHD_Daemon *http = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer,
                                               NULL, MHD_OPTION_END);
    rd_kafka_t *producer = make_producer(argv[2]);
    PGconn *postgres = PQconnectdb(argv[1]);
    redisContext *redis = redisConnect("127.0.0.1", atoi(argv[3]));
    const struct rd_kafka_metadata *metadata = NULL;
    if (http == NULL || producer == NULL || PQstatus(postgres) != CONNECTION_OK || redis == NULL ||
        redis->err != 0 || rd_kafka_metadata(producer, 0, NULL, &metadata, 5000) != 0)
        return 1;
    rd_kafka_metadata_destroy(metadata);
    printf("ready\n");
    fflush(stdout);
    for (;;)
        pause();
}
