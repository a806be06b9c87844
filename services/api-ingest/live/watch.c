/* SPDX-License-Identifier: Apache-2.0 */
#include "live/watch.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

#define PATIENCE_MS 2000 /* with a database that does not answer */

struct watch *watch_find(struct watch *watches, const struct uuid *run_id)
{
    struct watch *watch;
    HASH_FIND(hh, watches, run_id->text, sizeof run_id->text, watch);
    return watch;
}

struct watch *watch_get(struct watch **watches, const struct uuid *run_id)
{
    struct watch *watch = watch_find(*watches, run_id);
    if (watch != NULL)
        return watch;
    watch = xcalloc(1, sizeof *watch);
    watch->run_id = *run_id;
    watch->wants_read = true;
    TAILQ_INIT(&watch->waiters);
    TAILQ_INIT(&watch->listeners);
    HASH_ADD(hh, *watches, run_id.text, sizeof watch->run_id.text, watch);
    return watch;
}

void watch_remove(struct watch **watches, struct watch *watch)
{
    HASH_DEL(*watches, watch);
    run_text_unref(&watch->text);
    free(watch->totals);
    free(watch);
}

bool watch_is_idle(const struct watch *watch)
{
    return TAILQ_EMPTY(&watch->waiters) && TAILQ_EMPTY(&watch->listeners);
}

static void answer(struct watch *watch, struct waiter *waiter, bool is_good)
{
    const struct live_wait *wait = &waiter->wait;
    struct response *response = request_response(wait->request);
    struct error error;
    bool may_see = is_good && watch->text != NULL &&
                   (uuid_is_null(&wait->only) || uuid_equal(&wait->only, &watch->text->project_id));
    if (may_see) {
        run_text_answer(watch->text, watch->text->is_final ? 200 : wait->open_status, response);
    } else {
        if (!is_good || (watch->text == NULL && !watch->is_missing))
            error_set(&error, "unavailable", "the database cannot be reached just now");
        else
            error_set(&error, "not_found", "there is no run %s", watch->run_id.text);
        response_problem(response, &error);
    }
    TAILQ_REMOVE(&watch->waiters, waiter, link);
    request_complete(wait->request);
    free(waiter);
}

static bool is_over(const struct watch *watch, const struct waiter *waiter)
{
    const struct run_text *text = watch->text;
    const struct live_wait *wait = &waiter->wait;
    if (text == NULL)
        return watch->is_missing;
    bool is_foreign = !uuid_is_null(&wait->only) && !uuid_equal(&wait->only, &text->project_id);
    return is_foreign || text->is_final ||
           (wait->after_version >= 0 && text->version > wait->after_version);
}

void watch_answer(struct watch *watch, int64_t now_ms, bool give_up)
{
    struct waiter *waiter, *next;
    bool is_fresh = watch->read_ms != 0 && now_ms - watch->read_ms <= FRESH_MS;
    for (waiter = TAILQ_FIRST(&watch->waiters); waiter != NULL; waiter = next) {
        next = TAILQ_NEXT(waiter, link);
        bool has_expired = waiter->deadline_ms <= now_ms;
        if (is_over(watch, waiter) || give_up || (has_expired && is_fresh))
            answer(watch, waiter, true);
        else if (waiter->deadline_ms + PATIENCE_MS <= now_ms)
            answer(watch, waiter, false); /* what is known is too old to be told */
        else if (has_expired)
            watch->wants_read = true;
    }
}

int64_t watch_deadline_ms(const struct watch *watch)
{
    int64_t deadline_ms = -1;
    const struct waiter *waiter;
    TAILQ_FOREACH (waiter, &watch->waiters, link)
        if (deadline_ms < 0 || waiter->deadline_ms < deadline_ms)
            deadline_ms = waiter->deadline_ms;
    return deadline_ms;
}

bool listener_is_over(const struct listener *listener)
{
    const int64_t expires_s = listener->listen.link_expires_s;
    return expires_s != 0 && wall_ms() / 1000 >= expires_s;
}

void listener_free(struct listener **listener)
{
    if (*listener != NULL && (*listener)->seats != NULL)
        atomic_fetch_sub((*listener)->seats, 1);
    if (*listener != NULL)
        stream_unref(&(*listener)->stream);
    memory_free(listener);
}
