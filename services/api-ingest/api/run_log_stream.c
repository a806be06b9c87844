/* SPDX-License-Identifier: Apache-2.0 */
#include "api/run_log_stream.h"

#include "api/checks.h"
#include "api/run_lookup.h"
#include "http/response.h"
#include "ingest.h"
#include "live/log_follow.h"
#include "live/sse.h"

int run_log_stream(struct request *request, struct response *response, struct error *error)
{
    const char *task = request_query(request, "task");
    struct uuid task_id = {""};
    struct store *store;
    struct run_ref run;
    if (task != NULL && uuid_parse(task, &task_id, NULL) < 0)
        return no_such("task", task, error);
    if (request_store(request, &store, error) < 0 || run_lookup(request, store, &run, error) < 0)
        return -1;
    struct stream *stream = stream_new(LOG_STREAM_BYTES, SSE_KEEP_ALIVE);
    int status = stream_write(stream, SSE_OPENING, sizeof SSE_OPENING - 1, error);
    if (status == 0)
        status =
            log_follow_add(request_ingest(request)->log_follow, &run.id, &task_id, stream, error);
    if (status == 0)
        response_stream(response, "text/event-stream", stream);
    stream_unref(&stream);
    return status;
}
