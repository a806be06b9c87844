/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a final run that is to be repeated. */
#pragma once

#include <jansson.h>

#include "runs/trigger.h"
#include "store/store.h"

struct rerun_facts {
    bool passed;
    char *planned_source, *reason; /* NULL: none */
    int64_t declared;              /* cases of its suite version; 0: the whole suite */
    int64_t not_run;
    json_t *spec; /* of its suite version, without cases */
};
void rerun_facts_deinit(struct rerun_facts *facts);

/* Copies what was asked for into the trigger, suite version included. */
int rerun_db_source(struct store *store, const struct uuid *run_id, struct trigger *trigger,
                    struct rerun_facts *facts_r, struct error *error) WARN_UNUSED;

/* Rows: case key, declared selector (NULL: none), file, class, name, parameters. */
enum rerun_row { RERUN_KEY, RERUN_SELECTOR, RERUN_FILE, RERUN_CLASS, RERUN_NAME, RERUN_PARAMETERS };

/* Cases that failed, errored or were blocked. */
int rerun_db_failed(struct store *store, const struct uuid *run_id, struct rows **rows_r,
                    struct error *error) WARN_UNUSED;
/* Declared cases without a result. */
int rerun_db_not_run(struct store *store, const struct uuid *run_id, struct rows **rows_r,
                     struct error *error) WARN_UNUSED;
/* Cases without a result of which the suite's last complete run before it knows; of the same branch if there
 * is one. */
int rerun_db_known(struct store *store, const struct uuid *run_id, struct rows **rows_r,
                   struct error *error) WARN_UNUSED;
/* Whether that run knows of no other case than this one; false: there is none. */
int rerun_db_tells_all(struct store *store, const struct uuid *run_id, bool *tells_all_r,
                       struct error *error) WARN_UNUSED;
