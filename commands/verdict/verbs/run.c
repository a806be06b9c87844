/* SPDX-License-Identifier: Apache-2.0 */
/* run, trigger, rerun, wait: from a trigger to the verdict. */
#include "verbs/run.h"

#include <string.h>

#include "api.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "body.h"
#include "ci/channel.h"
#include "follow.h"
#include "output.h"
#include "verdict_text.h"

#define CLOSING_MS 10000 /* after a time-out: what is still asked of the server may take so long */

static void set_deadline(struct cli *cli)
{
    if (cli->options.timeout_ms > 0)
        cli->deadline_ms = monotonic_ms() + cli->options.timeout_ms;
}

static int give_up(struct cli *cli, const char *id, const char *number, int exit_status)
{
    struct error error;
    bool interrupted = exit_status == EXIT_INTERRUPTED;
    api_interrupted = 0;
    if (interrupted && cli->options.cancel_on_interrupt) {
        AUTO(text_free) char *path = api_path("/v1/runs/%s/cancel", id);
        if (api_post_repeatable(cli, path, NULL, NULL, &error) == 0) {
            fprintf(stderr, "verdict: interrupted; run %s is being cancelled\n", number);
            return EXIT_RUN_CANCELLED;
        }
        fprintf(stderr, "verdict: interrupted; run %s cannot be cancelled: %s\n", number,
                error.text);
        return exit_status;
    }
    fprintf(stderr, "verdict: %s; run %s goes on (verdict wait %s, verdict cancel %s)\n",
            interrupted ? "interrupted" : "the wait is over", number, number, number);
    return exit_status;
}

static int wait_for(struct cli *cli, const char *id, const char *number, struct error *error)
{
    AUTO(json_free) json_t *run = NULL;
    int exit_status = 0;
    api_watch_signals();
    if (follow_run(cli, id, &run, &exit_status, error) < 0)
        return -1;
    if (cli->deadline_ms > 0)
        cli->deadline_ms = monotonic_ms() + CLOSING_MS;
    if (exit_status == EXIT_WAIT_OVER && run == NULL)
        fprintf(stderr, "verdict: %s\n", error->text);
    if (exit_status == EXIT_WAIT_OVER && run != NULL && cli->options.json)
        print_json(run);
    if (exit_status != 0) {
        exit_status = give_up(cli, id, number, exit_status);
        if (run != NULL)
            ci_tell(cli, run, false);
        return exit_status;
    }
    verdict_print(cli, run);
    ci_tell(cli, run, true);
    if (cli->options.json)
        print_json(run);
    return verdict_exit(run);
}

static int trigger(struct cli *cli, json_t **run_r, struct error *error)
{
    AUTO(json_free) json_t *body = NULL;
    if (body_make(cli, &body, error) < 0)
        return -1;
    return api_trigger(cli, "/v1/runs", body, run_r, error);
}

void run_print_url(struct cli *cli, const json_t *run)
{
    AUTO(text_free) char *number = member_text(run, "number");
    cli->link = verdict_url(cli, run);
    fprintf(stderr, "run %s  %s\n", number, cli->link);
}

int run_wait_for_new(struct cli *cli, const json_t *run, struct error *error)
{
    AUTO(text_free) char *id = member_text(run, "id");
    AUTO(text_free) char *number = member_text(run, "number");
    set_deadline(cli);
    return wait_for(cli, id, number, error);
}

int run_print_new(struct cli *cli, const json_t *run)
{
    ci_tell(cli, run, false);
    if (cli->options.json)
        print_json(run);
    else
        printf("%s\n", json_find_text(run, "id") == NULL ? "" : json_find_text(run, "id"));
    return EXIT_PASSED;
}

int cmd_run(struct cli *cli, struct error *error)
{
    AUTO(json_free) json_t *run = NULL;
    if (ci_begin(cli, error) < 0 || trigger(cli, &run, error) < 0)
        return -1;
    run_print_url(cli, run);
    return run_wait_for_new(cli, run, error);
}

int cmd_trigger(struct cli *cli, struct error *error)
{
    AUTO(json_free) json_t *run = NULL;
    if (ci_begin(cli, error) < 0 || trigger(cli, &run, error) < 0)
        return -1;
    run_print_url(cli, run);
    return run_print_new(cli, run);
}

static void print_choice(const json_t *run)
{
    AUTO(text_free) char *why = member_text(run, "rerun.why");
    AUTO(text_free) char *planned = member_text(run, "planned");
    if (why[0] != '\0')
        fprintf(stderr, "the whole suite runs again: %s\n", why);
    else if (planned[0] != '\0')
        fprintf(stderr, "%s case%s again\n", planned, strcmp(planned, "1") == 0 ? "" : "s");
}

int cmd_rerun(struct cli *cli, struct error *error)
{
    AUTO(text_free) char *path = api_path("/v1/runs/%s/rerun", cli->options.rest[0]);
    AUTO(json_free) json_t *run = NULL;
    AUTO(json_free)
    json_t *body =
        json_pack("{s:s}", "cases", cli->options.cases == NULL ? "not_passed" : cli->options.cases);
    if (ci_begin(cli, error) < 0 || api_trigger(cli, path, body, &run, error) < 0)
        return -1;
    run_print_url(cli, run);
    print_choice(run);
    return cli->options.no_wait ? run_print_new(cli, run) : run_wait_for_new(cli, run, error);
}

int cmd_wait(struct cli *cli, struct error *error)
{
    if (ci_begin(cli, error) < 0)
        return -1;
    set_deadline(cli);
    return wait_for(cli, cli->options.rest[0], cli->options.rest[0], error);
}
