/* SPDX-License-Identifier: Apache-2.0 */
/* A suite that stands inside a trigger: its version is named when it is there already, stored with the run when it is
 * small, and before it when it is large. */
#include <string.h>

#include "api/checks.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/bundle.h"
#include "db/suite_version.h"
#include "http/request.h"
#include "ingest_metrics.h"
#include "model/limits.h"
#include "runs/trigger_body.h"
#include "suite_version.h"

#define DRAFT_CASES 100 /* of a new suite that is stored in the transaction of many triggers */

/* In a transaction of its own. */
static int store_version(struct request *request, struct trigger *trigger, const char *slug,
                         const struct suite_spec *spec, struct error *error)
{
    struct store *store;
    struct suite_version_ref version;
    if (request_begin(request, &store, error) < 0 ||
        suite_version_ensure(store, &trigger->project_id, slug, spec, &version, error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    metric_add(&ingest_metrics[METRIC_TRIGGER_COMMITS], 1);
    trigger->suite_version_id = version.id;
    return 0;
}

/* Nobody removes it within the hour. */
static int take_bundle(struct trigger *trigger, struct store *store,
                       const struct suite_source *source, struct error *error)
{
    AUTO(json_free) json_t *bundle = NULL;
    if (source->kind != SOURCE_BUNDLE)
        return 0;
    if (bundle_db_use(store, &trigger->project_id, source->bundle, &bundle, error) < 0)
        return -1;
    if (bundle == NULL)
        return error_field(error, "source.bundle",
                           "source.bundle: the project has no such bundle: PUT it to /v1/bundles");
    text_free(&trigger->bundle);
    trigger->bundle = xstrdup(source->bundle);
    return 0;
}

/* A version that is there already, as it mostly is, is named; a new one is stored with the run, unless it
 * is so large that others would wait for it. */
int trigger_take_version(struct trigger *trigger, const char *slug, const struct suite_spec *spec,
                         struct error *error)
{
    struct request *request = trigger->request;
    struct suite_version_row row = {.project_id = &trigger->project_id, .slug = slug};
    struct store *store;
    trigger->cases = (int64_t)spec->cases.count;
    suite_digest(spec, row.digest);
    if (request_store(request, &store, error) < 0 ||
        take_bundle(trigger, store, &spec->source, error) < 0 ||
        suite_version_db_find(store, &row, &trigger->suite_version_id, error) < 0)
        return -1;
    if (!uuid_is_null(&trigger->suite_version_id))
        return 0;
    if (spec->cases.count > DRAFT_CASES)
        return store_version(request, trigger, slug, spec, error);
    return suite_draft_make(slug, spec, &trigger->draft, error);
}

/* The text member of an inline suite that is no part of the specification. */
static int read_head(const json_t *json, const char *name, size_t max, const char **text_r,
                     struct error *error)
{
    const json_t *value = json_object_get(json, name);
    *text_r = json_string_value(value);
    if (value == NULL || json_is_null(value))
        return 0;
    if (*text_r == NULL || json_string_length(value) > max)
        return error_field(error, name, "suite.%s must be a text of at most %zu bytes", name, max);
    return 0;
}

int trigger_take_inline_suite(const json_t *json, struct trigger *trigger, json_t *requirements,
                              struct error *error)
{
    AUTO(suite_deinit) struct suite_spec spec = {.framework = NULL};
    const char *slug, *title;
    if (read_head(json, "slug", NAME_BYTES, &slug, error) < 0 ||
        read_head(json, "title", (size_t)LIMIT_TITLE_BYTES, &title, error) < 0)
        return error_in(error, "suite");
    if (slug == NULL)
        return error_field(error, "suite.slug", "suite.slug is missing");
    if (check_slug("slug", slug, error) < 0 || suite_decode(json, &spec, error) < 0 ||
        trigger_take_version(trigger, slug, &spec, error) < 0)
        return error->field[0] == '\0' ? -1 : error_in(error, "suite");
    trigger->suite_slug = xstrdup(slug);
    if (trigger->title == NULL)
        trigger->title = xstrdup(title == NULL || title[0] == '\0' ? slug : title);
    for (size_t i = 0; i < spec.requirements.count; i++)
        json_array_append_new(requirements, json_string(spec.requirements.list[i]));
    return 0;
}
