/* SPDX-License-Identifier: Apache-2.0 */
#include "runs/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

void why_workers_add(struct why_workers *workers, const struct requirements *requirements,
                     const char *state, const json_t *labels, int64_t slots, int64_t busy)
{
    workers->total++;
    if (strcmp(state, "online") != 0 && strcmp(state, "suspect") != 0)
        return;
    workers->reachable++;
    const char *unmet = requirements_unmet(requirements, labels);
    if (unmet == NULL) {
        workers->capable++;
        workers->slots += slots;
        workers->free_slots += busy < slots ? slots - busy : 0;
        return;
    }
    if (workers->unmet == NULL)
        workers->unmet = json_object();
    json_object_set_new(workers->unmet, unmet,
                        json_integer(json_find_int(workers->unmet, unmet, 0) + 1));
}

static void add(json_t *reasons, const char *class, const char *since, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void add(json_t *reasons, const char *class, const char *since, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(reasons, json_pack("{s:s, s:o, s:s*}", "class", class, "text",
                                             json_lossy(text, strlen(text)), "since", since));
}

static void explain_end(json_t *reasons, const json_t *run)
{
    const char *reason = json_find_text(run, "reason"), *text = json_find_text(run, "reason_text"),
               *detail = json_find_text(run, "reason_detail"),
               *actor = json_find_text(json_object_get(run, "actor"), "name");
    if (reason == NULL || reason[0] == '\0') {
        add(reasons, "passed", NULL, "it is over: all cases passed or were skipped");
        return;
    }
    add(reasons, reason, NULL, "it is over: %s%s%s%s%s", text,
        actor != NULL && *actor ? ", by " : "", actor == NULL ? "" : actor,
        detail != NULL && *detail ? ": " : "", detail == NULL ? "" : detail);
}

static void explain_scheduler(json_t *reasons, const struct why_facts *facts)
{
    if (facts->owner_is_alive)
        return;
    if (facts->owner_is_known)
        add(reasons, "no_scheduler", facts->owner_alive_at,
            "no scheduler has owned the pool %s since %s", facts->pool, facts->owner_alive_at);
    else
        add(reasons, "no_scheduler", NULL, "no scheduler has ever owned the pool %s", facts->pool);
}

static void explain_workers(json_t *reasons, const struct why_facts *facts)
{
    const struct why_workers *workers = facts->workers;
    const char *requirement;
    json_t *count;
    if (workers->total == 0)
        add(reasons, "no_worker", NULL, "no worker has joined the pool %s", facts->pool);
    else if (workers->reachable == 0)
        add(reasons, "no_worker", NULL, "none of the %d workers of the pool %s can be reached",
            workers->total, facts->pool);
    else if (workers->capable == 0)
        add(reasons, "no_capable_worker", NULL, "none of the %d workers that are there can run it",
            workers->reachable);
    else if (workers->free_slots == 0)
        add(reasons, "busy", NULL, "%d workers can run it, all of their %lld slots are busy",
            workers->capable, (long long)workers->slots);
    json_object_foreach (workers->unmet, requirement, count)
        add(reasons, "unmet", NULL, "%lld of %d workers do not meet %.200s",
            (long long)json_integer_value(count), workers->reachable, requirement);
}

static void explain_queue(json_t *reasons, const struct why_facts *facts)
{
    if (facts->ahead_same_project > 0)
        add(reasons, "behind", NULL, "%lld runs of this project go first in the pool",
            (long long)facts->ahead_same_project);
    if (facts->ahead_other_projects > 0)
        add(reasons, "behind", NULL, "%lld runs of other projects go first in the pool",
            (long long)facts->ahead_other_projects);
}

static void explain_requests(json_t *reasons, const json_t *requests)
{
    size_t i;
    json_t *request;
    json_array_foreach (requests, i, request) {
        const char *kind = json_find_text(request, "kind");
        if (strcmp(kind, "complete") == 0) {
            add(reasons, "complete", json_find_text(request, "at"),
                "somebody said that all results are uploaded");
            continue;
        }
        add(reasons, "cancel", json_find_text(request, "at"), "somebody asked that it %s",
            strcmp(kind, "supersede") == 0 ? "make room for a newer run of the branch" : "end");
    }
}

json_t *why_reasons(const struct why_facts *facts)
{
    json_t *reasons = json_array();
    const json_t *wait = json_object_get(facts->run, "wait");
    if (facts->is_final) {
        explain_end(reasons, facts->run);
        return reasons;
    }
    const char *class = json_find_text(wait, "class");
    bool is_queued = strcmp(json_find_text(facts->run, "state"), "queued") == 0;
    if (class != NULL && class[0] != '\0')
        add(reasons, class, json_find_text(wait, "since"), "%s", json_find_text(wait, "text"));
    explain_requests(reasons, facts->requests);
    explain_scheduler(reasons, facts);
    bool is_uploaded = class != NULL && strcmp(class, "uploads") == 0;
    if (is_queued && !is_uploaded) {
        explain_workers(reasons, facts);
        explain_queue(reasons, facts);
    }
    if (json_array_size(reasons) == 0)
        add(reasons, "planning", NULL, "it is about to be handed out");
    return reasons;
}
