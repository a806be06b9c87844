/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that take uploaded reports into the ledger. A file is read twice: once to its end, so that nothing of
 * a broken one counts, and once to be streamed. The answer is given when the ledger has all of it, so the client's
 * file is the spool: who gets no answer, or "unavailable", sends it again. */
#pragma once

#include "db/upload.h"
#include "http/request.h"

struct uploader;

int uploader_start(struct ingest *ingest, struct uploader **uploader_r,
                   struct error *error) WARN_UNUSED;
/* What waits or is under way is answered with "unavailable". */
void uploader_stop(struct uploader *uploader);
void uploader_free(struct uploader **uploader);

struct upload_job {
    struct request *request; /* parked */
    struct uploaded_run run; /* owned */
    struct uuid created_by;
    const struct report_reader_ops *format; /* NULL: by what is in it */
    const char *variant;                    /* the request's; "": of none */
    bool completes;                         /* nothing more will come of the run */
};
/* Takes the job. */
int uploader_submit(struct uploader *uploader, struct upload_job *job,
                    struct error *error) WARN_UNUSED;
