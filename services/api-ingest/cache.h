/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in Redis, read through by api-ingest alone. A run that is not final lives at most CACHE_OPEN_MS,
 * counted from the read in Postgres; a final one CACHE_FINAL_MS, but not when it is about to be removed. Redis may
 * be slow, empty or gone at any time: then everything is answered from Postgres. Any thread but those that speak
 * HTTP. */
#pragma once

#include "runs/run_json.h"

struct cache;

#define CACHE_OPEN_MS  1000
#define CACHE_FINAL_MS 60000

/* "redis://[:password@]host[:port][/database]"; prefix tells installations apart. */
int cache_new(const char *url, const char *prefix, int64_t retention_ms, struct cache **cache_r,
              struct error *error) WARN_UNUSED;
void cache_free(struct cache **cache);

/* NULL: not there; the reference is the caller's. */
struct run_text *cache_get(struct cache *cache, const struct uuid *run_id);
/* read_ms: monotonic, when the read in Postgres began. Never replaces a higher revision, nor what was
 * forgotten since. */
void cache_put(struct cache *cache, const struct run_text *text, int64_t read_ms);
/* Something was changed, or told: for CACHE_OPEN_MS it is read from Postgres, unless it is final. */
void cache_forget(struct cache *cache, const struct uuid *run_id);
/* It is removed: not told of any more, nor taken from whoever read it before. Where Redis cannot be told, final runs
 * are not taken from it for CACHE_FINAL_MS; another process does not know of that. */
void cache_remove(struct cache *cache, const struct uuid *run_id);
