/* SPDX-License-Identifier: Apache-2.0 */
#include "results/upload_job.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "ingest.h"
#include "installation.h"
#include "model/frameworks.h"
#include "report/detect.h"
#include "results/reading.h"
#include "results/sender.h"
#include "runs/run_tell.h"

#define PATIENCE_MS   30000 /* for the scheduler, and then for the collector, without any progress */
#define LOOK_FIRST_MS 5
#define LOOK_MOST_MS  200

enum stage { STAGE_READ, STAGE_SEND, STAGE_SEE_RECORDED, STAGE_ANSWER };

struct file {
    int fd;
    int64_t bytes;
    char digest[BLOB_NAME_SIZE];
};

static int find_format(struct upload_job *job, const struct file *file, struct error *error)
{
    if (job->format != NULL)
        return 0;
    AUTO(text_free) char *first = xcalloc(1, REPORT_DETECT_BYTES);
    ssize_t length = pread(file->fd, first, REPORT_DETECT_BYTES, 0);
    if (length < 0)
        return error_set(error, "unavailable", "the body cannot be read again: %s",
                         strerror(errno));
    job->format = report_detect(first, (size_t)length);
    if (job->format == NULL)
        return error_field(error, "format", "format cannot be told from the body: say which it is");
    return 0;
}

static int tell_scheduler(struct upload_means *means, const struct uploaded_run *run,
                          struct error *error)
{
    return run_tell_scheduler(means->ingest, means->store, &run->id, &run->pool_id, error);
}

static int commit(struct upload_means *means, struct error *error)
{
    struct outbox *outbox = means->ingest->outbox;
    if (store_commit(means->store, error) == 0) {
        outbox_committed(outbox, means->store);
        return 0;
    }
    outbox_rolled_back(outbox, means->store);
    return -1;
}

static int register_upload(struct upload_means *means, const struct upload_job *job,
                           const struct file *file, const struct read_counts *counts,
                           struct error *error)
{
    const struct upload_row row = {.run_id = &job->run.id,
                                   .created_by = &job->created_by,
                                   .digest = file->digest,
                                   .format = job->format->name,
                                   .variant = job->variant,
                                   .bytes = file->bytes,
                                   .cases = counts->cases};
    if (store_begin(means->store, error) < 0 || upload_db_add(means->store, &row, error) < 0 ||
        tell_scheduler(means, &job->run, error) < 0)
        return -1;
    return commit(means, error);
}

static int read_state(struct upload_means *means, const struct upload_job *job,
                      const struct file *file, struct upload_state *state_r, struct error *error)
{
    if (upload_db_state(means->store, &job->run.id, file->digest, job->variant, state_r, error) < 0)
        return -1;
    if (!state_r->is_over || state_r->is_recorded)
        return 0;
    return error_set(error, "conflict",
                     "the upload's time, or its run, was over before the ledger had all of it");
}

/* ---- waiting -------------------------------------------------------------------------------------- */

static void wait_for(struct upload_job *job, enum stage next)
{
    job->stage = (int)next;
    job->heard_ms = monotonic_ms();
    job->received = -1;
    job->wait_ms = LOOK_FIRST_MS;
}

/* Whether its dispatch is there (before it is sent), or all of it is in the ledger. */
static int look(struct upload_means *means, struct upload_job *job, const struct file *file,
                struct upload_state *state_r, struct error *error)
{
    const bool is_sent = job->stage == STAGE_SEE_RECORDED;
    if (read_state(means, job, file, state_r, error) < 0)
        return -1;
    if (is_sent ? state_r->is_recorded : !uuid_is_null(&state_r->dispatch_id))
        return 0;
    if (state_r->received > job->received) {
        job->received = state_r->received;
        job->heard_ms = monotonic_ms();
    }
    if (monotonic_ms() - job->heard_ms > PATIENCE_MS)
        return error_set(error, "unavailable",
                         is_sent ? "the results are not recorded yet: upload them again later"
                                 : "no scheduler has taken the upload up yet: upload it again "
                                   "later");
    job->wait_ms = job->wait_ms * 2 < LOOK_MOST_MS ? job->wait_ms * 2 : LOOK_MOST_MS;
    return UPLOAD_WAITS;
}

/* ---- steps ---------------------------------------------------------------------------------------- */

static int send_result(void *context, const struct stream_result *result, struct error *error)
{
    struct upload_means *means = context;
    return sender_add_result(means->sender, result, error);
}

static struct reading reading_of(const struct upload_job *job, const struct file *file)
{
    return (struct reading){.fd = file->fd,
                            .format = job->format,
                            .framework = framework_find(job->run.framework),
                            .suite = job->run.suite};
}

