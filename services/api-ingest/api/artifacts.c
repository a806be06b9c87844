/* SPDX-License-Identifier: Apache-2.0 */
#include "api/artifacts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/checks.h"
#include "api/run_lookup.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "db/artifact.h"
#include "dispatch_token.h"
#include "http/page.h"
#include "http/response.h"
#include "ingest.h"
#include "model/limits.h"
#include "model/suite.h"
#include "report/coverage.h"

#define PIECE_BYTES 65536

/* ---- kept by workers -------------------------------------------------------------------------------- */

static int check_path(const char *path, struct error *error)
{
    size_t length = path == NULL ? 0 : strlen(path);
    if (length == 0 || length > (size_t)LIMIT_CASE_NAME_BYTES)
        return error_field(error, "path", "path must have 1 to %lld bytes",
                           (long long)LIMIT_CASE_NAME_BYTES);
    for (const char *c = path; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == '\x7f' || *c == '\\')
            return error_field(error, "path", "path holds what no file's name should");
    if (!path_stays_inside(path))
        return error_field(error, "path", "path must be relative, without ..");
    return 0;
}

int artifacts_admit(struct request *request, struct response *response, struct error *error)
{
    struct open_dispatch dispatch;
    struct store *store;
    (void)response;
    if (request_store(request, &store, error) < 0 ||
        dispatch_of_token(request, store, &dispatch, error) < 0)
        return -1;
    if (!blob_store_exists(request_ingest(request)->blobs))
        return error_set(error, "conflict", "this installation keeps no files");
    if (dispatch.files >= LIMIT_ARTIFACTS_PER_TASK)
        return error_set(error, "too_large", "a task may keep %lld files",
                         (long long)LIMIT_ARTIFACTS_PER_TASK);
    if (dispatch.bytes >= LIMIT_ARTIFACTS_TASK_BYTES)
        return error_set(error, "too_large", "a task may keep %lld bytes",
                         (long long)LIMIT_ARTIFACTS_TASK_BYTES);
    const char *kind = request_query(request, "kind");
    if (kind != NULL && strcmp(kind, "file") != 0 && strcmp(kind, "report") != 0)
        return error_field(error, "kind", "kind must be file or report");
    return check_path(request_query(request, "path"), error);
}

static struct coverage read_coverage(int fd)
{
    struct coverage_reader *reader = coverage_open();
    struct coverage coverage;
    char piece[PIECE_BYTES];
    off_t offset = 0;
    ssize_t length;
    while (!coverage_is_other(reader) && (length = pread(fd, piece, sizeof piece, offset)) > 0) {
        coverage_feed(reader, piece, (size_t)length);
        offset += length;
    }
    coverage = coverage_finish(reader);
    coverage_free(&reader);
    return coverage;
}

int artifacts_put(struct request *request, struct response *response, struct error *error)
{
    const char *kind = request_query(request, "kind");
    struct blob_store *blobs = request_ingest(request)->blobs;
    struct open_dispatch dispatch;
    struct store *store;
    struct uuid id = {""};
    char name[BLOB_NAME_SIZE];
    int64_t bytes;
    int fd = request_file(request, &bytes, name);
    struct coverage coverage = read_coverage(fd);
    const struct artifact_row row = {.dispatch = &dispatch,
                                     .path = request_query(request, "path"),
                                     .blob = name,
                                     .is_report = kind != NULL && strcmp(kind, "report") == 0,
                                     .bytes = bytes,
                                     .lines_covered = coverage.lines_covered,
                                     .lines_total = coverage.is_one ? coverage.lines_total : -1};
    if (request_store(request, &store, error) < 0 || blob_db_claim(store, name, bytes, error) < 0 ||
        blob_put(blobs, name, fd, bytes, error) < 0)
        return -1;
    /* It may have ended meanwhile, and its run may be gone. */
    if (dispatch_of_token(request, store, &dispatch, error) < 0 ||
        artifact_db_save(store, &row, &id, error) < 0)
        return -1;
    response_json(response, 201,
                  json_pack("{s:s, s:s, s:I, s:s}", "id", id.text, "path", row.path, "bytes",
                            (json_int_t)bytes, "sha256", name));
    response_headerf(response, "Location", "/v1/runs/%s/artifacts/%s", dispatch.run_id.text,
                     id.text);
    return 0;
}

/* ---- for people ------------------------------------------------------------------------------------- */

int artifacts_list(struct request *request, struct response *response, struct error *error)
{
    AUTO(json_free) json_t *coverage = NULL;
    struct store *store;
    struct run_ref run;
    struct page page;
    json_t *items;
    if (page_read(request, &page, error) < 0 || request_store(request, &store, error) < 0 ||
        run_lookup(request, store, &run, error) < 0 ||
        artifact_db_coverage(store, &run.id, &coverage, error) < 0 ||
        artifact_db_list(store, &run.id, &page, &items, error) < 0)
        return -1;
    page_answer_with(response, &page, items, "coverage",
                     coverage == NULL ? json_null() : TAKE(coverage));
    return 0;
}

/* RFC 5987: whatever the name holds, the header is one of plain characters. */
static char *disposition_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    AUTO(text_free) char *encoded = xcalloc(3, strlen(name) + 1);
    char *out = encoded;
    for (const char *c = name; *c != '\0'; c++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~", *c))
            *out++ = *c;
        else
            out += sprintf(out, "%%%02X", (unsigned char)*c);
    return xasprintf("attachment; filename*=UTF-8''%s", encoded);
}

/* Whatever is in it, a browser saves it and runs nothing of it. */
int artifacts_get(struct request *request, struct response *response, struct error *error)
{
    const char *name = request_param(request, "artifact");
    AUTO(json_free) json_t *artifact = NULL;
    struct store *store;
    struct run_ref run;
    struct uuid id;
    int fd;
    if (uuid_parse(name, &id, NULL) < 0)
        return no_such("artifact", name, error);
    if (request_store(request, &store, error) < 0 || run_lookup(request, store, &run, error) < 0 ||
        artifact_db_get(store, &run.id, &id, &artifact, error) < 0)
        return -1;
    if (artifact == NULL)
        return no_such("artifact", name, error);
    const char *path = json_find_text(artifact, "path"), *blob = json_find_text(artifact, "sha256");
    if (blob_get(request_ingest(request)->blobs, blob, &fd, error) < 0)
        return -1;
    AUTO(text_free) char *disposition = disposition_of(path);
    response_file(response, "application/octet-stream", fd);
    response_header(response, "Content-Disposition", disposition);
    response_header(response, "Content-Security-Policy", "default-src 'none'; sandbox");
    response_etag(response, blob);
    return 0;
}
