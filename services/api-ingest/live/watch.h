/* SPDX-License-Identifier: Apache-2.0 */
/* The runs that somebody watches, with who does. Of the live thread alone. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <uthash.h>

#include "live/live.h"
#include "runs/run_json.h"

struct waiter {
    struct live_wait wait;
    int64_t deadline_ms; /* monotonic */
    TAILQ_ENTRY(waiter) link;
};

struct listener {
    struct live_listen listen; /* after_version: what it has */
    struct stream *stream;     /* a reference */
    atomic_int *seats;         /* one of them is its own; NULL: none */
    TAILQ_ENTRY(listener) link;
};
TAILQ_HEAD(waiter_list, waiter);
TAILQ_HEAD(listener_list, listener);

struct watch {
    struct uuid run_id;
    struct run_text *text; /* as last read; NULL: not yet, or there is none */
    char *totals;          /* JSON text */
    bool wants_read;       /* something may have changed */
    bool is_missing;       /* it was looked for */
    int64_t read_ms;       /* monotonic; 0: never */
    struct waiter_list waiters;
    struct listener_list listeners;
    UT_hash_handle hh;
};

struct watch *watch_get(struct watch **watches,
                        const struct uuid *run_id); /* made when it is new */
struct watch *watch_find(struct watch *watches, const struct uuid *run_id);
void watch_remove(struct watch **watches, struct watch *watch);
bool watch_is_idle(const struct watch *watch);

/* Answers those whose wait is over: the run is final, has the version, or it is now_ms. What is older than
 * FRESH_MS is not good enough for the last: then the watch wants to be read. With give_up whatever is known
 * has to do. */
#define FRESH_MS 1000
void watch_answer(struct watch *watch, int64_t now_ms, bool give_up);
/* When the next waiter's time is over; -1: no waiters. */
int64_t watch_deadline_ms(const struct watch *watch);

/* A link was good for it, and is no longer. */
bool listener_is_over(const struct listener *listener);
void listener_free(struct listener **listener); /* gives its seat back */
