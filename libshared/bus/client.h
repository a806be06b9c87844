/* SPDX-License-Identifier: Apache-2.0 */
/* What all clients of librdkafka are made with. Only libshared/bus includes this. */
#pragma once

#include <librdkafka/rdkafka.h>

#include "bus/bus.h"

struct client_option {
    const char *name;
    const char *value; /* NULL: left out */
};

/* Common options, then these (NULL-named end). *configuration_r is owned until rd_kafka_new takes it. */
int client_configure(const struct bus_settings *settings, const struct client_option *options,
                     rd_kafka_conf_t **configuration_r, struct error *error) WARN_UNUSED;

/* An eventfd that becomes readable when an enabled queue stops being empty. */
int client_fd_new(void);
void client_fd_enable(rd_kafka_queue_t *queue, int fd);
void client_fd_clear(int fd);

struct record *client_record(rd_kafka_message_t *message); /* takes it over */
