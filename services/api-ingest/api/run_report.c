/* SPDX-License-Identifier: Apache-2.0 */
#include "api/run_report.h"

#include "api/run_lookup.h"
#include "api/share.h"
#include "auth/link.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/audit.h"
#include "http/response.h"
#include "ingest.h"
#include "report/report.h"
#include "runs/run_links.h"

enum results { RESULTS_ALL, RESULTS_NONE };
static const char *const results_list[] = {"all", "none"};
static const struct names results_names = NAMES("choice of results", results_list);

static int read_format(const struct request *request, const struct report_format **format_r,
                       struct error *error)
{
    const char *name = request_query(request, "format");
    *format_r = report_format_find(name == NULL ? "html" : name);
    if (*format_r != NULL)
        return 0;
    return error_field(error, "format", "format must be one of %s", report_format_list());
}

/* Whoever may share it is given a link that opens without a token; one that came by a link, no longer than
 * that one is good; others the address alone. */
static char *link_of(struct request *request, const json_t *run, const struct uuid *run_id,
                     int64_t link_expires_s)
{
    const struct principal *principal = request_principal(request);
    int64_t expires_ms = link_expires_s * 1000;
    if (principal != NULL && !principal_may(principal, SCOPE_RUN_WRITE))
        return xstrdup(json_find_text(json_object_get(run, "links"), "html"));
    if (principal != NULL)
        expires_ms = wall_ms() + RUN_LINK_DEFAULT_MS;
    return run_link_signed(request_ingest(request), run_id, expires_ms);
}

/* link_expires_s: of the link that it was asked for by; 0: by a token. */
static int answer_report(struct request *request, const struct uuid *run_id, int64_t link_expires_s,
                         struct response *response, struct error *error)
{
    const struct report_format *format;
    struct report report = {.ingest = request_ingest(request)};
    AUTO(run_view_deinit) struct run_view view = {.json = NULL};
    const struct uuid any = {""};
    int fd, results;
    if (read_format(request, &format, error) < 0 ||
        request_query_choice(request, "results", &results_names, RESULTS_ALL, &results, error) <
            0 ||
        request_store(request, &report.store, error) < 0 ||
        run_db_get(report.store, &any, run_id->text, &view, error) < 0)
        return -1;
    if (view.json == NULL)
        return error_set(error, "not_found", "this run is there no more");
    json_object_set_new(view.json, "links", run_links(report.ingest, &view.id));
    report.run = &view;
    AUTO(text_free) char *link = link_of(request, view.json, run_id, link_expires_s);
    report.link = link;
    report.without_results = results == RESULTS_NONE;
    share_new_nonce(report.nonce);
    if (report_write(format, &report, &fd, error) < 0)
        return -1;
    response_file(response, format->content_type, fd);
    response_headerf(response, "Content-Disposition", "inline; filename=\"run-%lld.%s\"",
                     (long long)json_find_int(view.json, "number", 0), format->extension);
    if (format->is_page)
        share_page_policy(response, report.nonce);
    return 0;
}

int run_report(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    struct run_ref run;
    if (request_store(request, &store, error) < 0 || run_lookup(request, store, &run, error) < 0)
        return -1;
    return answer_report(request, &run.id, 0, response, error);
}

int shared_report(struct request *request, struct response *response, struct error *error)
{
    struct uuid run_id;
    int64_t expires_s;
    if (link_check(request_ingest(request)->key, request_param(request, "link"), wall_ms() / 1000,
                   &run_id, &expires_s, error) < 0)
        return -1;
    return answer_report(request, &run_id, expires_s, response, error);
}

/* ---- making links ----------------------------------------------------------------------------------- */

int run_share(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    struct run_ref run;
    int64_t expires_ms = 0;
    char expires_at[TIME_TEXT_SIZE];
    if (share_read_expiry(request, &expires_ms, error) < 0 ||
        request_begin(request, &store, error) < 0 || run_lookup(request, store, &run, error) < 0)
        return -1;
    time_format(expires_ms, expires_at);
    if (audit_add(store, request, &run.project_id, "run.share", &run.id,
                  json_pack("{s:s}", "expires_at", expires_at), error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    AUTO(text_free) char *url = run_link_signed(request_ingest(request), &run.id, expires_ms);
    response_json(response, 201, json_pack("{s:s, s:s}", "url", url, "expires_at", expires_at));
    return 0;
}
