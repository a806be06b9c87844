/* SPDX-License-Identifier: Apache-2.0 */
/* One record per case: the numbers, then each text with its length before it. */
#include "report/kept.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define TEXTS       7
#define TEXT_ABSENT UINT32_MAX

struct record {
    int64_t duration_ms, started_at;
    int32_t status;
    uint32_t lengths[TEXTS];
};

struct kept_cases {
    FILE *file; /* NULL before the first */
    int64_t *offsets;
    size_t count, capacity;
    int64_t end;
    char *texts; /* of the last one that was read */
};

static void list_texts(const struct reported_case *reported, const char *texts_r[TEXTS])
{
    const char *const texts[TEXTS] = {reported->suite, reported->file,       reported->class,
                                      reported->name,  reported->parameters, reported->message,
                                      reported->trace};
    memcpy(texts_r, texts, sizeof texts);
}

struct kept_cases *kept_cases_new(void)
{
    return xcalloc(1, sizeof(struct kept_cases));
}

void kept_cases_free(struct kept_cases **kept)
{
    if (*kept == NULL)
        return;
    if ((*kept)->file != NULL)
        fclose((*kept)->file);
    free((*kept)->offsets);
    free((*kept)->texts);
    memory_free(kept);
}

size_t kept_cases_count(const struct kept_cases *kept)
{
    return kept->count;
}

static int fail(struct error *error)
{
    return error_set(error, "unavailable", "a temporary file: %s", strerror(errno));
}

int kept_cases_add(struct kept_cases *kept, const struct reported_case *reported,
                   struct error *error)
{
    struct record record = {.duration_ms = reported->duration_ms,
                            .started_at = reported->started_at,
                            .status = (int32_t)reported->status};
    const char *texts[TEXTS];
    int64_t size = (int64_t)sizeof record;
    if (kept->file == NULL && (kept->file = tmpfile()) == NULL)
        return fail(error);
    list_texts(reported, texts);
    for (int i = 0; i < TEXTS; i++)
        record.lengths[i] = texts[i] == NULL ? TEXT_ABSENT : (uint32_t)strlen(texts[i]);
    if (fwrite(&record, sizeof record, 1, kept->file) != 1)
        return fail(error);
    for (int i = 0; i < TEXTS; i++) {
        if (texts[i] == NULL || record.lengths[i] == 0)
            continue;
        if (fwrite(texts[i], record.lengths[i], 1, kept->file) != 1)
            return fail(error);
        size += record.lengths[i];
    }
    kept->offsets =
        array_reserve(kept->offsets, &kept->capacity, kept->count, sizeof *kept->offsets);
    kept->offsets[kept->count++] = kept->end;
    kept->end += size;
    return 0;
}

/* The texts of a record, each with a NUL behind it. */
static int read_texts(struct kept_cases *kept, const struct record *record,
                      const char *texts_r[TEXTS], struct error *error)
{
    size_t size = 0, at = 0;
    for (int i = 0; i < TEXTS; i++)
        size += record->lengths[i] == TEXT_ABSENT ? 0 : record->lengths[i] + (size_t)1;
    kept->texts = xrealloc(kept->texts, size + 1);
    for (int i = 0; i < TEXTS; i++) {
        size_t length = record->lengths[i];
        texts_r[i] = record->lengths[i] == TEXT_ABSENT ? NULL : kept->texts + at;
        if (texts_r[i] == NULL)
            continue;
        if (length > 0 && fread(kept->texts + at, length, 1, kept->file) != 1)
            return fail(error);
        kept->texts[at + length] = '\0';
        at += length + 1;
    }
    return 0;
}

int kept_cases_get(struct kept_cases *kept, size_t number, struct reported_case *reported_r,
                   struct error *error)
{
    struct record record;
    const char *texts[TEXTS];
    if (fseeko(kept->file, kept->offsets[number], SEEK_SET) != 0 ||
        fread(&record, sizeof record, 1, kept->file) != 1)
        return fail(error);
    if (read_texts(kept, &record, texts, error) < 0)
        return -1;
    *reported_r = (struct reported_case){.suite = texts[0],
                                         .file = texts[1],
                                         .class = texts[2],
                                         .name = texts[3],
                                         .parameters = texts[4],
                                         .message = texts[5],
                                         .trace = texts[6],
                                         .status = (enum result_status)record.status,
                                         .duration_ms = record.duration_ms,
                                         .started_at = record.started_at};
    return 0;
}
