/* SPDX-License-Identifier: Apache-2.0 */
/* Is a log still the log that our offset was taken from? A topic that was deleted and made again has the
 * same name; librdkafka does not notice. So the hash of the record before our offset is kept. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"

#define RECORD_HASH_BYTES 16

struct record_hash {
    bool known;
    uint8_t bytes[RECORD_HASH_BYTES];
};

struct record_hash record_hash_make(const struct record *record);
bool record_hash_equal(const struct record_hash *a, const struct record_hash *b);

enum log_identity {
    LOG_IS_SAME,
    LOG_IS_OTHER,  /* alarm, start from its start, resync */
    LOG_NOT_KNOWN, /* nothing was read yet: ask again */
};

/* first: the first record that reading from next_offset - 1 gave; NULL when it gave none yet. */
enum log_identity log_identity_of_record(int64_t next_offset, const struct record_hash *stored,
                                         const struct record *first, int64_t log_start);

/* The broker says that next_offset - 1 is outside the log, which goes from log_start to log_end. Gone by
 * retention, but next_offset not below the log's start, is the same log. */
enum log_identity log_identity_of_range(int64_t next_offset, int64_t log_start, int64_t log_end);
