/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a run into tasks. */
#include "plan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define CASE_MS_MIN 1 /* so that cases of no length are spread as well */
#define CASE_MS_MAX ((int64_t)1000 * 60 * 60 * 24 * 14)
#define SLACK       10 /* a tenth over the least possible is worth it that neighbours stay together */

struct item {
    size_t index; /* of the case */
    size_t bytes;
    int64_t ms;
    size_t piece;
};

struct load {
    int64_t ms;
    size_t bytes, count;
    size_t place; /* among the pieces, the longest first */
};

struct cut {
    struct load *list;
    size_t count, capacity;
};

static int compare_ms(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
    return first < second ? -1 : first > second;
}

static int64_t median_of_known(const struct plan_case *cases, size_t count)
{
    size_t known = 0;
    AUTO(memory_free) int64_t *list = xcalloc(count, sizeof *list);
    for (size_t i = 0; i < count; i++)
        if (cases[i].expected_ms >= 0)
            list[known++] = cases[i].expected_ms;
    qsort(list, known, sizeof *list, compare_ms);
    return known == 0 ? CASE_MS_MIN : list[known / 2];
}

static struct item *make_items(const struct plan_case *cases, size_t count)
{
    struct item *items = xcalloc(count, sizeof *items);
    int64_t median_ms = median_of_known(cases, count);
    for (size_t i = 0; i < count; i++) {
        int64_t ms = cases[i].expected_ms < 0 ? median_ms : cases[i].expected_ms;
        ms = ms < CASE_MS_MIN ? CASE_MS_MIN : ms > CASE_MS_MAX ? CASE_MS_MAX : ms;
        items[i] = (struct item){.index = i, .bytes = cases[i].bytes, .ms = ms};
    }
    return items;
}

static int64_t total_ms(const struct item *items, size_t count)
{
    int64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += items[i].ms;
    return total;
}

static size_t add_piece(struct cut *cut)
{
    cut->list = array_reserve(cut->list, &cut->capacity, cut->count, sizeof *cut->list);
    cut->list[cut->count] = (struct load){0};
    return cut->count++;
}

static void put(struct cut *cut, size_t piece, struct item *item)
{
    item->piece = piece;
    cut->list[piece].ms += item->ms;
    cut->list[piece].bytes += item->bytes;
    cut->list[piece].count++;
}

static bool fits(const struct load *load, const struct item *item)
{
    return load->count == 0 || load->bytes + item->bytes <= PLAN_PIECE_BYTES_MAX;
}

static int64_t longest_ms(const struct cut *cut)
{
    int64_t longest = 0;
    for (size_t i = 0; i < cut->count; i++)
        longest = cut->list[i].ms > longest ? cut->list[i].ms : longest;
    return longest;
}

/* ---- neighbours together -------------------------------------------------------------------------- */

/* The k-th piece ends where k/pieces of all time are, in the middle of a case at the most. */
static bool is_enough(const struct cut *cut, const struct item *item, int64_t before_ms,
                      int64_t all_ms, size_t pieces)
{
    int64_t share = (int64_t)cut->count * all_ms, k = (int64_t)pieces;
    return (2 * before_ms + item->ms) * k > 2 * share;
}

static struct cut cut_neighbours(struct item *items, size_t count, size_t pieces)
{
    struct cut cut = {0};
    int64_t before_ms = 0, all_ms = total_ms(items, count);
    for (size_t i = 0; i < count; i++) {
        bool may_end = cut.count > 0 && cut.count < pieces;
        bool must_end = may_end && count - i <= pieces - cut.count; /* one for each that is left */
        bool ends = must_end || (may_end && is_enough(&cut, &items[i], before_ms, all_ms, pieces));
        if (cut.count == 0 || ends || !fits(&cut.list[cut.count - 1], &items[i]))
            add_piece(&cut);
        put(&cut, cut.count - 1, &items[i]);
        before_ms += items[i].ms;
    }
    return cut;
}

/* ---- the longest first ---------------------------------------------------------------------------- */

static int compare_longest(const void *a, const void *b)
{
    const struct item *first = a, *second = b;
    if (first->ms != second->ms)
        return first->ms > second->ms ? -1 : 1;
    return first->index < second->index ? -1 : 1;
}

