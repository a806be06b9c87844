/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/artifacts.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/report_files.h"
#include "auth/link.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "http/client.h"
#include "model/limits.h"

#define SEND_MS      120000 /* for all of them: the slot waits for it */
#define TRIES        3      /* while the API is away */
#define PAUSE_MS     1000
#define TOKEN_S      3600
#define ANSWER_BYTES 65536
#define WORDS_MAX    20
#define ELSEWHERE    "reports" /* reports that do not lie below the working directory */

struct artifact {
    char *path, *name;
    bool is_report;
};

struct artifacts {
    char *directory;
    struct report_files **searches; /* the first is that of the reports, where there are any */
    size_t search_count;
    bool has_reports;
    struct artifact *files;
    size_t file_count, capacity;
    struct texts words;
    size_t unsaid; /* words beyond WORDS_MAX */
    /* Of the sending: */
    const char *api_url;
    struct loop *loop;
    void (*on_done)(void *context);
    void *context;
    char *authorization;
    struct uuid dispatch_id;
    pthread_t thread;
    bool is_sending;
    int event_fd;
    volatile sig_atomic_t stop;
    int64_t deadline_ms, sent_bytes;
};

static void say(struct artifacts *artifacts, const char *name, const char *why)
{
    AUTO(text_free)
    char *text = xasprintf("not kept: %.200s%s%.300s", name, name[0] == '\0' ? "" : ": ", why);
    if (artifacts->words.count < WORDS_MAX)
        texts_add(&artifacts->words, text);
    else
        artifacts->unsaid++;
}

/* ---- finding ---------------------------------------------------------------------------------- */

struct artifacts *artifacts_new(const struct artifacts_place *place)
{
    struct artifacts *artifacts = xcalloc(1, sizeof *artifacts);
    artifacts->directory = xstrdup(place->directory);
    artifacts->event_fd = -1;
    artifacts->has_reports = place->report_pattern != NULL;
    artifacts->searches = xcalloc(place->patterns->count + 1, sizeof(struct report_files *));
    if (artifacts->has_reports)
        artifacts->searches[artifacts->search_count++] =
            report_files_new(place->report_directory, place->report_pattern);
    for (size_t i = 0; i < place->patterns->count; i++)
        artifacts->searches[artifacts->search_count++] =
            report_files_new(place->directory, place->patterns->list[i]);
    return artifacts;
}

static char *without_doubled_slashes(const char *path)
{
    char *plain = xcalloc(1, strlen(path) + 1), *out = plain;
    for (const char *c = path; *c != '\0'; c++)
        if (*c != '/' || (out > plain && out[-1] != '/'))
            *out++ = *c;
    return plain;
}

/* What people call it: by the working directory, whatever that is on this machine. */
static char *name_of(const struct artifacts *artifacts, const char *path)
{
    size_t length = strlen(artifacts->directory);
    const char *slash = strrchr(path, '/');
    if (strncmp(path, artifacts->directory, length) == 0 && path[length] == '/')
        return without_doubled_slashes(path + length);
    return xasprintf(ELSEWHERE "/%s", slash == NULL ? path : slash + 1);
}

static bool is_known(const struct artifacts *artifacts, const char *name)
{
    for (size_t i = 0; i < artifacts->file_count; i++)
        if (strcmp(artifacts->files[i].name, name) == 0)
            return true;
    return false;
}

static void find(struct artifacts *artifacts, struct report_files *search, bool is_report)
{
    struct error why;
    const char *path;
    int status;
    while ((status = report_files_next(search, &path, &why)) < 0 || path != NULL) {
        if (status < 0) {
            say(artifacts, "", why.text);
            continue;
        }
        AUTO(text_free) char *name = name_of(artifacts, path);
        if (is_known(artifacts, name))
            continue;
        if (artifacts->file_count >= (size_t)LIMIT_ARTIFACTS_PER_TASK) {
            say(artifacts, "", "a task may keep 1000 files, and there are more");
            return;
        }
        artifacts->files = array_reserve(artifacts->files, &artifacts->capacity,
                                         artifacts->file_count, sizeof *artifacts->files);
        artifacts->files[artifacts->file_count++] =
            (struct artifact){.path = xstrdup(path), .name = TAKE(name), .is_report = is_report};
    }
}

