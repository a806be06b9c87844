/* SPDX-License-Identifier: Apache-2.0 */
/* One upload on its way into the ledger, in steps: it is read to its end, so that nothing of a broken one counts;
 * streamed when the scheduler has made its task; and answered when the ledger has all of it. */
#pragma once

#include <jansson.h>

#include "db/upload.h"
#include "http/request.h"
#include "report/reader.h"

struct sender;

struct upload_job {
    struct request *request; /* parked */
    struct uploaded_run run; /* owned */
    struct uuid created_by;
    const struct report_reader_ops *format; /* NULL: by what is in it */
    const char *variant;                    /* the request's; "": of none */
    bool completes;                         /* nothing more will come of the run */
    /* How far it is; zero at the beginning, upload_job.c's own: */
    int stage;
    int64_t heard_ms, received; /* of what it waits for: when it last moved, and how far it is */
    int64_t wait_ms;
    struct uuid upload_id;
};

/* What a thread does it with. */
struct upload_means {
    struct ingest *ingest;
    struct store *store; /* NULL: not connected; opened, and closed when it is broken */
    struct sender *sender;
};

#define UPLOAD_WAITS 1
/* As far as it comes without waiting for another service. 0: done, the answer in *answer_r; UPLOAD_WAITS: go on in
 * job->wait_ms, with whatever means; -1: why not. */
int upload_job_go_on(struct upload_means *means, struct upload_job *job, json_t **answer_r,
                     struct error *error) WARN_UNUSED;
