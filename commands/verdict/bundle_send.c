/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_send.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "blob/blob.h"
#include "bundle/bundle.h"

#define KIB 1024.0

/* A directory of the worker, which ours is as well: what of its path lies below DIR. Caller frees; NULL: DIR itself. */
static int find_inside(const char *directory, const char *path, char **inside_r,
                       struct error *error)
{
    char top[PATH_MAX];
    if (realpath(directory, top) == NULL)
        return usage_error(error, "--bundle %s: %s", directory, strerror(errno));
    size_t length = strlen(top);
    *inside_r = NULL;
    if (strcmp(path, top) == 0)
        return 0;
    if (!text_starts(path, top) || path[length] != '/')
        return usage_error(error, "--bundle %s: the suite lies outside it, in %s", directory, path);
    *inside_r = xstrdup(path + length + 1);
    return 0;
}

int bundle_source(const struct cli_options *options, const json_t *source, json_t **source_r,
                  struct error *error)
{
    const char *kind = json_find_text(source, "kind"), *path = json_find_text(source, "path");
    AUTO(text_free) char *inside = path == NULL ? NULL : xstrdup(path);
    if (path != NULL && kind != NULL && strcmp(kind, "path") == 0) {
        text_free(&inside);
        if (find_inside(options->bundle, path, &inside, error) < 0)
            return -1;
    }
    *source_r = json_pack("{s:s, s:s*}", "kind", "bundle", "path", inside);
    return *source_r == NULL ? usage_error(error, "the path of the suite is not UTF-8") : 0;
}

static int pack(const char *directory, int fd, struct bundle_facts *facts_r, struct error *error)
{
    if (bundle_pack(directory, fd, facts_r, error) == 0)
        return 0;
    bool is_too_large = error_is(error, "too_large");
    struct error why = *error;
    return usage_error(error, "--bundle %s: %s%s", directory, why.text,
                       is_too_large ? " (what tests do not need may stand in .verdictignore)" : "");
}

static void say(const struct cli *cli, const struct bundle_facts *facts, int64_t bytes,
                bool is_sent)
{
    if (facts->left_out > 0)
        fprintf(stderr, "verdict: left out of the bundle: %lld that are no files\n",
                (long long)facts->left_out);
    if (!cli->options.quiet)
        fprintf(stderr, "bundle  %lld entries, %.1f KiB %s\n", (long long)facts->entries,
                (double)bytes / KIB, is_sent ? "sent" : "were there already");
}

/* What is there stays long enough for the trigger. */
static int send(struct cli *cli, const char *project, const char *name, int fd, int64_t bytes,
                bool *is_sent_r, struct error *error)
{
    AUTO(text_free) char *escaped = project == NULL ? NULL : api_escape(project);
    AUTO(text_free)
    char *path = xasprintf("/v1/bundles/%s%s%s", name,
                           escaped == NULL ? "" : "?project=", escaped == NULL ? "" : escaped);
    *is_sent_r = false;
    if (api_call(cli, "GET", path, NULL, NULL, error) == 0)
        return 0;
    *is_sent_r = true;
    return error_is(error, "not_found") ? api_upload(cli, path, fd, bytes, error) : -1;
}

int bundle_send(struct cli *cli, const char *project, json_t *suite, struct error *error)
{
    const char *directory = cli->options.bundle;
    AUTO(json_free) json_t *source = NULL;
    AUTO(fd_close) int fd = -1;
    struct bundle_facts facts;
    char name[BLOB_NAME_SIZE];
    int64_t bytes;
    bool is_sent;
    if (bundle_source(&cli->options, json_object_get(suite, "source"), &source, error) < 0 ||
        blob_temporary(&fd, error) < 0 || pack(directory, fd, &facts, error) < 0 ||
        blob_name_of(fd, name, &bytes, error) < 0 ||
        send(cli, project, name, fd, bytes, &is_sent, error) < 0)
        return -1;
    say(cli, &facts, bytes, is_sent);
    json_object_set_new(source, "bundle", json_string(name));
    json_object_set(suite, "source", source);
    return 0;
}
