/* SPDX-License-Identifier: Apache-2.0 */
/* Calls as a script of the shell, beside the task's directory for reports. */
#include "frameworks/calls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/means.h"
#include "base/memory.h"

struct calls {
    char *path;
    FILE *file; /* NULL: it could not be opened */
    int error_number;
};

struct calls *calls_new(const struct framework_task *task)
{
    struct calls *calls = xcalloc(1, sizeof *calls);
    calls->path = xasprintf("%s/../calls", task->report_dir);
    calls->file = fopen(calls->path, "we");
    calls->error_number = errno;
    if (calls->file != NULL)
        fputs("status=0\n", calls->file);
    return calls;
}

void calls_free(struct calls **calls)
{
    if (*calls == NULL)
        return;
    if ((*calls)->file != NULL)
        fclose((*calls)->file);
    free((*calls)->path);
    memory_free(calls);
}

static void write_word(FILE *file, const char *word)
{
    fputc('\'', file);
    for (const char *c = word; *c != '\0'; c++) {
        if (*c == '\'')
            fputs("'\\''", file);
        else
            fputc(*c, file);
    }
    fputs("' ", file);
}

void calls_add(struct calls *calls, const struct texts *argv)
{
    if (calls->file == NULL)
        return;
    for (size_t i = 0; i < argv->count; i++)
        write_word(calls->file, argv->list[i]);
    fputs("|| status=$?\n", calls->file);
}

int calls_finish(struct calls *calls, struct process_plan *plan, struct error *error)
{
    if (calls->file != NULL) {
        FILE *file = calls->file;
        fputs("exit $status\n", file);
        bool is_written = ferror(file) == 0;
        calls->file = NULL;
        calls->error_number = 0;
        if (fclose(file) != 0 || !is_written)
            calls->error_number = errno != 0 ? errno : EIO;
    }
    if (calls->error_number != 0)
        return error_set(error, means_code(calls->error_number, "unavailable"),
                         "cannot write the list of cases: %s", strerror(calls->error_number));
    texts_add(&plan->argv, "/bin/sh");
    texts_add(&plan->argv, calls->path);
    return 0;
}
