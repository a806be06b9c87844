/* SPDX-License-Identifier: Apache-2.0 */
/* upload: reports of tests that ran elsewhere, as a run of their own or as a part of one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "body.h"
#include "ci/channel.h"
#include "model/limits.h"
#include "output.h"
#include "verbs/run.h"

#define COPY_BYTES 65536

/* One upload: a file, or several that are one report. */
struct part {
    const char *name;
    int fd;
    int64_t bytes;
};

struct parts {
    struct part *list;
    size_t count, capacity;
};

static void parts_deinit(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        fd_close(&parts->list[i].fd);
    free(parts->list);
}

static int cannot_read(const char *name, struct error *error)
{
    return error_set(error, "usage", "%s: %s", name, strerror(errno));
}

static int copy(int from, int to)
{
    char piece[COPY_BYTES];
    ssize_t length;
    while ((length = read(from, piece, sizeof piece)) > 0)
        for (ssize_t done = 0, written; done < length; done += written)
            if ((written = write(to, piece + done, (size_t)(length - done))) < 0)
                return -1;
    return length < 0 ? -1 : 0;
}

static int open_temporary(int *fd_r, struct error *error)
{
    const char *directory = getenv("TMPDIR");
    AUTO(text_free)
    char *path = xasprintf("%s/verdict-XXXXXX", directory == NULL ? "/tmp" : directory);
    *fd_r = mkostemp(path, O_CLOEXEC);
    if (*fd_r < 0)
        return cannot_read(path, error);
    unlink(path);
    return 0;
}

static struct part *add_part(struct parts *parts, const char *name, int fd)
{
    parts->list = array_reserve(parts->list, &parts->capacity, parts->count, sizeof *parts->list);
    parts->list[parts->count] = (struct part){.name = name, .fd = fd};
    return &parts->list[parts->count++];
}

/* Allure writes a file a case: those are one report, as if by `cat`. */
static int append(struct parts *parts, size_t *allure, const char *name, int fd,
                  struct error *error)
{
    int copied;
    if (*allure == SIZE_MAX) {
        if (open_temporary(&copied, error) < 0)
            return -1;
        *allure = parts->count;
        add_part(parts, name, copied);
    }
    copied = parts->list[*allure].fd;
    if (copy(fd, copied) < 0 || write(copied, "\n", 1) != 1)
        return cannot_read(name, error);
    return 0;
}

/* What comes through a pipe is kept first, so that it can be sent again. */
static int open_stdin(struct parts *parts, struct error *error)
{
    int fd;
    if (open_temporary(&fd, error) < 0)
        return -1;
    add_part(parts, "the standard input", fd);
    return copy(STDIN_FILENO, fd) < 0 ? cannot_read("the standard input", error) : 0;
}

