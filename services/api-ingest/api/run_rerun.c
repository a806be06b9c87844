/* SPDX-License-Identifier: Apache-2.0 */
#include "api/run_rerun.h"

#include "api/run_lookup.h"
#include "base/json.h"
#include "base/memory.h"
#include "runs/rerun.h"
#include "runs/trigger.h"

struct rerun_body {
    int cases;
};
static const struct field body_list[] = {
    {.name = "cases",
     .type = FIELD_ENUM,
     .offset = offsetof(struct rerun_body, cases),
     .optional = true,
     .names = &rerun_cases_names},
};
const struct fields rerun_fields = FIELDS(struct rerun_body, body_list);

/* No body at all asks for what did not pass. */
static int read_cases(struct request *request, enum rerun_cases *cases_r, struct error *error)
{
    struct rerun_body body = {.cases = RERUN_NOT_PASSED};
    size_t length;
    (void)request_body(request, &length);
    if (length > 0 && request_decode(request, &rerun_fields, &body, error) < 0)
        return -1;
    *cases_r = (enum rerun_cases)body.cases;
    return 0;
}

/* A key that was used before is answered as then. */
static int fill(struct trigger *trigger, const struct run_ref *run, enum rerun_cases cases,
                struct error *error)
{
    if (trigger_find_key(trigger, error) < 0)
        return -1;
    if (trigger->outcome != TRIGGER_OPEN)
        return 0;
    if (!run->is_final)
        return error_set(error, "conflict",
                         "run %lld is not final yet: what did not pass is known at its end",
                         (long long)run->number);
    return rerun_fill(trigger, run, cases, error);
}

int runs_rerun(struct request *request, struct response *response, struct error *error)
{
    AUTO(trigger_free) struct trigger *trigger = NULL;
    AUTO(json_free) json_t *said = NULL;
    enum rerun_cases cases;
    struct store *store;
    struct run_ref run;
    (void)response;
    if (read_cases(request, &cases, error) < 0 || request_store(request, &store, error) < 0 ||
        run_lookup(request, store, &run, error) < 0)
        return -1;
    said = json_pack("{s:s, s:s}", "rerun_of", run.id.text, "cases",
                     names_get(&rerun_cases_names, (int)cases));
    if (trigger_begin(request, said, &trigger, error) < 0)
        return -1;
    trigger->project_id = run.project_id;
    if (fill(trigger, &run, cases, error) < 0)
        return -1;
    return trigger_submit(TAKE(trigger), error);
}
