/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, and which options each takes. */
#include "base/memory.h"
#include "cli.h"

#define RUN_OPTIONS                                                                                           \
    "project file template suite environment pool framework path git bundle ref pinned directory report env " \
    "secret artifact build branch commit title priority param require queue-timeout task-timeout "            \
    "run-timeout allow-empty cancel-superseded idempotency-key"
#define UPLOAD_OPTIONS                                                                                               \
    "run complete format variant project file template suite environment framework build branch commit title param " \
    "task-timeout run-timeout allow-empty cancel-superseded idempotency-key"
#define CI_OPTIONS   "ci ci-dir"
#define WAIT_OPTIONS "timeout quiet cancel-on-interrupt " CI_OPTIONS

/* clang-format off */
const struct cli_command cli_commands[] = {
    {"apply", "", "file", "make projects, environments, suites, templates and webhooks as a file says", cmd_apply},
    {"run", "[-- COMMAND…]", RUN_OPTIONS " " WAIT_OPTIONS, "trigger a run, show how it goes, wait for its verdict", cmd_run},
    {"trigger", "[-- COMMAND…]", RUN_OPTIONS " " CI_OPTIONS, "trigger a run and go on; prints its id", cmd_trigger},
    {"rerun", "RUN", "cases no-wait idempotency-key " WAIT_OPTIONS, "run again what did not pass of a run, and wait for the verdict", cmd_rerun},
    {"upload", "[FILE…]", UPLOAD_OPTIONS " no-wait " WAIT_OPTIONS, "reports of tests that ran elsewhere (- is the standard input): a run of their own, or a part of --run", cmd_upload},
    {"wait", "RUN", WAIT_OPTIONS, "wait for a run's verdict", cmd_wait},
    {"runs", "", "project suite branch commit share", "the last runs, or with --share a link to the page of a project's runs", cmd_runs},
    {"show", "RUN", "", "what a run is and how far it has come", cmd_show},
    {"results", "RUN", "status", "its cases and what happened to them", cmd_results},
    {"history", "CASE", "project branch", "how a case (by its key: verdict results --json) went in its last runs", cmd_history},
    {"badge", "SUITE", "project branch", "links to a badge that shows how the suite's last run ended", cmd_badge},
    {"logs", "RUN", "task follow", "what its tests wrote, or with -f write", cmd_logs},
    {"why", "RUN", "", "why it is not further", cmd_why},
    {"cancel", "RUN", "", "end it", cmd_cancel},
    {"artifacts", "RUN", "output", "files that its tests left, and their coverage; with --output: into this directory", cmd_artifacts},
    {"report", "RUN", "format output share", "its report, or a link to it that opens in any browser", cmd_report},
    {"doctor", "", "project", "is all well between here and the server? says what is not, and what to do", cmd_doctor},
    {"worker list", "", "pool", "the workers that run your tests", cmd_worker_list},
    {"worker revoke", "ID", "", "take a worker's key away; it cannot enrol again", cmd_worker_revoke},
    {"worker restore", "ID", "", "let a revoked worker enrol again", cmd_worker_restore},
    {"token create", "", "name scopes project expires", "a new token, shown once", cmd_token_create},
    {"token list", "", "", "tokens, without their secrets", cmd_token_list},
    {"token revoke", "ID", "", "end a token", cmd_token_revoke},
    {"completion", "SHELL", "", "what a shell completes, as a script for bash, zsh or fish", cmd_completion},
    {"manual", "", "", "verdict(1), a page for man", cmd_manual},
};
/* clang-format on */
const size_t cli_commands_count = ARRAY_SIZE(cli_commands);