/* ---- sending ---------------------------------------------------------------------------------- */

static int open_file(const struct artifact *file, int64_t *bytes_r, struct error *error)
{
    AUTO(fd_close) int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;
    if (fd < 0 && errno == ELOOP)
        return error_set(error, "invalid", "it is a link");
    if (fd < 0 || fstat(fd, &status) < 0)
        return error_set(error, "unavailable", "%s", strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(error, "invalid", "it is no file any more");
    if (status.st_size > LIMIT_ARTIFACT_BYTES)
        return error_set(error, "too_large", "it has more than %lld bytes",
                         (long long)LIMIT_ARTIFACT_BYTES);
    *bytes_r = status.st_size;
    int opened = fd;
    fd = -1;
    return opened;
}

static int judge(const struct http_answer *answer, struct error *error)
{
    AUTO(json_free) json_t *problem = NULL;
    struct error ignored;
    if (answer->status < 300)
        return 0;
    const char *text = json_parse(answer->body, answer->length, &problem, &ignored) == 0
                           ? json_find_text(problem, "message")
                           : NULL;
    const char *code = answer->status == 503   ? "unreachable"
                       : answer->status == 400 ? "invalid"
                       : answer->status == 413 ? "too_large"
                                               : "refused";
    return error_set(error, code, "%s (%ld)", text == NULL ? "refused" : text, answer->status);
}

static int put(struct artifacts *artifacts, struct http_client *client, const struct artifact *file,
               int fd, int64_t bytes, struct error *error)
{
    char *escaped = curl_easy_escape(NULL, file->name, 0);
    AUTO(text_free)
    char *url = xasprintf("%s/v1/dispatches/%s/artifacts?path=%s%s", artifacts->api_url,
                          artifacts->dispatch_id.text, escaped == NULL ? "" : escaped,
                          file->is_report ? "&kind=report" : "");
    const char *const headers[] = {artifacts->authorization,
                                   "Content-Type: application/octet-stream", NULL};
    const int64_t left_ms = artifacts->deadline_ms - monotonic_ms();
    const struct http_request request = {.method = "PUT",
                                         .url = url,
                                         .headers = headers,
                                         .body_fd = &fd,
                                         .body_length = (size_t)bytes,
                                         .timeout_ms = left_ms > 1 ? left_ms : 1,
                                         .answer_max = ANSWER_BYTES,
                                         .stop = &artifacts->stop};
    struct http_answer answer = {.status = 0};
    curl_free(escaped);
    if (http_send(client, &request, &answer, error) < 0)
        return artifacts->stop ? error_set(error, "stopped", "the task was ended") : -1;
    int status = judge(&answer, error);
    http_answer_deinit(&answer);
    return status;
}

/* Of what is refused another file may still be kept; what is not reachable, or full, is so for all. */
static bool is_for_all(const struct error *error)
{
    return error_is(error, "unreachable") || error_is(error, "refused") ||
           error_is(error, "stopped");
}

static int send_one(struct artifacts *artifacts, struct http_client *client,
                    const struct artifact *file, struct error *error)
{
    int64_t bytes = 0;
    AUTO(fd_close) int fd = open_file(file, &bytes, error);
    if (fd < 0)
        return -1;
    if (artifacts->sent_bytes + bytes > LIMIT_ARTIFACTS_TASK_BYTES)
        return error_set(error, "too_large", "a task may keep %lld bytes",
                         (long long)LIMIT_ARTIFACTS_TASK_BYTES);
    int status = put(artifacts, client, file, fd, bytes, error);
    for (int try = 1; status < 0 && try < TRIES && error_is(error, "unreachable") &&
                      !artifacts->stop && monotonic_ms() < artifacts->deadline_ms;
         try++) {
        poll(NULL, 0, PAUSE_MS);
        status = put(artifacts, client, file, fd, bytes, error);
    }
    artifacts->sent_bytes += status == 0 ? bytes : 0;
    return status;
}

static void *send_all(void *context)
{
    struct artifacts *artifacts = context;
    struct http_client *client = http_client_new();
    const uint64_t one = 1;
    for (size_t i = 0; i < artifacts->file_count; i++) {
        struct error error;
        if (send_one(artifacts, client, &artifacts->files[i], &error) == 0)
            continue;
        say(artifacts, artifacts->files[i].name, error.text);
        if (!is_for_all(&error))
            continue;
        if (i + 1 < artifacts->file_count)
            say(artifacts, "", "nor are the files behind it");
        break;
    }
    http_client_free(&client);
    (void)!write(artifacts->event_fd, &one, sizeof one);
    return NULL;
}

static void end_sending(struct artifacts *artifacts)
{
    pthread_join(artifacts->thread, NULL);
    artifacts->is_sending = false;
    loop_remove_fd(artifacts->loop, artifacts->event_fd);
    fd_close(&artifacts->event_fd);
}

static void on_sent(void *context)
{
    struct artifacts *artifacts = context;
    end_sending(artifacts);
    if (artifacts->unsaid > 0) {
        AUTO(text_free) char *text = xasprintf("not kept: %zu more", artifacts->unsaid);
        texts_add(&artifacts->words, text);
    }
    artifacts->on_done(artifacts->context);
}

bool artifacts_send(struct artifacts *artifacts, const struct artifacts_target *target)
{
    char token[LINK_TEXT_SIZE];
    for (size_t i = 0; i < artifacts->search_count; i++)
        find(artifacts, artifacts->searches[i], i == 0 && artifacts->has_reports);
    if (artifacts->file_count == 0)
        return false;
    link_make(target->worker_key, &target->dispatch_id, wall_ms() / 1000 + TOKEN_S, token);
    artifacts->authorization = xasprintf("Authorization: Bearer %s", token);
    artifacts->api_url = target->api_url;
    artifacts->dispatch_id = target->dispatch_id;
    artifacts->loop = target->loop;
    artifacts->on_done = target->on_done;
    artifacts->context = target->context;
    artifacts->deadline_ms = monotonic_ms() + SEND_MS;
    artifacts->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (artifacts->event_fd < 0 ||
        pthread_create(&artifacts->thread, NULL, send_all, artifacts) != 0) {
        fd_close(&artifacts->event_fd);
        say(artifacts, "", "this worker has no thread or descriptor for it");
        return false;
    }
    artifacts->is_sending = true;
    loop_add_fd(artifacts->loop, artifacts->event_fd, POLLIN, on_sent, artifacts);
    return true;
}

void artifacts_stop(struct artifacts *artifacts)
{
    artifacts->stop = 1;
}

const struct texts *artifacts_words(const struct artifacts *artifacts)
{
    return &artifacts->words;
}

void artifacts_free(struct artifacts **artifacts_p)
{
    struct artifacts *artifacts = *artifacts_p;
    if (artifacts == NULL)
        return;
    artifacts_stop(artifacts);
    if (artifacts->is_sending)
        end_sending(artifacts);
    for (size_t i = 0; i < artifacts->search_count; i++)
        report_files_free(&artifacts->searches[i]);
    for (size_t i = 0; i < artifacts->file_count; i++) {
        free(artifacts->files[i].path);
        free(artifacts->files[i].name);
    }
    free(artifacts->searches);
    free(artifacts->files);
    free(artifacts->directory);
    free(artifacts->authorization);
    texts_deinit(&artifacts->words);
    memory_free(artifacts_p);
}
