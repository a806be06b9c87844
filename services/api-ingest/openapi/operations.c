/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what each handler reads and answers. */
#include "openapi/operation.h"

#include "api/about.h"
#include "api/badges.h"
#include "api/cases.h"
#include "api/artifacts.h"
#include "api/bundles.h"
#include "api/deliveries.h"
#include "api/environments.h"
#include "api/pools.h"
#include "api/projects.h"
#include "api/reference.h"
#include "api/run_events.h"
#include "api/run_list.h"
#include "api/run_log_stream.h"
#include "api/run_parts.h"
#include "api/run_remove.h"
#include "api/run_report.h"
#include "api/run_rerun.h"
#include "api/run_upload.h"
#include "api/run_why.h"
#include "api/runs.h"
#include "api/suites.h"
#include "api/templates.h"
#include "api/tokens.h"
#include "api/webhooks.h"
#include "api/workers.h"
#include "base/memory.h"
#include "model/suite.h"
#include "runs/trigger.h"

#define BODY(name_, ...)                                                                           \
    &(const struct operation_body)                                                                 \
    {                                                                                              \
        .name = (name_), .fields = { __VA_ARGS__ }                                                 \
    }
#define BODY_LIKE(name_, like_)                                                                    \
    &(const struct operation_body)                                                                 \
    {                                                                                              \
        .name = (name_), .like = (like_)                                                           \
    }
#define OPTIONAL_BODY(name_, ...)                                                                  \
    &(const struct operation_body)                                                                 \
    {                                                                                              \
        .name = (name_), .fields = {__VA_ARGS__}, .optional = true                                 \
    }
#define OPERATION(handler_, ...)                                                                   \
    {                                                                                              \
        .id = #handler_, .handler = (handler_), __VA_ARGS__                                        \
    }
#define PAGES(item_) .answer = (item_), .is_list = true
#define REPORTS                                                                                    \
    "text/html; charset=utf-8", "application/xml; charset=utf-8", "text/markdown; charset=utf-8"
#define PAGE "Limit", "Cursor"

