/* SPDX-License-Identifier: Apache-2.0 */
/* Who wants to know at once: long polls and event streams of runs. One thread reads the events' topic (no
 * group: every replica reads all of it) and, with a connection of its own, what Postgres says of the runs
 * that changed. An event is only a hint to look; each watched run is looked at every few seconds anyway. */
#pragma once

#include "db/run.h"
#include "http/request.h"
#include "http/stream.h"

struct live;
struct ingest;

int live_start(struct ingest *ingest, struct live **live_r, struct error *error) WARN_UNUSED;
/* From now on nobody waits: all are answered with what is known. Any thread. */
void live_drain(struct live *live);
void live_stop(struct live *live); /* ends the thread; later waits are refused */
void live_free(struct live **live);

struct live_wait {
    struct request *request;  /* parked */
    struct uuid run_id, only; /* only: the project that it must be of; "": any */
    int64_t after_version;    /* answered when the version is higher; -1: when the run is final */
    int64_t wait_ms;
    int open_status; /* of the answer when the run is not final then */
};
/* The request is answered by the live thread. */
int live_wait(struct live *live, const struct live_wait *wait, struct error *error) WARN_UNUSED;

struct live_listen {
    struct uuid run_id;
    int64_t after_version;
    int64_t link_expires_s; /* of the link that it is listened to by; 0: by a token */
};
/* Sends the run's events behind that version to the stream, then what happens; ends it behind the last, and
 * when the link is over. Takes a reference of its own. "too_many" beyond LIMIT_LINK_READERS. */
int live_stream(struct live *live, const struct live_listen *listen, struct stream *stream,
                struct error *error) WARN_UNUSED;
