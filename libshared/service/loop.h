/* SPDX-License-Identifier: Apache-2.0 */
/* The one poll(2) loop: descriptors and timers, no sleeps. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loop;

typedef void loop_on_event(void *context);
/* Called on each pass and when its time has come: does what is due, returns ms until it wants the next
 * call (-1: only on events). */
typedef int64_t loop_work(void *context);

struct loop *loop_new(void);
void loop_free(struct loop **loop);

/* events: POLLIN, POLLOUT. on_event may be NULL: the descriptor only ends the wait, work looks at it. */
void loop_add_fd(struct loop *loop, int fd, short events, loop_on_event *on_event, void *context);
void loop_set_events(struct loop *loop, int fd, short events);
void loop_remove_fd(struct loop *loop, int fd);
void loop_add_work(struct loop *loop, loop_work *work, void *context);

/* One pass: waits for at most max_wait_ms. */
void loop_pass(struct loop *loop, int64_t max_wait_ms);
int64_t loop_last_pass_ms(const struct loop *loop); /* monotonic: for /livez */
