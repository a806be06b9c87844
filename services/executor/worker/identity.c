/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment over HTTP, and two small files: worker.json (0600) and incarnation. */
#include "worker/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "http/client.h"

#define IDENTITY_FILE    "worker.json"
#define INCARNATION_FILE "incarnation"
#define FILE_BYTES_MAX   8192
#define ENROL_TIMEOUT_MS 5000 /* the loop waits for it */
#define ANSWER_BYTES_MAX (64 * 1024)

static int read_small(int directory_fd, const char *name, char text[FILE_BYTES_MAX])
{
    AUTO(fd_close) int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, FILE_BYTES_MAX - 1);
    text[length < 0 ? 0 : length] = '\0';
    return length < 0 ? -1 : 0;
}

/* Whole or not at all, also over a power cut. */
static int write_small(int directory_fd, const char *name, const char *text, struct error *error)
{
    AUTO(text_free) char *fresh = xasprintf("%s.new", name);
    AUTO(fd_close)
    int fd = openat(directory_fd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t length = strlen(text);
    if (fd < 0 || write(fd, text, length) != (ssize_t)length || fsync(fd) < 0 ||
        renameat(directory_fd, fresh, directory_fd, name) < 0 || fsync(directory_fd) < 0)
        return error_set(error, "unavailable", "cannot write %s in the spool: %s", name,
                         strerror(errno));
    return 0;
}

/* What the saved identity belongs to: another server, token or name is another worker. */
static void fingerprint(const struct enrolment *enrolment, char hex[65])
{
    AUTO(text_free)
    char *text =
        xasprintf("%s\n%s\n%s", enrolment->api_url, enrolment->join_token, enrolment->name);
    uint8_t hash[32];
    crypto_generichash(hash, sizeof hash, (const uint8_t *)text, strlen(text), NULL, 0);
    sodium_bin2hex(hex, 65, hash, sizeof hash);
}

static int take_text(const json_t *json, const char *name, char *out, size_t size,
                     struct error *error)
{
    const char *text = json_find_text(json, name);
    if (text == NULL || strlen(text) >= size)
        return error_set(error, "invalid", "enrolment: %s is missing in the answer", name);
    snprintf(out, size, "%s", text);
    return 0;
}

static int take_identity(const json_t *json, struct identity *identity, struct error *error)
{
    const json_t *topics = json_object_get(json, "topics");
    char key[2 * MAC_KEY_BYTES + 1];
    size_t length;
    if (take_text(json, "worker_id", identity->worker_id.text, sizeof identity->worker_id.text,
                  error) < 0 ||
        take_text(json, "pool_id", identity->pool_id.text, sizeof identity->pool_id.text, error) <
            0 ||
        take_text(json, "key", key, sizeof key, error) < 0 ||
        take_text(topics, "lanes", identity->lanes_topic, sizeof identity->lanes_topic, error) <
            0 ||
        take_text(topics, "scheduling", identity->scheduling_topic,
                  sizeof identity->scheduling_topic, error) < 0 ||
        take_text(topics, "results", identity->results_topic, sizeof identity->results_topic,
                  error) < 0)
        return -1;
    if (sodium_hex2bin(identity->key, sizeof identity->key, key, strlen(key), NULL, &length,
                       NULL) != 0 ||
        length != sizeof identity->key)
        return error_set(error, "invalid", "enrolment: key must be %d hex digits",
                         2 * MAC_KEY_BYTES);
    identity->lane = (int)json_find_int(json, "lane", 0);
    identity->incarnation = json_find_int(json, "incarnation", 0);
    identity->scheduling_partition = (int)json_find_int(json, "scheduling_partition", 0);
    return 0;
}

static int load_saved(const struct enrolment *enrolment, struct identity *identity)
{
    char text[FILE_BYTES_MAX], hex[65];
    AUTO(json_free) json_t *json = NULL;
    struct error ignored;
    if (read_small(enrolment->directory_fd, IDENTITY_FILE, text) < 0 ||
        json_parse(text, strlen(text), &json, &ignored) < 0)
        return -1;
    fingerprint(enrolment, hex);
    const char *saved = json_find_text(json, "fingerprint");
    if (saved == NULL || strcmp(saved, hex) != 0)
        return -1;
    return take_identity(json, identity, &ignored);
}

/* What the problem document says to people, or else the body as it came. */
static int refused(const struct http_answer *answer, struct error *error)
{
    AUTO(json_free) json_t *problem = NULL;
    struct error ignored;
    const char *text = NULL;
    if (json_parse(answer->body, answer->length, &problem, &ignored) == 0)
        text = json_find_text(problem, "message");
    return error_set(error, answer->status == 403 ? ENROLMENT_FORBIDDEN : "unavailable",
                     "enrolment was refused (%ld): %.300s", answer->status,
                     text == NULL ? answer->body : text);
}

static int ask(const struct enrolment *enrolment, json_t **answer_r, struct error *error)
{
    struct http_client *client = http_client_new();
    AUTO(text_free) char *url = xasprintf("%s/v1/workers/enrol", enrolment->api_url);
    AUTO(text_free)
    char *authorization = xasprintf("Authorization: Bearer %s", enrolment->join_token);
    AUTO(json_free) json_t *labels = json_loads(enrolment->labels, 0, NULL);
    AUTO(json_free)
    json_t *body = json_pack("{s:s, s:O, s:I}", "name", enrolment->name, "labels", labels, "slots",
                             (json_int_t)enrolment->slots);
    AUTO(text_free) char *text = json_text(body);
    const char *const headers[] = {authorization, "Content-Type: application/json", NULL};
    const struct http_request request = {.method = "POST",
                                         .url = url,
                                         .headers = headers,
                                         .body = text,
                                         .body_length = strlen(text),
                                         .timeout_ms = ENROL_TIMEOUT_MS,
                                         .answer_max = ANSWER_BYTES_MAX};
    struct http_answer answer = {.status = 0};
    int status = http_send(client, &request, &answer, error);
    http_client_free(&client);
    if (status < 0)
        return -1;
    if (answer.status != 200 && answer.status != 201)
        status = refused(&answer, error);
    else
        status = json_parse(answer.body, answer.length, answer_r, error);
    http_answer_deinit(&answer);
    return status;
}

static int enrol(const struct enrolment *enrolment, struct identity *identity, struct error *error)
{
    AUTO(json_free) json_t *answer = NULL;
    char hex[65];
    if (ask(enrolment, &answer, error) < 0 || take_identity(answer, identity, error) < 0)
        return -1;
    fingerprint(enrolment, hex);
    json_object_set_new(answer, "fingerprint", json_string(hex));
    AUTO(text_free) char *text = json_text(answer);
    return write_small(enrolment->directory_fd, IDENTITY_FILE, text, error);
}

/* Above what this directory has counted, and above what the server has heard of (a spool that was lost
 * begins anew, its worker does not). */
static int count_start(int directory_fd, int64_t *incarnation_r, struct error *error)
{
    char text[FILE_BYTES_MAX];
    int64_t last =
        read_small(directory_fd, INCARNATION_FILE, text) < 0 ? 0 : strtoll(text, NULL, 10);
    last = last > *incarnation_r ? last : *incarnation_r;
    AUTO(text_free) char *next = xasprintf("%lld\n", (long long)last + 1);
    if (write_small(directory_fd, INCARNATION_FILE, next, error) < 0)
        return -1;
    *incarnation_r = last + 1;
    return 0;
}

int identity_renew(const struct enrolment *enrolment, struct identity *identity,
                   struct error *error)
{
    struct identity fresh = *identity;
    if (enrol(enrolment, &fresh, error) < 0)
        return -1;
    fresh.incarnation = identity->incarnation;
    *identity = fresh;
    return 0;
}

int identity_open(const struct enrolment *enrolment, struct identity *identity_r,
                  struct error *error)
{
    struct identity identity = {.lane = 0};
    bool has_counted = faccessat(enrolment->directory_fd, INCARNATION_FILE, R_OK, 0) == 0;
    if ((!has_counted || load_saved(enrolment, &identity) < 0) &&
        enrol(enrolment, &identity, error) < 0)
        return -1;
    if (count_start(enrolment->directory_fd, &identity.incarnation, error) < 0)
        return -1;
    *identity_r = identity;
    return 0;
}