static int send_all(struct upload_means *means, const struct upload_job *job,
                    const struct file *file, const struct upload_state *state, struct error *error)
{
    struct ingest *ingest = means->ingest;
    char topic[TOPIC_NAME_SIZE];
    struct reading reading = reading_of(job, file);
    struct read_counts counts;
    struct sent_stream stream = {
        .topic = installation_topic(ingest->installation, TOPIC_RESULTS, NULL, topic),
        .partition = state->partition,
        .run_id = job->run.id,
        .task_id = state->id,
        .dispatch_id = state->dispatch_id,
        .worker_id = state->worker_id,
        .received = state->received};
    memcpy(stream.key, state->key, sizeof stream.key);
    reading.on_result = send_result;
    reading.context = means;
    if (sender_begin(means->sender, &stream, error) < 0 ||
        reading_run(&reading, &counts, error) < 0)
        return -1;
    const struct stream_finished finished = {.ending = ENDED_EXITED,
                                             .report = REPORT_IS_COMPLETE,
                                             .passed = counts.by_status[RESULT_PASSED],
                                             .failed = counts.by_status[RESULT_FAILED],
                                             .errored = counts.by_status[RESULT_ERRORED],
                                             .skipped = counts.by_status[RESULT_SKIPPED],
                                             .blocked = counts.by_status[RESULT_BLOCKED],
                                             .finished_at = wall_ms()};
    return sender_finish(means->sender, &finished, error);
}

static int read_file(struct upload_means *means, struct upload_job *job, const struct file *file,
                     struct error *error)
{
    struct upload_state state;
    struct read_counts counts;
    if (read_state(means, job, file, &state, error) < 0)
        return -1;
    job->upload_id = state.id;
    if (state.is_recorded) {
        job->stage = STAGE_ANSWER;
        return 0;
    }
    if (find_format(job, file, error) < 0)
        return -1;
    const struct reading reading = reading_of(job, file);
    if (reading_run(&reading, &counts, error) < 0 ||
        register_upload(means, job, file, &counts, error) < 0)
        return -1;
    wait_for(job, STAGE_SEND);
    return 0;
}

static int send_file(struct upload_means *means, struct upload_job *job, const struct file *file,
                     struct error *error)
{
    struct upload_state state;
    int status = look(means, job, file, &state, error);
    if (status != 0)
        return status;
    if (!state.is_recorded && send_all(means, job, file, &state, error) < 0)
        return -1;
    job->upload_id = state.id;
    wait_for(job, STAGE_SEE_RECORDED);
    return 0;
}

static int see_recorded(struct upload_means *means, struct upload_job *job, const struct file *file,
                        struct error *error)
{
    struct upload_state state;
    int status = look(means, job, file, &state, error);
    if (status == 0)
        job->stage = STAGE_ANSWER;
    return status;
}

typedef int upload_step(struct upload_means *means, struct upload_job *job, const struct file *file,
                        struct error *error);
static upload_step *const steps[] = {
    [STAGE_READ] = read_file, [STAGE_SEND] = send_file, [STAGE_SEE_RECORDED] = see_recorded};

/* ---- all of it ------------------------------------------------------------------------------------ */

static int complete(struct upload_means *means, const struct upload_job *job, struct error *error)
{
    if (store_begin(means->store, error) < 0 ||
        upload_db_complete(means->store, &job->run.id, &job->created_by, error) < 0 ||
        tell_scheduler(means, &job->run, error) < 0)
        return -1;
    return commit(means, error);
}

static int go_on(struct upload_means *means, struct upload_job *job, json_t **answer_r,
                 struct error *error)
{
    AUTO(json_free) json_t *upload = NULL;
    struct file file;
    file.fd = request_file(job->request, &file.bytes, file.digest);
    if (means->store == NULL && store_open(&means->ingest->store, &means->store, error) < 0)
        return -1;
    while (job->stage != STAGE_ANSWER) {
        int status = steps[job->stage](means, job, &file, error);
        if (status != 0)
            return status;
    }
    if ((job->completes && complete(means, job, error) < 0) ||
        upload_db_answer(means->store, &job->upload_id, &upload, error) < 0)
        return -1;
    *answer_r =
        json_pack("{s:s, s:b, s:o}", "run_id", job->run.id.text, "complete", (int)job->completes,
                  "upload", upload == NULL ? json_null() : TAKE(upload));
    return 0;
}

static void roll_back(struct upload_means *means)
{
    if (means->store == NULL)
        return;
    store_rollback(means->store);
    outbox_rolled_back(means->ingest->outbox, means->store);
    if (store_is_broken(means->store))
        store_close(&means->store);
}

int upload_job_go_on(struct upload_means *means, struct upload_job *job, json_t **answer_r,
                     struct error *error)
{
    int status = go_on(means, job, answer_r, error);
    roll_back(means);
    return status;
}
