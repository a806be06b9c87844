/* SPDX-License-Identifier: Apache-2.0 */
/* The service as a whole: what its handlers share. */
#pragma once

#include <stdint.h>

#include "auth/seal.h"
#include "base/backoff.h"
#include "bus/bus.h"
#include "http/server.h"
#include "ledger/outbox.h"
#include "service/service.h"

struct auth;
struct blob_store;
struct blob_sweeper;
struct batcher;
struct cache;
struct flights;
struct numbers;
struct installation;
struct lanes;
struct limits;
struct live;
struct log_follow;
struct retention;
struct uploader;

struct ingest_settings {
    struct listen_address listen;
    char *public_url;
    char *key_file;
    char *redis_url;
    char *blob_url, *blob_region, *blob_key_id, *blob_secret;
    int64_t http_threads, workers, connections;
    int64_t requests_per_second, address_requests_per_second, request_timeout_ms;
};
extern const struct settings_table ingest_settings;

struct ingest {
    struct service *service;
    const struct ingest_settings *settings;
    const struct common_settings *common;
    struct bus_settings bus;
    struct store_settings store;
    uint8_t key[SEAL_KEY_BYTES]; /* of the key file: seals webhook secrets, signs links */
    struct auth *auth;
    struct limits *limits; /* on how often somebody asks */
    struct installation *installation;
    struct lanes *lanes;
    struct batcher *batcher;       /* of triggers */
    struct cache *cache;           /* runs in Redis */
    struct flights *flights;       /* runs that are being read */
    struct numbers *numbers;       /* which runs they name */
    struct live *live;             /* long polls and event streams */
    struct blob_store *blobs;      /* artifacts and other files */
    struct blob_sweeper *sweeper;  /* of those that nothing names any more */
    struct outbox *outbox;         /* served by the service's loop */
    struct log_follow *log_follow; /* streams of logs */
    struct uploader *uploader;     /* of results from elsewhere */
    struct http_server *http;
    struct retention *retention;
    struct store *loop_store; /* the loop's own connection; NULL: not connected */
    struct backoff loop_reconnect;
};

int ingest_open(struct service *service, void **context_r, struct error *error) WARN_UNUSED;
void ingest_close(void *context);

extern const struct readiness ingest_readiness[];
extern const size_t ingest_readiness_count;
extern const struct stop_step ingest_stop[];
extern const size_t ingest_stop_count;

/* An id below the public URL: "https://verdict.example.com" + path. Caller frees. */
char *ingest_url(const struct ingest *ingest, const char *path);
