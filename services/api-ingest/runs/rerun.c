/* SPDX-License-Identifier: Apache-2.0 */
#include "runs/rerun.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "db/rerun.h"
#include "http/request.h"
#include "model/endings.h"
#include "model/frameworks.h"
#include "model/limits.h"
#include "model/suite.h"
#include "tenancy.h"

static const char *const cases_list[] = {"not_passed", "failed", "all"};
const struct names rerun_cases_names = NAMES("cases", cases_list);

struct selection {
    struct store *store;
    const struct run_ref *run;
    const struct framework_facts *framework;
    const char *suite; /* slug */
    json_t *selectors; /* owned */
    char why[200];     /* it has to be the whole suite; "": the selectors are all */
};

static void whole(struct selection *selection, const char *why)
{
    if (selection->why[0] == '\0')
        strncpy(selection->why, why, sizeof selection->why - 1);
}

static void add(struct selection *selection, const struct rows *rows)
{
    for (int row = 0; row < rows_count(rows) && selection->why[0] == '\0'; row++) {
        AUTO(text_free) char *selector = rows_copy(rows, row, RERUN_SELECTOR);
        if (selector == NULL)
            selector = framework_selector(
                selection->framework, selection->suite, rows_text(rows, row, RERUN_KEY),
                rows_text(rows, row, RERUN_FILE), rows_text(rows, row, RERUN_CLASS),
                rows_text(rows, row, RERUN_NAME), rows_text(rows, row, RERUN_PARAMETERS));
        if (selector == NULL)
            whole(selection, "there is a case that cannot be selected alone");
        else
            json_array_append_new(selection->selectors, json_string(selector));
    }
}

static int add_failed(struct selection *selection, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (rerun_db_failed(selection->store, &selection->run->id, &rows, error) < 0)
        return -1;
    add(selection, rows);
    return 0;
}

static int add_declared(struct selection *selection, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (rerun_db_not_run(selection->store, &selection->run->id, &rows, error) < 0)
        return -1;
    add(selection, rows);
    return 0;
}

/* As many as did not run, or it is not known which ones those were. */
static int add_known(struct selection *selection, int64_t not_run, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (not_run == 0)
        return 0;
    if (rerun_db_known(selection->store, &selection->run->id, &rows, error) < 0)
        return -1;
    if (rows_count(rows) == not_run)
        add(selection, rows);
    else
        whole(selection, "which cases did not run is not known from an earlier run");
    return 0;
}

/* Whether the report was all that the tests had to say: then what it does not name is not there. */
static bool report_was_whole(const struct rerun_facts *facts)
{
    static const enum reason reasons[] = {REASON_CASES_FAILED, REASON_CASES_ERRORED,
                                          REASON_CASES_BLOCKED, REASON_CASES_NOT_RUN};
    for (size_t i = 0; i < ARRAY_SIZE(reasons) && facts->reason != NULL; i++)
        if (strcmp(facts->reason, names_get(&reason_names, (int)reasons[i])) == 0)
            return true;
    return facts->reason == NULL;
}

/* Tools that tell nothing beforehand end as they like (`go test -failfast`): what they have not begun, nobody
 * has named. */
static int check_told(struct selection *selection, struct error *error)
{
    bool tells_all;
    if (rerun_db_tells_all(selection->store, &selection->run->id, &tells_all, error) < 0)
        return -1;
    if (!tells_all)
        whole(selection, "no earlier run says that its cases were all");
    return 0;
}

static int add_not_run(struct selection *selection, const struct rerun_facts *facts,
                       struct error *error)
{
    const char *source = facts->planned_source == NULL ? "" : facts->planned_source;
    if (facts->declared > 0)
        return add_declared(selection, error);
    if (strcmp(source, "discovered") == 0)
        return add_known(selection, facts->not_run, error);
    if (report_was_whole(facts))
        return facts->passed ? 0 : check_told(selection, error);
    whole(selection, "the run did not come so far that its cases were known");
    return 0;
}

