/* SPDX-License-Identifier: Apache-2.0 */
/* Where the parts of a run are found. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/uuid.h"

struct ingest;

json_t *run_links(const struct ingest *ingest, const struct uuid *run_id);

#define RUN_LINK_DEFAULT_MS ((int64_t)7 * 24 * 60 * 60 * 1000)
/* The report page for whoever holds the link, until expires_ms (unix time; 0: RUN_LINK_DEFAULT_MS after the
 * trigger, so that it is the same whenever it is asked for). Caller frees. */
char *run_link_signed(const struct ingest *ingest, const struct uuid *run_id, int64_t expires_ms);
