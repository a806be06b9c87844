/* SPDX-License-Identifier: Apache-2.0 */
/* Against librdkafka's own mock cluster: what real brokers cannot be made to do at will. The source is
 * included, since a fatal error is raised inside its client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "../../../../libshared/bus/producer.c"

#define DEADLINE_MS 20000
#define TOPIC       "things"

static rd_kafka_t *host;
static rd_kafka_mock_cluster_t *cluster;

struct reports {
    int count[3]; /* by enum delivery */
    uint64_t last_tag;
};

static int start_cluster(void **state)
{
    (void)state;
    rd_kafka_conf_t *configuration = rd_kafka_conf_new();
    rd_kafka_conf_set(configuration, "log_level", "0", NULL, 0);
    host = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, NULL, 0);
    cluster = rd_kafka_mock_cluster_new(host, 1);
    return cluster == NULL ||
           rd_kafka_mock_topic_create(cluster, TOPIC, 1, 1) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static int stop_cluster(void **state)
{
    (void)state;
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
    return 0;
}

static void on_delivered(void *context, uint64_t tag, enum delivery delivery,
                         const struct error *why)
{
    struct reports *reports = context;
    (void)why;
    reports->count[delivery]++;
    reports->last_tag = tag;
}

static struct producer *open_producer(struct reports *reports)
{
    struct producer *producer = NULL;
    const struct bus_settings settings = {.brokers = rd_kafka_mock_cluster_bootstraps(cluster),
                                          .client_id = "test",
                                          .session_timeout_ms = 6000,
                                          .heartbeat_interval_ms = 1000};
    assert_int_equal(producer_open(&settings, on_delivered, reports, &producer, NULL), 0);
    return producer;
}

static void hand_over(struct producer *producer, uint64_t tag)
{
    const struct outgoing message = {
        .topic = TOPIC, .partition = 0, .payload = "x", .payload_length = 1, .tag = tag};
    assert_int_equal(producer_send(producer, &message, NULL), 0);
}

static void poll_until(struct producer *producer, const int *count, int wanted)
{
    int64_t deadline_ms = monotonic_ms() + DEADLINE_MS;
    while (*count < wanted && monotonic_ms() < deadline_ms) {
        producer_poll(producer);
        poll(NULL, 0, 5);
    }
    assert_int_equal(*count, wanted);
}

static void wait_healthy(struct producer *producer, bool wanted)
{
    int64_t deadline_ms = monotonic_ms() + DEADLINE_MS;
    while (producer_is_healthy(producer) != wanted && monotonic_ms() < deadline_ms) {
        producer_poll(producer);
        poll(NULL, 0, 5);
    }
    assert_true(producer_is_healthy(producer) == wanted);
}

static void a_fatal_error_is_survived_and_nothing_in_flight_is_forgotten(void **state)
{
    struct reports reports = {.last_tag = 0};
    struct producer *producer = open_producer(&reports);
    (void)state;
    hand_over(producer, 1);
    poll_until(producer, &reports.count[DELIVERY_OK], 1);
    rd_kafka_mock_broker_set_rtt(cluster, 1, 500); /* what is sent now is still on its way */
    hand_over(producer, 2);

    rd_kafka_test_fatal_error(producer->client, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                              "as if the broker had lost it");
    poll_until(producer, &reports.count[DELIVERY_FAILED], 1);
    assert_int_equal(reports.last_tag, 2);

    rd_kafka_mock_broker_set_rtt(cluster, 1, 0);
    hand_over(producer, 3);
    poll_until(producer, &reports.count[DELIVERY_OK], 2);
    assert_int_equal(reports.last_tag, 3);
    assert_true(producer_is_healthy(producer));
    producer_close(&producer, 1000);
}

static void one_that_has_nothing_to_send_notices_that_the_brokers_are_back(void **state)
{
    struct reports reports = {.last_tag = 0};
    struct producer *producer = open_producer(&reports);
    (void)state;
    hand_over(producer, 1);
    poll_until(producer, &reports.count[DELIVERY_OK], 1);

    rd_kafka_mock_broker_set_down(cluster, 1);
    wait_healthy(producer, false);
    rd_kafka_mock_broker_set_up(cluster, 1);

    wait_healthy(producer, true);
    assert_int_equal(reports.count[DELIVERY_OK], 1);
    producer_close(&producer, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fatal_error_is_survived_and_nothing_in_flight_is_forgotten),
        cmocka_unit_test(one_that_has_nothing_to_send_notices_that_the_brokers_are_back),
    };
    return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
