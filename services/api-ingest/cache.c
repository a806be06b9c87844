/* SPDX-License-Identifier: Apache-2.0 */
#include "cache.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "ingest_metrics.h"
#include "log/log.h"

#define CONNECT_MS 200
#define ANSWER_MS  50
#define IDLE_MAX   16 /* connections kept for the next */
#define KEY_SIZE   128

struct cache {
    char *host, *password;
    char database[12];
    int port;
    const char *prefix;
    int64_t retention_ms;
    pthread_mutex_t lock; /* of what follows */
    redisContext *idle[IDLE_MAX];
    int idle_count;
    struct backoff breaker; /* not due: Redis is left alone */
    bool was_told;          /* that it is away */
    int64_t doubt_until_ms; /* it may tell of a final run that was removed: monotonic */
};

/* KEYS: the run. ARGV: revision, version, final, project, body, time to live in ms. */
static const char put_script[] =
    "if redis.call('HEXISTS', KEYS[1], 'forgotten') == 1 then return 0 end "
    "local there = redis.call('HMGET', KEYS[1], 'revision', 'final') "
    "if there[1] and (tonumber(there[1]) > tonumber(ARGV[1]) or "
    "(there[2] == '1' and ARGV[3] == '0')) then return 0 end "
    "redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'version', ARGV[2], 'final', ARGV[3], "
    "'project', ARGV[4], 'body', ARGV[5]) "
    "redis.call('PEXPIRE', KEYS[1], ARGV[6]) return 1";

/* KEYS: the run. ARGV: time to live in ms. */
static const char forget_script[] =
    "if redis.call('HGET', KEYS[1], 'final') == '1' then return 0 end "
    "redis.call('DEL', KEYS[1]) redis.call('HSET', KEYS[1], 'forgotten', '1') "
    "redis.call('PEXPIRE', KEYS[1], ARGV[1]) return 1";

/* The same of what is final, too. */
static const char remove_script[] =
    "redis.call('DEL', KEYS[1]) redis.call('HSET', KEYS[1], 'forgotten', '1') "
    "redis.call('PEXPIRE', KEYS[1], ARGV[1]) return 1";
#define REMOVED_MS 60000

/* ---- the URL -------------------------------------------------------------------------------------- */

static int bad_url(struct error *error)
{
    return error_set(error, "invalid",
                     "VERDICT_REDIS_URL must be redis://[:password@]host[:port][/database]");
}

static int parse_url(struct cache *cache, const char *url, struct error *error)
{
    int64_t port = 6379, database = 0;
    if (!text_starts(url, "redis://"))
        return bad_url(error);
    const char *rest = url + strlen("redis://"), *at = strrchr(rest, '@');
    if (at != NULL) {
        const char *colon = memchr(rest, ':', (size_t)(at - rest));
        if (colon == NULL)
            return bad_url(error);
        cache->password = xstrndup(colon + 1, (size_t)(at - colon) - 1);
        rest = at + 1;
    }
    size_t length = strcspn(rest, ":/");
    cache->host = xstrndup(rest, length);
    rest += length;
    if (*rest == ':') {
        length = strcspn(rest + 1, "/");
        AUTO(text_free) char *text = xstrndup(rest + 1, length);
        if (int_parse(text, 1, 65535, &port, NULL) < 0)
            return bad_url(error);
        rest += 1 + length;
    }
    if (*rest == '/' && rest[1] != '\0' && int_parse(rest + 1, 0, 100000, &database, NULL) < 0)
        return bad_url(error);
    cache->port = (int)port;
    snprintf(cache->database, sizeof cache->database, "%d", (int)database);
    return cache->host[0] == '\0' ? bad_url(error) : 0;
}

int cache_new(const char *url, const char *prefix, int64_t retention_ms, struct cache **cache_r,
              struct error *error)
{
    AUTO(cache_free) struct cache *cache = xcalloc(1, sizeof *cache);
    pthread_mutex_init(&cache->lock, NULL);
    backoff_init(&cache->breaker, 200, 5000);
    cache->prefix = prefix;
    cache->retention_ms = retention_ms;
    if (parse_url(cache, url, error) < 0)
        return -1;
    *cache_r = TAKE(cache);
    return 0;
}

