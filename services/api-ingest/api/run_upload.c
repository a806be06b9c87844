/* SPDX-License-Identifier: Apache-2.0 */
#include "api/run_upload.h"

#include <string.h>

#include "api/run_lookup.h"
#include "base/memory.h"
#include "cache.h"
#include "http/request.h"
#include "http/response.h"
#include "ingest.h"
#include "model/limits.h"
#include "model/suite.h"
#include "report/reader.h"
#include "results/uploader.h"
#include "runs/run_tell.h"

static const char *const yes_list[] = {"false", "true"};
static const struct names yes_names = NAMES("truth", yes_list);

/* What the request says, else the suite; NULL: what is in the report. */
static int read_format(struct request *request, const struct uploaded_run *run,
                       const struct report_reader_ops **format_r, struct error *error)
{
    int format;
    if (request_query_choice(request, "format", &report_format_names, REPORT_AUTO, &format, error) <
        0)
        return -1;
    if (format == REPORT_NONE)
        return error_field(error, "format", "format none is none that can be uploaded");
    const char *name =
        format == REPORT_AUTO ? run->format : names_get(&report_format_names, format);
    *format_r = name == NULL || strcmp(name, "auto") == 0 || strcmp(name, "none") == 0
                    ? NULL
                    : report_reader_find(name);
    return 0;
}

static int read_variant(struct request *request, const char **variant_r, struct error *error)
{
    const char *variant = request_query(request, "variant");
    if (variant == NULL)
        variant = "";
    if (strlen(variant) > LIMIT_VARIANT_BYTES)
        return error_field(error, "variant", "variant must have at most %lld bytes",
                           (long long)LIMIT_VARIANT_BYTES);
    for (const char *c = variant; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return error_field(error, "variant", "variant must have no control characters");
    *variant_r = variant;
    return 0;
}

static int read_job(struct request *request, struct upload_job *job, struct error *error)
{
    struct store *store;
    struct run_ref run;
    int completes;
    job->request = request;
    job->created_by = request_principal(request)->id;
    if (request_query_choice(request, "complete", &yes_names, 0, &completes, error) < 0 ||
        read_variant(request, &job->variant, error) < 0 ||
        request_store(request, &store, error) < 0 || run_lookup(request, store, &run, error) < 0 ||
        upload_db_run(store, &run.id, &job->run, error) < 0)
        return -1;
    job->completes = completes != 0;
    if (!job->run.is_uploaded)
        return error_set(error, "conflict",
                         "workers run the tests of this run: only where the suite's source is "
                         "upload are results uploaded");
    return read_format(request, &job->run, &job->format, error);
}

int run_upload_admit(struct request *request, struct response *response, struct error *error)
{
    struct upload_job job = {.request = NULL};
    (void)response;
    int status = read_job(request, &job, error);
    uploaded_run_deinit(&job.run);
    return status;
}

/* That nothing more will come is one row: it waits for no upload. */
static int complete(struct request *request, const struct uploaded_run *run,
                    struct response *response, struct error *error)
{
    struct store *store;
    if (request_begin(request, &store, error) < 0 ||
        upload_db_complete(store, &run->id, &request_principal(request)->id, error) < 0 ||
        run_tell_scheduler(request_ingest(request), store, &run->id, &run->pool_id, error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    cache_forget(request_ingest(request)->cache, &run->id);
    response_json(response, 200,
                  json_pack("{s:s, s:b, s:n}", "run_id", run->id.text, "complete", 1, "upload"));
    return 0;
}

int run_upload(struct request *request, struct response *response, struct error *error)
{
    struct upload_job job = {.request = NULL};
    char digest[BLOB_NAME_SIZE];
    int64_t bytes;
    (void)request_file(request, &bytes, digest);
    int status = read_job(request, &job, error);
    if (status == 0 && bytes == 0 && !job.completes)
        status = error_field(error, "body", "the body is empty");
    if (status == 0 && bytes == 0)
        status = complete(request, &job.run, response, error);
    if (status < 0 || bytes == 0) {
        uploaded_run_deinit(&job.run);
        return status;
    }
    request_park(request);
    return uploader_submit(request_ingest(request)->uploader, &job, error);
}
