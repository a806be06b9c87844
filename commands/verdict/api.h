/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the API, and what its errors say to people. */
#pragma once

#include <signal.h>

#include "cli.h"

/* Set by SIGINT and SIGTERM while somebody waits: calls end with "stopped". */
extern volatile sig_atomic_t api_interrupted;

/* Whoever waits or writes a file lets SIGINT and SIGTERM end calls; the second one ends us. */
void api_watch_signals(void);

/* One call; *answer_r (may be NULL) is a new reference. Errors: "unreachable" (also: not able to answer now),
 * "usage", "refused" and "not_found" (with the server's own words, and the first field that it names), "wait_over" (see cli.deadline_ms).
 * Everything but POST is repeated while the server is away. */
int api_call(struct cli *cli, const char *method, const char *path, const json_t *body,
             json_t **answer_r, struct error *error) WARN_UNUSED;

/* A POST that may arrive twice, and so is repeated as well. */
int api_post_repeatable(struct cli *cli, const char *path, const json_t *body, json_t **answer_r,
                        struct error *error) WARN_UNUSED;

/* A POST that makes a run, with an Idempotency-Key, so that it may be repeated. */
int api_trigger(struct cli *cli, const char *path, const json_t *body, json_t **answer_r,
                struct error *error) WARN_UNUSED;

/* A file, from its start on, by PUT. */
int api_upload(struct cli *cli, const char *path, int fd, int64_t bytes,
               struct error *error) WARN_UNUSED;

/* The same by a POST that may arrive twice; the answer waits until what is in the file is recorded. */
int api_post_file(struct cli *cli, const char *path, int fd, int64_t bytes, json_t **answer_r,
                  struct error *error) WARN_UNUSED;

/* What is not JSON, straight into a file. */
int api_download(struct cli *cli, const char *path, const char *accept, FILE *out,
                 struct error *error) WARN_UNUSED;

/* One connection that stays open for server-sent events, from behind the one with this id on (-1: from the
 * start). Nothing is repeated, and it ends at the command's deadline. */
struct api_stream {
    int64_t last_id;
    int (*on_data)(void *context, const char *bytes, size_t length); /* non-zero ends it */
    int (*on_tick)(void *context); /* about once a second; non-zero ends it */
    void *context;
};
/* 0: the server ended it. Errors: "stopped" (by the handlers or a signal), else as those of api_call. The
 * handlers may make other calls. */
int api_stream(struct cli *cli, const char *path, const struct api_stream *stream,
               struct error *error) WARN_UNUSED;

/* All pages of a list, or as many as give `most` items (0: all). New reference of an array. */
int api_list(struct cli *cli, const char *path, size_t most, json_t **items_r,
             struct error *error) WARN_UNUSED;

/* "/v1/runs/%s/why" with each argument escaped. Caller frees. */
char *api_path(const char *format, const char *argument);
char *api_escape(const char *text); /* for a path or a query. Caller frees. */
void api_add_query(char **path, const char *name, const char *value); /* value NULL: nothing */
char *api_absolute(const struct cli *cli,
                   const char *path); /* with the server before it. Caller frees. */
