/* SPDX-License-Identifier: Apache-2.0 */
#include "demand.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define BEYOND "other"

struct place {
    char *class;
    int wanted;
    int64_t wanted_ms; /* when it was wanted last */
};

struct demand {
    struct metric *metric;
    struct place places[DEMAND_CLASSES];
    int count, beyond;
    int64_t now_ms;
};

struct demand *demand_new(struct metric *metric)
{
    struct demand *demand = xcalloc(1, sizeof *demand);
    demand->metric = metric;
    return demand;
}

void demand_free(struct demand **demand)
{
    for (int i = 0; *demand != NULL && i < (*demand)->count; i++)
        free((*demand)->places[i].class);
    memory_free(demand);
}

void demand_begin(struct demand *demand, int64_t now_ms)
{
    demand->now_ms = now_ms;
    demand->beyond = 0;
    for (int i = 0; i < demand->count; i++)
        demand->places[i].wanted = 0;
}

static struct place *find(struct demand *demand, const char *class)
{
    for (int i = 0; i < demand->count; i++)
        if (strcmp(demand->places[i].class, class) == 0)
            return &demand->places[i];
    return NULL;
}

/* The place of the class that was wanted longest ago, when that is long enough; else NULL. */
static struct place *free_place(struct demand *demand)
{
    struct place *oldest = &demand->places[0];
    for (int i = 1; i < demand->count; i++)
        if (demand->places[i].wanted_ms < oldest->wanted_ms)
            oldest = &demand->places[i];
    if (demand->now_ms - oldest->wanted_ms < DEMAND_IDLE_MS)
        return NULL;
    metric_remove_labelled(demand->metric, (const char *const[]){oldest->class});
    free(oldest->class);
    return oldest;
}

static struct place *take_place(struct demand *demand, const char *class)
{
    struct place *place =
        demand->count < DEMAND_CLASSES ? &demand->places[demand->count++] : free_place(demand);
    if (place != NULL)
        *place = (struct place){.class = xstrdup(class)};
    return place;
}

void demand_add(struct demand *demand, const char *class, int wanted)
{
    const char *name = class[0] == '\0' ? "any" : class;
    struct place *place = NULL;
    if (wanted > 0 && strcmp(name, BEYOND) != 0 && (place = find(demand, name)) == NULL)
        place = take_place(demand, name);
    if (place == NULL) {
        demand->beyond += wanted;
        return;
    }
    place->wanted += wanted;
    place->wanted_ms = demand->now_ms;
}

void demand_show(struct demand *demand)
{
    for (int i = 0; i < demand->count; i++)
        metric_set_labelled(demand->metric, demand->places[i].wanted,
                            (const char *const[]){demand->places[i].class});
    metric_set_labelled(demand->metric, demand->beyond, (const char *const[]){BEYOND});
}
