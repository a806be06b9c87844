/* SPDX-License-Identifier: Apache-2.0 */
#include "runs/run_links.h"

#include "auth/link.h"
#include "base/memory.h"
#include "ingest.h"

static const struct {
    const char *name, *path;
} parts[] = {
    {"self", ""},          {"results", "/results"}, {"tasks", "/tasks"},
    {"logs", "/logs"},     {"why", "/why"},         {"events", "/events"},
    {"cancel", "/cancel"}, {"report", "/report"},   {"html", "/report?format=html"},
    {"rerun", "/rerun"},
};

json_t *run_links(const struct ingest *ingest, const struct uuid *run_id)
{
    json_t *links = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        AUTO(text_free) char *path = xasprintf("/v1/runs/%s%s", run_id->text, parts[i].path);
        AUTO(text_free) char *url = ingest_url(ingest, path);
        json_object_set_new(links, parts[i].name, json_string(url));
    }
    AUTO(text_free) char *path = xasprintf("/v1/runs?parent_run=%s", run_id->text);
    AUTO(text_free) char *url = ingest_url(ingest, path);
    json_object_set_new(links, "reruns", json_string(url));
    return links;
}

char *run_link_signed(const struct ingest *ingest, const struct uuid *run_id, int64_t expires_ms)
{
    char link[LINK_TEXT_SIZE];
    if (expires_ms == 0)
        expires_ms = uuid_v7_time_ms(run_id) + RUN_LINK_DEFAULT_MS;
    link_make(ingest->key, run_id, expires_ms / 1000, link);
    AUTO(text_free) char *path = xasprintf("/v1/shared/%s", link);
    return ingest_url(ingest, path);
}
