/* SPDX-License-Identifier: Apache-2.0 */
/* Making one topic, and reading how many partitions were wished for. */
#pragma once

#include "admin.h"
#include "bus/topics.h"

int topic_make(const struct admin_options *options, enum topic topic, const char *pool_id,
               int partitions, struct error *error) WARN_UNUSED;
int partitions_parse(const char *text, int counts[TOPIC_COUNT], struct error *error) WARN_UNUSED;
