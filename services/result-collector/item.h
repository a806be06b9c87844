/* SPDX-License-Identifier: Apache-2.0 */
/* One item of a stream, as the ledger will hold it. A worker that is known has sent it, but that does not
 * make it right: what breaks a bound is turned into something that can be kept and seen, so that a bad
 * item never stops the stream behind it. Pure. */
#pragma once

#include <stdbool.h>

#include "message/task_stream.h"
#include "model/case_key.h"

struct item {
    int kind; /* enum item_kind */
    int64_t seq;
    union {
        struct stream_result result; /* its key is valid, its times and durations are in bounds */
        struct stream_log log;
        struct stream_planned planned;
        struct stream_finished finished;
    };
};

/* The items of a message, whose bodies are borrowed from its JSON; the list is the caller's. Fails as a whole:
 * without a kind and a body nothing can be said of an item. */
int items_find(const json_t *message, struct stream_item **list_r, size_t *count_r,
               struct error *error) WARN_UNUSED;

enum item_fate {
    ITEM_IS_GOOD,
    ITEM_IS_MENDED,  /* kept in a form that says what was wrong with it */
    ITEM_IS_DROPPED, /* nothing of it can be kept, yet its number is taken */
};

/* *item_r is freed by item_free, whatever its fate; *why says what was wrong. The stream's name makes the
 * case key of a result that has none. */
enum item_fate item_read(const struct stream_item *raw, const char *stream, int64_t seq,
                         struct item *item_r, struct error *why);
void item_free(struct item *item);
