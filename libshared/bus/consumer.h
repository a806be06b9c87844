/* SPDX-License-Identifier: Apache-2.0 */
/* Two ways to read: `consumer`, a static member of a group (range assignor), which its owner starts at
 * offsets of its own; and `reader`, assigned by hand, without a group (lanes, live events). */
#pragma once

#include <stdbool.h>

#include "bus/bus.h"
#include "bus/ends.h"

struct consumer;

struct consumer_handlers {
    /* The group gave or took partitions of the one topic. Nothing is fetched of a given partition until
     * consumer_start. Called from consumer_poll. */
    void (*on_assigned)(void *context, int32_t partition);
    void (*on_revoked)(void *context, int32_t partition);
    /* "offset_out_of_range", "unknown_topic", "fatal" (FENCED_INSTANCE_ID: reopen with backoff) … with
     * partition -1 when it concerns no single one. */
    void (*on_error)(void *context, int32_t partition, const struct error *error);
    void *context;
};

int consumer_open(const struct bus_settings *settings, const char *group, const char *instance_id,
                  const char *topic, const struct consumer_handlers *handlers,
                  struct consumer **consumer_r, struct error *error) WARN_UNUSED;
/* A static member leaves its place to itself: whoever comes back within the session time-out has it. */
void consumer_close(struct consumer **consumer);

int consumer_fd(
    const struct consumer *consumer); /* readable when something waits; it rings once: drain */

/* The next record, or NULL when nothing waits. Never blocks. Free with record_free. */
struct record *consumer_poll(struct consumer *consumer);
void record_free(struct record **record);

/* Fetches the partition from offset on, wherever it was before. */
int consumer_start(struct consumer *consumer, int32_t partition, int64_t offset,
                   struct error *error) WARN_UNUSED;
int consumer_pause(struct consumer *consumer, int32_t partition, struct error *error) WARN_UNUSED;

/* A synchronous offset commit to the group: success shows that the group still gives us the partition. */
int consumer_commit(struct consumer *consumer, int32_t partition, int64_t offset,
                    struct error *error) WARN_UNUSED;

/* The next offset of the log as the last fetch has told it; -1: not told yet. Does not ask. */
int64_t consumer_known_end(struct consumer *consumer, int32_t partition);

/* First and next offset of the log, asked of the broker without waiting: see ends_take. An answer makes
 * consumer_fd readable. */
int consumer_ends(struct consumer *consumer, int32_t partition, struct log_ends *ends_r,
                  struct error *error) WARN_UNUSED;
void consumer_forget_ends(struct consumer *consumer, int32_t partition);

struct reader;
int reader_open(const struct bus_settings *settings, struct reader **reader_r,
                struct error *error) WARN_UNUSED;
void reader_close(struct reader **reader);
int reader_fd(const struct reader *reader);
struct record *reader_poll(struct reader *reader);
/* Adds a partition to read from offset (a number: take the high watermark, not END). */
int reader_assign(struct reader *reader, const char *topic, int32_t partition, int64_t offset,
                  struct error *error) WARN_UNUSED;
/* Out of range or topic made again: the reader jumps to the log's start by itself and counts it here. */
uint64_t reader_resets(const struct reader *reader);

/* All partitions 0 … partitions - 1 of the topic and nothing else, each from its end on. Asks nobody: where
 * the ends are shows while it is polled. */
int reader_assign_ends(struct reader *reader, const char *topic, int partitions,
                       struct error *error) WARN_UNUSED;
/* Every end is known: what comes after that is read. */
bool reader_is_at_ends(const struct reader *reader);
