/* SPDX-License-Identifier: Apache-2.0 */
#include "aside.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "db.h"
#include "ending.h"
#include "log/log.h"

#define ASIDE_MAX       1000
#define TRY_AGAIN_MS    60000
#define CAREFUL_MS      60000
#define ASIDE_TEXT_SIZE 200

struct aside {
    struct uuid run_id;
    int32_t partition;
    int64_t due_ms;
    char why[ASIDE_TEXT_SIZE];
    UT_hash_handle hh;
};

static struct aside *find(const struct scheduler *scheduler, const struct uuid *run_id)
{
    struct aside *aside;
    HASH_FIND(hh, scheduler->aside, run_id, sizeof *run_id, aside);
    return aside;
}

void aside_add(struct scheduler *scheduler, int32_t partition, const struct uuid *run_id,
               const struct error *why)
{
    struct aside *aside = find(scheduler, run_id);
    bool is_new = aside == NULL;
    if (is_new && HASH_COUNT(scheduler->aside) >= ASIDE_MAX)
        aside_remove(scheduler, &scheduler->aside->run_id); /* the oldest; it is found again */
    log_error(is_new ? "a run cannot be worked on: it is set aside and ended"
                     : "a run that is set aside cannot be ended; trying again in a minute",
              LOG_TEXT("run_id", run_id->text), LOG_TEXT("reason", why->text));
    if (!is_new)
        return;
    aside = xcalloc(1, sizeof *aside);
    aside->run_id = *run_id;
    aside->partition = partition;
    text_format(aside->why, sizeof aside->why, "%s", why->text);
    HASH_ADD(hh, scheduler->aside, run_id, sizeof aside->run_id, aside);
    metric_add(&scheduler_metrics[SCHEDULER_SET_ASIDE], 1);
}

bool aside_has(const struct scheduler *scheduler, const struct uuid *run_id)
{
    return find(scheduler, run_id) != NULL;
}

void aside_be_careful(struct scheduler *scheduler)
{
    scheduler->careful_until_ms = monotonic_ms() + CAREFUL_MS;
}

bool aside_is_careful(const struct scheduler *scheduler)
{
    return monotonic_ms() < scheduler->careful_until_ms;
}

const struct uuid *aside_next(struct scheduler *scheduler, int32_t partition)
{
    struct aside *aside, *next;
    int64_t now_ms = monotonic_ms();
    HASH_ITER (hh, scheduler->aside, aside, next) {
        if (aside->partition == partition && now_ms >= aside->due_ms) {
            aside->due_ms = now_ms + TRY_AGAIN_MS;
            return &aside->run_id;
        }
    }
    return NULL;
}

int aside_end(struct brain *brain, struct store *store, const struct uuid *run_id,
              struct error *error)
{
    const struct aside *aside = find(brain->scheduler, run_id);
    if (db_load_bare_run(brain, store, run_id, error) < 0)
        return -1;
    struct run *run = brain_find_run(brain, run_id);
    if (run == NULL)
        return 0; /* it is final already */
    return ending_run(brain, store, run, REASON_INTERNAL_ERROR, aside->why, NULL, error);
}

void aside_remove(struct scheduler *scheduler, const struct uuid *run_id)
{
    struct aside *aside = find(scheduler, run_id);
    HASH_DEL(scheduler->aside, aside);
    free(aside);
}

void aside_free(struct scheduler *scheduler)
{
    struct aside *aside, *next;
    HASH_ITER (hh, scheduler->aside, aside, next) {
        HASH_DEL(scheduler->aside, aside);
        free(aside);
    }
}