static int select_cases(struct selection *selection, const struct rerun_facts *facts,
                        enum rerun_cases cases, struct error *error)
{
    if (!selection->framework->selects_cases)
        whole(selection, "its framework cannot select cases");
    if (add_failed(selection, error) < 0 ||
        (cases == RERUN_NOT_PASSED && add_not_run(selection, facts, error) < 0))
        return -1;
    if (json_array_size(selection->selectors) > (size_t)LIMIT_CASES_PER_RUN)
        whole(selection, "there are too many cases for a list");
    if (json_array_size(selection->selectors) > 0 || selection->why[0] != '\0')
        return 0;
    if (facts->passed || cases == RERUN_FAILED)
        return error_set(error, "unprocessable", "run %lld has no such case to run again",
                         (long long)selection->run->number);
    whole(selection, "no case of it is known not to have passed, and yet it did not pass");
    return 0;
}

static int take_selected(struct trigger *trigger, const struct selection *selection, json_t *spec,
                         struct error *error)
{
    AUTO(suite_deinit) struct suite_spec suite = {.framework = NULL};
    json_object_set(spec, "cases", selection->selectors);
    if (suite_decode(spec, &suite, error) < 0)
        return error_set(error, "internal", "the suite of run %lld: %s",
                         (long long)selection->run->number, error->text);
    trigger->suite_version_id = (struct uuid){.text = ""};
    return trigger_take_version(trigger, trigger->suite_slug, &suite, error);
}

static char *describe(const struct run_ref *run, enum rerun_cases cases, bool is_whole,
                      const char *why)
{
    AUTO(json_free)
    json_t *json = json_pack("{s:s, s:s, s:b, s:s?}", "of", run->id.text, "cases",
                             names_get(&rerun_cases_names, (int)cases), "whole_suite",
                             is_whole ? 1 : 0, "why", why == NULL || why[0] == '\0' ? NULL : why);
    return json_text(json);
}

static int choose(struct trigger *trigger, const struct run_ref *run, enum rerun_cases cases,
                  struct store *store, struct rerun_facts *facts, struct error *error)
{
    const struct framework_facts *framework =
        framework_find(json_find_text(facts->spec, "framework"));
    if (cases == RERUN_ALL || framework == NULL) {
        trigger->rerun = describe(run, cases, facts->declared == 0, NULL);
        return 0;
    }
    AUTO(json_free) json_t *selectors = json_array();
    struct selection selection = {.store = store,
                                  .run = run,
                                  .framework = framework,
                                  .suite = trigger->suite_slug,
                                  .selectors = selectors};
    if (select_cases(&selection, facts, cases, error) < 0)
        return -1;
    trigger->rerun = describe(run, cases, selection.why[0] != '\0', selection.why);
    return selection.why[0] != '\0' ? 0 : take_selected(trigger, &selection, facts->spec, error);
}

/* Nobody but whoever ran them can run its tests again. */
static int check_rerunnable(const struct run_ref *run, const struct rerun_facts *facts,
                            struct error *error)
{
    const char *kind = json_find_text(json_object_get(facts->spec, "source"), "kind");
    if (kind == NULL || strcmp(kind, names_get(&source_kind_names, SOURCE_UPLOAD)) != 0)
        return 0;
    return error_set(error, "conflict",
                     "the tests of run %lld ran elsewhere: run them there again, and upload their "
                     "reports to a new run",
                     (long long)run->number);
}

/* It supersedes no run: what is open may be of a newer commit. */
int rerun_fill(struct trigger *trigger, const struct run_ref *run, enum rerun_cases cases,
               struct error *error)
{
    AUTO(rerun_facts_deinit) struct rerun_facts facts = {.declared = 0};
    struct store *store;
    struct uuid pool_id;
    if (request_store(trigger->request, &store, error) < 0 ||
        rerun_db_source(store, &run->id, trigger, &facts, error) < 0 ||
        tenancy_pool(trigger->request, trigger->pool_id.text, &run->project_id, &pool_id, error) <
            0)
        return error_is(error, "not_found") ? error_set(error, "unprocessable", "%s", error->text)
                                            : -1;
    if (check_rerunnable(run, &facts, error) < 0)
        return -1;
    trigger->parent_id = run->id;
    trigger->relation = "rerun";
    trigger->cancel_superseded = false;
    return choose(trigger, run, cases, store, &facts, error);
}