void cache_free(struct cache **cache_)
{
    struct cache *cache = TAKE(*cache_);
    if (cache == NULL)
        return;
    for (int i = 0; i < cache->idle_count; i++)
        redisFree(cache->idle[i]);
    pthread_mutex_destroy(&cache->lock);
    free(cache->host);
    free(cache->password);
    free(cache);
}

/* ---- connections ---------------------------------------------------------------------------------- */

static void on_failure(struct cache *cache, const char *why)
{
    pthread_mutex_lock(&cache->lock);
    bool is_news = !cache->was_told;
    cache->was_told = true;
    backoff_failed(&cache->breaker);
    while (cache->idle_count > 0)
        redisFree(cache->idle[--cache->idle_count]);
    pthread_mutex_unlock(&cache->lock);
    if (is_news)
        log_warning("redis is left alone for a while", LOG_TEXT("reason", why));
}

/* One command; the context is freed on failure, as hiredis wants it. NULL: no answer worth having. */
static redisReply *run(redisContext **context, int count, const char **words, const size_t *lengths)
{
    redisReply *reply = redisCommandArgv(*context, count, words, lengths);
    if (reply != NULL)
        return reply;
    redisFree(*context);
    *context = NULL;
    return NULL;
}

static bool is_done(redisContext **context, const char *name, const char *value)
{
    const char *words[] = {name, value};
    const size_t lengths[] = {strlen(name), strlen(value)};
    redisReply *reply = run(context, 2, words, lengths);
    bool done = reply != NULL && reply->type != REDIS_REPLY_ERROR;
    if (reply != NULL)
        freeReplyObject(reply);
    return done;
}

static redisContext *connect_redis(struct cache *cache)
{
    const struct timeval connect_time = {.tv_usec = CONNECT_MS * 1000},
                         answer_time = {.tv_usec = ANSWER_MS * 1000};
    redisContext *context = redisConnectWithTimeout(cache->host, cache->port, connect_time);
    if (context == NULL || context->err != 0 || redisSetTimeout(context, answer_time) != REDIS_OK ||
        (cache->password != NULL && !is_done(&context, "AUTH", cache->password)) ||
        (strcmp(cache->database, "0") != 0 && !is_done(&context, "SELECT", cache->database))) {
        on_failure(cache, context == NULL ? "no connection" : context->errstr);
        if (context != NULL)
            redisFree(context);
        return NULL;
    }
    return context;
}

static redisContext *take_connection(struct cache *cache)
{
    redisContext *context = NULL;
    pthread_mutex_lock(&cache->lock);
    bool is_due = backoff_is_due(&cache->breaker);
    if (is_due && cache->idle_count > 0)
        context = cache->idle[--cache->idle_count];
    pthread_mutex_unlock(&cache->lock);
    return is_due && context == NULL ? connect_redis(cache) : context;
}

static void give_back(struct cache *cache, redisContext *context)
{
    pthread_mutex_lock(&cache->lock);
    bool is_news = cache->was_told;
    cache->was_told = false;
    backoff_succeeded(&cache->breaker);
    bool is_kept = cache->idle_count < IDLE_MAX;
    if (is_kept)
        cache->idle[cache->idle_count++] = context;
    pthread_mutex_unlock(&cache->lock);
    if (!is_kept)
        redisFree(context);
    if (is_news)
        log_info("redis answers again");
}

/* NULL: Redis is away, or said no. */
static redisReply *ask(struct cache *cache, int count, const char **words, const size_t *lengths)
{
    redisContext *context = take_connection(cache);
    if (context == NULL)
        return NULL;
    redisReply *reply = run(&context, count, words, lengths);
    if (reply == NULL) {
        on_failure(cache, "no answer in time");
        return NULL;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        on_failure(cache, reply->str);
        freeReplyObject(reply);
        redisFree(context);
        return NULL;
    }
    give_back(cache, context);
    return reply;
}

/* ---- runs ----------------------------------------------------------------------------------------- */

static const char *make_key(const struct cache *cache, const struct uuid *run_id,
                            char key[KEY_SIZE])
{
    snprintf(key, KEY_SIZE, "%s:run:%s", cache->prefix, run_id->text);
    return key;
}

static void count(const char *outcome)
{
    metric_add_labelled(&ingest_metrics[METRIC_RUN_CACHE], 1, (const char *const[]){outcome});
}

