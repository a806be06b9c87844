/* SPDX-License-Identifier: Apache-2.0 */
#include "api/run_events.h"

#include "api/run_lookup.h"
#include "auth/link.h"
#include "base/clock.h"
#include "base/text.h"
#include "db/run_event.h"
#include "http/response.h"
#include "ingest.h"
#include "live/live.h"
#include "live/sse.h"

#define STREAM_BYTES ((size_t)4 * 1024 * 1024) /* that a slow reader may be behind */

/* The id of an event of a run is its version. */
static int read_last_event(const struct request *request, int64_t *version_r, struct error *error)
{
    const char *text = request_header(request, "Last-Event-ID");
    struct error inner;
    *version_r = 0;
    if (text == NULL)
        text = request_query(request, "after");
    if (text == NULL || int_parse(text, 0, INT64_MAX, version_r, &inner) == 0)
        return 0;
    return error_field(error, "Last-Event-ID", "Last-Event-ID must be the id of an earlier event");
}

/* link_expires_s: of the link that it was asked for by; 0: by a token. */
static int answer_events(struct request *request, struct store *store, const struct run_ref *run,
                         int64_t link_expires_s, struct response *response, struct error *error)
{
    struct live_listen listen = {.run_id = run->id, .link_expires_s = link_expires_s};
    int64_t last_version;
    if (read_last_event(request, &listen.after_version, error) < 0 ||
        run_event_db_last(store, &run->id, &last_version, error) < 0)
        return -1;
    if (run->is_final && listen.after_version == last_version) {
        response_empty(response, 204); /* nothing more will come: browsers stop asking then */
        return 0;
    }
    /* An older database was put back: that was another history. */
    if (listen.after_version > last_version)
        listen.after_version = 0;
    struct stream *stream = stream_new(STREAM_BYTES, SSE_KEEP_ALIVE);
    int status = stream_write(stream, SSE_OPENING, sizeof SSE_OPENING - 1, error);
    if (status == 0)
        status = live_stream(request_ingest(request)->live, &listen, stream, error);
    if (status == 0)
        response_stream(response, "text/event-stream", stream);
    stream_unref(&stream);
    return status;
}

int runs_events(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    struct run_ref run;
    if (request_store(request, &store, error) < 0 || run_lookup(request, store, &run, error) < 0)
        return -1;
    return answer_events(request, store, &run, 0, response, error);
}

int shared_events(struct request *request, struct response *response, struct error *error)
{
    const struct uuid any = {""};
    struct store *store;
    struct uuid run_id;
    struct run_ref run;
    int64_t expires_s;
    if (link_check(request_ingest(request)->key, request_param(request, "link"), wall_ms() / 1000,
                   &run_id, &expires_s, error) < 0 ||
        request_store(request, &store, error) < 0 ||
        run_db_find(store, &any, run_id.text, &run, error) < 0)
        return -1;
    if (uuid_is_null(&run.id))
        return error_set(error, "not_found", "this run is there no more");
    return answer_events(request, store, &run, expires_s, response, error);
}