/* clang-format off */
const struct operation operations[] = {
    OPERATION(about_version, .answer = "About"),
    OPERATION(about_me, .answer = "Me"),
    OPERATION(reference_openapi, .answer = "OpenApi", .has_etag = true),
    OPERATION(reference_page, .media = {"text/html; charset=utf-8"}, .has_etag = true),

    OPERATION(projects_list, PAGES("Project"), .parameters = {PAGE}),
    OPERATION(projects_create, .body = BODY("ProjectBody", &project_fields), .answer = "Project", .ok = {201}, .refused = {409}),
    OPERATION(projects_get, .answer = "Project", .has_etag = true),
    OPERATION(projects_put, .body = BODY_LIKE("ProjectChangeBody", "ProjectBody"), .answer = "Project", .ok = {200, 201}, .refused = {409}, .has_condition = true),
    OPERATION(projects_patch, .body = BODY("ProjectPatchBody", NULL), .answer = "Project", .refused = {409}, .has_condition = true),
    OPERATION(projects_remove, .ok = {204}, .refused = {409}, .has_condition = true),
    OPERATION(projects_remove_runs, .answer = "RemovedRuns"),
    OPERATION(projects_audit, PAGES("AuditEntry"), .parameters = {PAGE, "Action", "Since", "Until"}),
    OPERATION(projects_share, .body = OPTIONAL_BODY("ShareBody", NULL), .answer = "ShareLink", .ok = {201}),
    OPERATION(projects_unshare, .ok = {204}),
    OPERATION(shared_runs, .refused = {410}, .parameters = {PAGE, "AnyState", "Suite", "Branch"}, .media = {"text/html; charset=utf-8"}),
    OPERATION(audit_list, PAGES("AuditEntry"), .parameters = {PAGE, "Action", "Since", "Until"}),

    OPERATION(environments_list, PAGES("Environment"), .parameters = {PAGE}),
    OPERATION(environments_create, .body = BODY("EnvironmentBody", &environment_fields), .answer = "Environment", .ok = {200, 201}),
    OPERATION(environments_get, .answer = "Environment", .has_etag = true),
    OPERATION(environments_put, .body = BODY_LIKE("EnvironmentChangeBody", "EnvironmentBody"), .answer = "Environment", .ok = {200, 201}, .has_condition = true),
    OPERATION(environments_patch, .body = BODY("EnvironmentPatchBody", NULL), .answer = "Environment", .refused = {409}, .has_condition = true),
    OPERATION(environments_remove, .ok = {204}, .refused = {409}, .has_condition = true),

    OPERATION(suites_list, PAGES("Suite"), .parameters = {PAGE}),
    OPERATION(suites_create, .body = BODY("SuiteBody", &suite_head_fields, &suite_fields), .answer = "Suite", .ok = {201}, .refused = {409}),
    OPERATION(suites_get, .answer = "Suite", .has_etag = true),
    OPERATION(suites_put, .body = BODY_LIKE("SuiteChangeBody", "SuiteBody"), .answer = "Suite", .ok = {200, 201}, .has_condition = true),
    OPERATION(suites_patch, .body = BODY("SuitePatchBody", NULL), .answer = "Suite", .refused = {409}, .has_condition = true),
    OPERATION(suites_remove, .ok = {204}, .refused = {409}, .has_condition = true),
    OPERATION(badges_create, .body = OPTIONAL_BODY("BadgeBody", &badge_fields), .answer = "BadgeLinks", .ok = {201}),
    OPERATION(badges_get, .parameters = {"BadgeFormat"}, .answer = "Badge", .media = {"image/svg+xml"}),
    OPERATION(cases_list, PAGES("ListedCase"), .parameters = {PAGE, "Project", "Statuses", "Suite", "Search"}, .refused = {404}),
    OPERATION(cases_get, .parameters = {PAGE, "Project", "Branch"}, .answer = "CaseHistory"),
    OPERATION(suites_cases, PAGES("SuiteCase"), .parameters = {PAGE}),

    OPERATION(templates_list, PAGES("Template"), .parameters = {PAGE}),
    OPERATION(templates_create, .body = BODY("TemplateBody", &template_fields), .answer = "Template", .ok = {201}, .refused = {409}),
    OPERATION(templates_get, .answer = "Template", .has_etag = true),
    OPERATION(templates_put, .body = BODY_LIKE("TemplateChangeBody", "TemplateBody"), .answer = "Template", .ok = {200, 201}, .has_condition = true),
    OPERATION(templates_remove, .ok = {204}, .has_condition = true),

    OPERATION(webhooks_list, PAGES("Webhook"), .parameters = {PAGE}),
    OPERATION(webhooks_create, .body = BODY("WebhookBody", &webhook_fields), .answer = "Webhook", .ok = {201}, .refused = {422}),
    OPERATION(webhooks_get, .answer = "Webhook", .has_etag = true),
    OPERATION(webhooks_put, .body = BODY("WebhookBody", &webhook_fields), .answer = "Webhook", .has_condition = true),
    OPERATION(webhooks_patch, .body = BODY("WebhookPatchBody", NULL), .answer = "Webhook", .refused = {409}, .has_condition = true),
    OPERATION(webhooks_remove, .ok = {204}, .has_condition = true),
    OPERATION(webhooks_rotate, .answer = "Webhook"),
    OPERATION(webhooks_test, .answer = "DeliveryWish", .ok = {202}),
    OPERATION(deliveries_list, PAGES("Delivery"), .parameters = {PAGE, "DeliveryState", "Event", "Webhook", "Since", "Until"}),
    OPERATION(deliveries_get, .answer = "Delivery", .has_etag = true),
    OPERATION(deliveries_redeliver, .answer = "DeliveryWish", .ok = {202}, .refused = {410}),

    OPERATION(runs_create, .body = BODY("TriggerBody", &trigger_body_fields), .parameters = {"IdempotencyKey"}, .answer = "AcceptedRun", .ok = {201}, .refused = {404, 409, 422}),
    OPERATION(runs_list, PAGES("Run"), .parameters = {PAGE, "Project", "State", "Suite", "Branch", "Commit", "BuildVersion", "Environment", "PoolOfRun", "TemplateOfRun", "Since", "Until", "ParentRun"}, .refused = {404}),
    OPERATION(runs_get, .parameters = {"Wait", "Version"}, .answer = "Run", .has_etag = true),
    OPERATION(runs_remove, .ok = {204}, .refused = {409}),
    OPERATION(runs_rerun, .body = OPTIONAL_BODY("RerunBody", &rerun_fields), .parameters = {"IdempotencyKey"}, .answer = "AcceptedRun", .ok = {201}, .refused = {409, 422}),
    OPERATION(run_results, PAGES("Result"), .parameters = {PAGE, "Statuses", "Tries", "Task", "Search"}),
    OPERATION(run_upload, .may_be_empty = true, .parameters = {"UploadFormat", "Variant", "Complete"}, .answer = "UploadAnswer", .refused = {409, 413, 507}),
    OPERATION(run_tasks, PAGES("Task"), .parameters = {"TaskLimit", "Cursor"}),
    OPERATION(run_logs, PAGES("LogChunk"), .parameters = {PAGE, "Task", "LogFormat", "Range", "IfRange"}, .ok = {200, 206}, .refused = {416}, .media = {"text/plain; charset=utf-8"}),
    OPERATION(artifacts_list, .parameters = {PAGE}, .answer = "Artifacts"),
    OPERATION(artifacts_get, .media = {"application/octet-stream"}, .has_etag = true, .refused = {409}),
    OPERATION(artifacts_put, .parameters = {"ArtifactPath", "ArtifactKind"}, .answer = "KeptFile", .ok = {201}, .security = "dispatch_token", .refused = {401, 409, 413, 507}),
    OPERATION(bundles_get, .parameters = {"Project"}, .answer = "Bundle"),
    OPERATION(bundles_put, .parameters = {"Project"}, .answer = "Bundle", .ok = {201}, .refused = {409, 413, 507}),
    OPERATION(dispatch_bundle, .media = {"application/octet-stream"}, .security = "dispatch_token", .refused = {401, 409}),
    OPERATION(run_log_stream, .parameters = {"Task"}, .media = {"text/event-stream"}, .refused = {429}),
    OPERATION(run_why, .answer = "Why"),
    OPERATION(run_report, .parameters = {"ReportFormat", "ReportResults"}, .answer = "Report", .media = {REPORTS}),
    OPERATION(run_share, .body = OPTIONAL_BODY("ShareBody", NULL), .answer = "ShareLink", .ok = {201}),
    OPERATION(shared_report, .refused = {410}, .parameters = {"ReportFormat", "ReportResults"}, .answer = "Report", .media = {REPORTS}),
    OPERATION(shared_events, .refused = {410, 429}, .parameters = {"LastEventId", "After"}, .ok = {200, 204}, .media = {"text/event-stream"}),
    OPERATION(runs_events, .parameters = {"LastEventId", "After"}, .ok = {200, 204}, .media = {"text/event-stream"}),
    OPERATION(runs_cancel, .parameters = {"Wait"}, .answer = "Run", .ok = {200, 202}),

    OPERATION(workers_list, PAGES("Worker"), .parameters = {PAGE, "Pool", "WorkerState"}),
    OPERATION(workers_get, .answer = "Worker", .has_etag = true),
    OPERATION(workers_enrol, .body = BODY("EnrolBody", &enrol_fields), .answer = "Enrolment", .security = "join_token", .refused = {401, 403}),
    OPERATION(workers_revoke, .answer = "Worker"),
    OPERATION(workers_restore, .answer = "Worker"),

    OPERATION(pools_list, PAGES("Pool"), .parameters = {PAGE}),
    OPERATION(pools_create, .body = BODY("PoolBody", &pool_fields), .answer = "Pool", .ok = {201}, .refused = {409}),
    OPERATION(pools_get, .answer = "Pool", .has_etag = true),
    OPERATION(pools_put, .body = BODY_LIKE("PoolChangeBody", "PoolBody"), .answer = "Pool", .ok = {200, 201}, .refused = {409}, .has_condition = true),
    OPERATION(pools_patch, .body = BODY("PoolPatchBody", NULL), .answer = "Pool", .refused = {409}, .has_condition = true),
    OPERATION(pools_remove, .ok = {204}, .refused = {409}, .has_condition = true),
    OPERATION(pools_join_token, .answer = "JoinToken", .ok = {201}),
    OPERATION(pools_grant, .answer = "Pool"),
    OPERATION(pools_take_back, .answer = "Pool"),

    OPERATION(tokens_list, PAGES("Token"), .parameters = {PAGE}),
    OPERATION(tokens_create, .body = BODY("TokenBody", &token_fields), .answer = "Token", .ok = {201}, .refused = {404}),
    OPERATION(tokens_get, .answer = "Token", .has_etag = true),
    OPERATION(tokens_revoke, .answer = "Token"),
};
/* clang-format on */
const size_t operations_count = ARRAY_SIZE(operations);

const struct operation *operation_find(route_handler *handler)
{
    for (size_t i = 0; i < operations_count; i++)
        if (operations[i].handler == handler)
            return &operations[i];
    return NULL;
}
