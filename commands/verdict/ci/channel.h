/* SPDX-License-Identifier: Apache-2.0 */
/* What a CI server is told of a run (--ci): a row per server. Whatever goes wrong here is said on stderr and
 * changes no verdict. */
#pragma once

#include "cli.h"

struct ci_channel {
    const char *name;
    /* Before and behind what others wrote (tests, the server), on stderr. NULL: nothing is to be done. */
    void (*begin)(void);
    void (*end)(void);
    /* Values for later steps, of a run in any state. */
    int (*outputs)(struct cli *cli, const json_t *run, struct error *error);
    /* What people look at, of a final run. */
    int (*report)(struct cli *cli, const json_t *run, struct error *error);
};

extern const struct ci_channel ci_none, ci_github, ci_gitlab, ci_jenkins, ci_buildkite;

/* By options.ci; from here to ci_end what is written to stderr gives the CI server no orders. -1: "usage". */
int ci_begin(struct cli *cli, struct error *error) WARN_UNUSED;
void ci_end(struct cli *cli); /* as often as wanted */

/* Ends, and tells. */
void ci_tell(struct cli *cli, const json_t *run, bool is_final);

/* For channels: ------------------------------------------------------------------------------------- */

/* Lines of name=value; values are one line each. `as_variables`: VERDICT_RUN_ID instead of run_id. */
void ci_write_outputs(FILE *out, struct cli *cli, const json_t *run, bool as_variables);
/* They, or the run's report in that format, as a file below --ci-dir. */
int ci_save_outputs(struct cli *cli, const json_t *run, const char *name,
                    struct error *error) WARN_UNUSED;
int ci_save_report(struct cli *cli, const json_t *run, const char *format, const char *name,
                   struct error *error) WARN_UNUSED;
char *ci_path(const struct cli *cli, const char *name); /* below --ci-dir. Caller frees. */
/* The same to `out`. */
int ci_write_report(struct cli *cli, const json_t *run, const char *format, FILE *out,
                    struct error *error) WARN_UNUSED;
