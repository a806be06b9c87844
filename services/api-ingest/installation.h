/* SPDX-License-Identifier: Apache-2.0 */
/* Facts of the installation: how many partitions each topic has. Read once (they never change under a
 * running service), from whichever thread needs them first. */
#pragma once

#include "bus/topics.h"
#include "store/store.h"

struct installation;

struct installation *installation_new(const char *topic_prefix);
void installation_free(struct installation **installation);

/* "unavailable" while nobody has made the topics (verdict-admin topics). */
int installation_partitions(struct installation *installation, struct store *store,
                            enum topic topic, int *partitions_r, struct error *error) WARN_UNUSED;
/* The full name; pool_id for TOPIC_LANES alone. Returns name. */
const char *installation_topic(const struct installation *installation, enum topic topic,
                               const char *pool_id, char name[TOPIC_NAME_SIZE]);
/* For topics that are not one per pool: name of the topic, and the partition that the key belongs to. */
int installation_address(struct installation *installation, struct store *store, enum topic topic,
                         const char *key, char name_r[TOPIC_NAME_SIZE], int *partition_r,
                         struct error *error) WARN_UNUSED;
