/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that take uploaded reports into the ledger. A job that waits for another service holds none of them.
 * The answer is given when the ledger has all of it, so the client's file is the spool: who gets no answer, or
 * "unavailable", sends it again. */
#pragma once

#include "results/upload_job.h"

struct uploader;

int uploader_start(struct ingest *ingest, struct uploader **uploader_r,
                   struct error *error) WARN_UNUSED;
/* What waits or is under way is answered with "unavailable". */
void uploader_stop(struct uploader *uploader);
void uploader_free(struct uploader **uploader);

/* Takes the job. */
int uploader_submit(struct uploader *uploader, struct upload_job *job,
                    struct error *error) WARN_UNUSED;
