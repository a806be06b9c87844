/* SPDX-License-Identifier: Apache-2.0 */
/* Making topics, and asking how many partitions they have. */
#pragma once

#include "bus/bus.h"

/* Existing topics are left as they are. */
int bus_topic_create(const struct bus_settings *settings, const char *topic, int partitions,
                     int64_t retention_ms, int64_t timeout_ms, struct error *error) WARN_UNUSED;
/* *partitions_r is 0 when the topic does not exist. */
int bus_topic_partitions(const struct bus_settings *settings, const char *topic, int64_t timeout_ms,
                         int *partitions_r, struct error *error) WARN_UNUSED;