static struct run_text *read_reply(const struct uuid *run_id, const redisReply *reply)
{
    struct uuid project_id;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 5)
        return NULL;
    for (size_t i = 0; i < reply->elements; i++)
        if (reply->element[i]->type != REDIS_REPLY_STRING)
            return NULL;
    if (uuid_parse(reply->element[3]->str, &project_id, NULL) < 0)
        return NULL;
    return run_text_from(run_id, &project_id, strtoll(reply->element[1]->str, NULL, 10),
                         strtoll(reply->element[0]->str, NULL, 10),
                         reply->element[2]->str[0] == '1', reply->element[4]->str,
                         reply->element[4]->len);
}

/* Redis was not told of a removal: what was put there before may outlive its run. */
static bool is_in_doubt(struct cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    bool is = monotonic_ms() < cache->doubt_until_ms;
    pthread_mutex_unlock(&cache->lock);
    return is;
}

static void doubt(struct cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    cache->doubt_until_ms = monotonic_ms() + CACHE_FINAL_MS + CACHE_OPEN_MS;
    pthread_mutex_unlock(&cache->lock);
}

struct run_text *cache_get(struct cache *cache, const struct uuid *run_id)
{
    char key[KEY_SIZE];
    const char *words[] = {
        "HMGET", make_key(cache, run_id, key), "revision", "version", "final", "project", "body"};
    size_t lengths[ARRAY_SIZE(words)];
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        lengths[i] = strlen(words[i]);
    redisReply *reply = ask(cache, (int)ARRAY_SIZE(words), words, lengths);
    if (reply == NULL) {
        count("away");
        return NULL;
    }
    struct run_text *text = read_reply(run_id, reply);
    freeReplyObject(reply);
    if (text != NULL && text->is_final && is_in_doubt(cache))
        run_text_unref(&text);
    count(text == NULL ? "miss" : "hit");
    return text;
}

/* One that is removed in Postgres must not be told of from here. */
static int64_t final_ms(const struct cache *cache, const struct uuid *run_id)
{
    int64_t age_ms = wall_ms() - uuid_v7_time_ms(run_id);
    return age_ms < cache->retention_ms - 2 * CACHE_FINAL_MS ? CACHE_FINAL_MS : CACHE_OPEN_MS;
}

void cache_put(struct cache *cache, const struct run_text *text, int64_t read_ms)
{
    char key[KEY_SIZE], revision[24], version[24], ttl[24];
    int64_t ttl_ms =
        text->is_final ? final_ms(cache, &text->id) : CACHE_OPEN_MS - (monotonic_ms() - read_ms);
    if (ttl_ms <= 0)
        return;
    snprintf(revision, sizeof revision, "%lld", (long long)text->revision);
    snprintf(version, sizeof version, "%lld", (long long)text->version);
    snprintf(ttl, sizeof ttl, "%lld", (long long)ttl_ms);
    const char *words[] = {"EVAL",
                           put_script,
                           "1",
                           make_key(cache, &text->id, key),
                           revision,
                           version,
                           text->is_final ? "1" : "0",
                           text->project_id.text,
                           text->body,
                           ttl};
    size_t lengths[ARRAY_SIZE(words)];
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        lengths[i] = strlen(words[i]);
    redisReply *reply = ask(cache, (int)ARRAY_SIZE(words), words, lengths);
    if (reply != NULL)
        freeReplyObject(reply);
}

/* False: Redis is away. */
static bool forget(struct cache *cache, const char *script, const struct uuid *run_id, int for_ms)
{
    char key[KEY_SIZE], ttl[24];
    snprintf(ttl, sizeof ttl, "%d", for_ms);
    const char *words[] = {"EVAL", script, "1", make_key(cache, run_id, key), ttl};
    size_t lengths[ARRAY_SIZE(words)];
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        lengths[i] = strlen(words[i]);
    redisReply *reply = ask(cache, (int)ARRAY_SIZE(words), words, lengths);
    if (reply == NULL)
        return false;
    freeReplyObject(reply);
    return true;
}

void cache_forget(struct cache *cache, const struct uuid *run_id)
{
    forget(cache, forget_script, run_id, CACHE_OPEN_MS);
}

void cache_remove(struct cache *cache, const struct uuid *run_id)
{
    if (!forget(cache, remove_script, run_id, REMOVED_MS))
        doubt(cache);
}
