/* SPDX-License-Identifier: Apache-2.0 */
/* What all commands of `verdict` have in common: options, the API, output. stdout is data, stderr is for
 * people. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/fields.h"
#include "model/endings.h"

#define EXIT_INTERRUPTED 130

/* What was said on the command line, by the environment, by the configuration file: in this order. Texts
 * belong to argv, the environment or the configuration. */
struct cli_options {
    const char *url, *token, *project;
    const char *file, *template, *suite, *environment, *pool, *framework;
    const char *path, *git, *bundle, *ref, *directory, *report;
    const char *build, *branch, *commit, *title, *idempotency_key;
    const char *status, *task, *name, *scopes, *expires, *cases, *run, *variant, *ci, *ci_dir;
    int64_t priority;                                          /* -1: not said */
    int64_t timeout_ms;                                        /* how long to wait; 0: for ever */
    int64_t share_ms;                                          /* 0: no share link */
    int64_t queue_timeout_ms, task_timeout_ms, run_timeout_ms; /* 0: the default */
    struct texts parameters, requirements, variables, secrets, artifacts, formats, outputs;
    bool json, quiet, pinned, allow_empty, cancel_superseded, cancel_on_interrupt, no_wait, follow,
        complete;
    char **rest; /* words behind the options; a command to run after -- */
    int rest_count;
    bool has_command; /* rest is a command */
};

/* Where a value comes from; what is higher wins. */
enum origin { FROM_NOWHERE, FROM_CONFIG, FROM_ENVIRONMENT, FROM_COMMAND_LINE };

struct ci_channel;

struct cli {
    struct cli_options options;
    enum origin project_from; /* options.project */
    struct http_client *http;
    json_t *config;              /* of the configuration file; NULL when there is none */
    struct error config_error;   /* why it is not whole; no code: it is */
    const char *token_from;      /* "VERDICT_TOKEN", "the configuration file": for people */
    bool is_impatient;           /* no call is repeated */
    bool has_answered;           /* the server, at least once: then more patience is in order */
    long last_status;            /* of the last answer */
    int64_t last_date_s;         /* its clock, as struct http_answer has it */
    int64_t deadline_ms;         /* monotonic: no call goes on after it ("wait_over"); 0: none */
    const struct ci_channel *ci; /* ci/channel.h; NULL: the command has none */
    bool ci_is_open;
    char *link; /* that opens in any browser, of the run that this is about; NULL: not known yet */
};

/* Exit status of a command, or -1 with *error: then its code decides (see main.c). */
typedef int cli_run(struct cli *cli, struct error *error);

struct cli_command {
    const char *words;     /* "token create" */
    const char *arguments; /* "RUN", "[-- COMMAND…]" */
    const char *options;   /* names of the options it takes, separated by blanks */
    const char *text;
    cli_run *run;
};
extern const struct cli_command cli_commands[];
extern const size_t cli_commands_count;

cli_run cmd_apply, cmd_artifacts, cmd_run, cmd_rerun, cmd_trigger, cmd_wait, cmd_show, cmd_results,
    cmd_logs, cmd_why, cmd_cancel, cmd_report, cmd_history, cmd_badge, cmd_worker_list, cmd_doctor,
    cmd_runs, cmd_upload, cmd_completion, cmd_manual, cmd_worker_revoke, cmd_worker_restore,
    cmd_token_create, cmd_token_list, cmd_token_revoke;

/* config.c: the environment's and the file's part. What is wrong with it or missing is an error for whoever asks
 * a server: config_check says it. */
void config_load(struct cli *cli);
int config_check(const struct cli *cli, struct error *error) WARN_UNUSED;

int usage_error(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