static int open_file(struct parts *parts, size_t *allure, const char *name, struct error *error)
{
    if (strcmp(name, "-") == 0)
        return open_stdin(parts, error);
    AUTO(fd_close) int fd = open(name, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return cannot_read(name, error);
    if (!S_ISREG(status.st_mode))
        return error_set(error, "usage", "%s is no file", name);
    if (text_ends(name, "-result.json"))
        return append(parts, allure, name, fd, error);
    add_part(parts, name, fd);
    fd = -1;
    return 0;
}

/* Not as one document: a case that two files tell of would be two cases then. */
static int check_count(const struct parts *parts, const struct cli_options *options,
                       struct error *error)
{
    if (parts->count <= (size_t)LIMIT_UPLOADS_PER_RUN)
        return 0;
    return usage_error(error, "of %d files only %lld can be uploaded to one run",
                       options->rest_count, (long long)LIMIT_UPLOADS_PER_RUN);
}

/* Before anything is sent: a file that is missing is found while it costs nothing. */
static int open_all(const struct cli_options *options, struct parts *parts, struct error *error)
{
    size_t allure = SIZE_MAX;
    for (int i = 0; i < options->rest_count; i++)
        if (open_file(parts, &allure, options->rest[i], error) < 0 ||
            check_count(parts, options, error) < 0)
            return -1;
    for (size_t i = 0; i < parts->count; i++) {
        struct stat status;
        if (fstat(parts->list[i].fd, &status) < 0)
            return cannot_read(parts->list[i].name, error);
        parts->list[i].bytes = status.st_size;
        if (status.st_size == 0)
            return error_set(error, "usage", "%s is empty", parts->list[i].name);
    }
    return 0;
}

static void tell(const struct cli *cli, const struct part *part, const json_t *answer)
{
    const json_t *upload = json_object_get(answer, "upload");
    long long cases = (long long)json_find_int(upload, "cases", 0),
              counted = (long long)json_find_int(upload, "counted", 0);
    if (cli->options.quiet)
        return;
    fprintf(stderr, "%s: %lld case%s", part->name, cases, cases == 1 ? "" : "s");
    if (counted < cases)
        fprintf(stderr, ", %lld of them told of before", cases - counted);
    fprintf(stderr, "\n");
}

/* The word that it is complete comes with the last file. */
static int send_all(struct cli *cli, const char *run, const struct parts *parts, bool completes,
                    json_t *answers, struct error *error)
{
    const char *format = cli->options.formats.count == 0 ? "auto" : cli->options.formats.list[0];
    AUTO(text_free) char *path = api_path("/v1/runs/%s/results", run);
    AUTO(text_free) char *escaped = api_escape(format);
    for (size_t i = 0; i < parts->count; i++) {
        AUTO(json_free) json_t *answer = NULL;
        bool is_last = i + 1 == parts->count;
        AUTO(text_free)
        char *url = xasprintf("%s?format=%s%s", path, escaped,
                              completes && is_last ? "&complete=true" : "");
        api_add_query(&url, "variant", cli->options.variant);
        if (api_post_file(cli, url, parts->list[i].fd, parts->list[i].bytes, &answer, error) < 0)
            return error_wrap(error, "%s", parts->list[i].name);
        tell(cli, &parts->list[i], answer);
        json_array_append(answers, answer);
    }
    if (!completes || parts->count > 0)
        return 0;
    AUTO(text_free) char *url = xasprintf("%s?complete=true", path);
    return api_post_repeatable(cli, url, NULL, NULL, error);
}

static int find_run(struct cli *cli, json_t **run_r, struct error *error)
{
    AUTO(text_free) char *path = api_path("/v1/runs/%s", cli->options.run);
    return api_call(cli, "GET", path, NULL, run_r, error);
}

/* 422: the key may be of a run of the other body, made when there was no such suite. */
static int trigger(struct cli *cli, json_t *body, json_t *otherwise, json_t **run_r,
                   struct error *error)
{
    int status = api_trigger(cli, "/v1/runs", body, run_r, error);
    bool is_unknown = status < 0 && (strcmp(error->field, "suite") == 0 || cli->last_status == 422);
    if (otherwise == NULL || !is_unknown)
        return status;
    json_object_set(body, "suite", otherwise);
    return api_trigger(cli, "/v1/runs", body, run_r, error);
}

static int make_run(struct cli *cli, json_t **run_r, struct error *error)
{
    AUTO(json_free) json_t *body = NULL, *otherwise = NULL;
    if (body_make_uploaded(cli, &body, &otherwise, error) < 0 ||
        trigger(cli, body, otherwise, run_r, error) < 0)
        return -1;
    run_print_url(cli, *run_r);
    return 0;
}

/* A run of our own to which not all could be uploaded is of no use to anybody, unless there is a key by which
 * it is found again. */
static void give_up(struct cli *cli, const json_t *run, const struct error *why)
{
    struct error ignored;
    AUTO(text_free) char *path = api_path("/v1/runs/%s/cancel", json_text_of(run, "id"));
    if (error_is(why, "unreachable") || error_is(why, "stopped"))
        return; /* it ends by its deadline */
    if (cli->options.idempotency_key != NULL) {
        fprintf(stderr, "verdict: the run is open: the same upload with this key completes it\n");
        return;
    }
    if (api_post_repeatable(cli, path, NULL, NULL, &ignored) == 0)
        fprintf(stderr, "verdict: the run is cancelled: not all could be uploaded\n");
}

int cmd_upload(struct cli *cli, struct error *error)
{
    const struct cli_options *options = &cli->options;
    AUTO(parts_deinit) struct parts parts = {.list = NULL};
    AUTO(json_free) json_t *run = NULL;
    bool completes = options->run == NULL || options->complete;
    if (options->rest_count == 0 && (options->run == NULL || !options->complete))
        return usage_error(error, "FILE is missing");
    if (options->formats.count > 1)
        return usage_error(error, "--format may be given once");
    if (ci_begin(cli, error) < 0 || open_all(options, &parts, error) < 0)
        return -1;
    if ((options->run == NULL ? make_run : find_run)(cli, &run, error) < 0)
        return -1;
    api_watch_signals();
    AUTO(text_free) char *id = member_text(run, "id");
    AUTO(json_free) json_t *answers = json_array();
    if (send_all(cli, id, &parts, completes, answers, error) < 0) {
        if (options->run == NULL)
            give_up(cli, run, error);
        return -1;
    }
    if (!completes && options->json)
        print_json(answers);
    if (!completes)
        return EXIT_PASSED;
    return options->no_wait ? run_print_new(cli, run) : run_wait_for_new(cli, run, error);
}
