/* SPDX-License-Identifier: Apache-2.0 */
/* prove, with a harness of ours that tells each test. It runs whole files: those of the wanted cases. */
#include "base/memory.h"
#include "frameworks/framework.h"

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    AUTO(text_free) char *library = xasprintf("%s/prove", task->plugin_dir);
    if (task->case_count > 0 && cases_list(task, plan, error) < 0)
        return -1;
    if (task->suite->command.count > 0)
        argv_add_all(plan, &task->suite->command);
    else
        texts_add(&plan->argv, "prove");
    texts_add(&plan->argv, "--harness=TAP::Harness::Verdict");
    texts_add(&plan->argv, "--merge"); /* what a test has to say goes to stderr */
    texts_add(&plan->argv, "--comments");
    argv_add_all(plan, &task->suite->arguments);
    environment_add(plan, "VERDICT_STREAM", task->stream_path);
    environment_add_path(plan, "PERL5LIB", library);
    *report_r = (struct report_plan){.source = REPORT_FROM_STREAM};
    return 0;
}

const struct framework prove_framework = {.name = "prove", .prepare = prepare};