static int compare_index(const void *a, const void *b)
{
    const struct item *first = a, *second = b;
    return first->index < second->index ? -1 : 1;
}

/* The piece with the least to do that has room; a new one where none has. */
static size_t least_piece(struct cut *cut, const struct item *item)
{
    size_t best = cut->count;
    for (size_t i = 0; i < cut->count; i++)
        if (fits(&cut->list[i], item) &&
            (best == cut->count || cut->list[i].ms < cut->list[best].ms))
            best = i;
    return best < cut->count ? best : add_piece(cut);
}

static struct cut cut_longest_first(struct item *items, size_t count, size_t pieces)
{
    struct cut cut = {0};
    qsort(items, count, sizeof *items, compare_longest);
    while (cut.count < pieces)
        add_piece(&cut);
    for (size_t i = 0; i < count; i++)
        put(&cut, least_piece(&cut, &items[i]), &items[i]);
    qsort(items, count, sizeof *items, compare_index);
    return cut;
}

/* ---- the plan ------------------------------------------------------------------------------------- */

/* No cut has a longest piece that is shorter. */
static int64_t least_possible_ms(const struct item *items, size_t count, size_t pieces)
{
    int64_t longest = 0, k = (int64_t)pieces;
    for (size_t i = 0; i < count; i++)
        longest = items[i].ms > longest ? items[i].ms : longest;
    int64_t share = (total_ms(items, count) + k - 1) / k;
    return longest > share ? longest : share;
}

static int compare_loads(const void *a, const void *b)
{
    const struct load *first = *(const struct load *const *)a,
                      *second = *(const struct load *const *)b;
    if (first->ms != second->ms)
        return first->ms > second->ms ? -1 : 1;
    return first < second ? -1 : 1;
}

static void order_pieces(struct cut *cut, bool by_length)
{
    AUTO(memory_free) struct load **sorted = xcalloc(cut->count, sizeof *sorted);
    for (size_t i = 0; i < cut->count; i++)
        sorted[i] = &cut->list[i];
    if (by_length)
        qsort(sorted, cut->count, sizeof *sorted, compare_loads);
    for (size_t i = 0; i < cut->count; i++)
        sorted[i]->place = i;
}

static struct plan make_plan(const struct cut *cut, const struct item *items, size_t count)
{
    struct plan plan = {.list = xcalloc(cut->count, sizeof *plan.list),
                        .count = cut->count,
                        .order = xcalloc(count, sizeof *plan.order)};
    size_t first = 0;
    for (size_t i = 0; i < cut->count; i++)
        plan.list[cut->list[i].place].count = cut->list[i].count;
    for (size_t i = 0; i < plan.count; i++) {
        plan.list[i].first = first;
        first += plan.list[i].count;
        plan.list[i].count = 0; /* counted again below */
    }
    for (size_t i = 0; i < count; i++) {
        struct plan_piece *piece = &plan.list[cut->list[items[i].piece].place];
        plan.order[piece->first + piece->count++] = items[i].index;
    }
    return plan;
}

static bool is_any_known(const struct plan_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (cases[i].expected_ms >= 0)
            return true;
    return false;
}

struct plan plan_cut(const struct plan_case *cases, size_t count, size_t wanted)
{
    size_t pieces = wanted < 1 ? 1 : wanted > count ? count : wanted;
    if (count == 0)
        return (struct plan){0};
    AUTO(memory_free) struct item *items = make_items(cases, count);
    struct cut cut = cut_neighbours(items, count, pieces);
    int64_t least_ms = least_possible_ms(items, count, pieces);
    if (longest_ms(&cut) > least_ms + least_ms / SLACK) {
        free(cut.list);
        cut = cut_longest_first(items, count, pieces);
    }
    order_pieces(&cut, is_any_known(cases, count));
    struct plan plan = make_plan(&cut, items, count);
    free(cut.list);
    return plan;
}

void plan_deinit(struct plan *plan)
{
    free(plan->list);
    free(plan->order);
    *plan = (struct plan){0};
}
