/* SPDX-License-Identifier: Apache-2.0 */
/* What clients of Kafka have in common: the connection's settings and the record. Only libshared/bus
 * includes librdkafka. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct bus_settings {
    const char *brokers;
    const char *client_id;
    int64_t session_timeout_ms; /* group members */
    int64_t heartbeat_interval_ms;
};

/* One record, valid during the call that hands it over (or until record_free for owned ones). */
struct record {
    const char *topic;
    int32_t partition;
    int64_t offset;
    const char *key; /* not NUL-terminated */
    size_t key_length;
    const char *payload; /* NULL when empty */
    size_t payload_length;
    int64_t timestamp_ms;
    char worker_id[37]; /* header "worker": whose MAC it is; "" when none */
    uint8_t mac[32];    /* header "mac" */
    int has_mac;
    char traceparent[64]; /* header "traceparent"; "" when none */
    void *handle;         /* the bus' own */
};
