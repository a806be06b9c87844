/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker has to tell, kept on disk until the scheduler says that it is settled: one append-only
 * file per dispatch, the first record saying what it belongs to, each further one an item of its stream
 * (record n is item n). Records carry length and checksum, so a torn tail is found and cut off. A full
 * disk loses nothing: items wait in memory until there is room. They stay in memory until they are durable:
 * after a failed flush the kernel takes what it did not write for clean, and the next flush would succeed
 * without it, so all of it is written anew. A file holds a descriptor only while it is
 * written or read, so as many dispatches as there are may wait to be settled. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct spool;      /* the directory */
struct spool_file; /* one dispatch */

int spool_open(const char *directory, struct spool **spool_r, struct error *error) WARN_UNUSED;
void spool_close(struct spool **spool);
int spool_directory_fd(const struct spool *spool);
bool spool_is_full(const struct spool *spool); /* some item waits for room, or a flush has failed */
/* Why it does, for people: "the spool's disk is full". */
const char *spool_why_full(const struct spool *spool);
int64_t spool_bytes(const struct spool *spool);

/* Calls once for each file that an earlier life left. The file is the callee's (spool_file_close or
 * spool_file_remove), the header is valid during the call; -1 ends the loading. */
typedef int spool_on_file(void *context, const char *name, const char *header,
                          struct spool_file *file, struct error *error);
/* A file whose content is damaged is put aside. One that cannot be opened or read now is an error: its
 * results are there, and are not to be given up. */
int spool_load(struct spool *spool, spool_on_file *on_file, void *context,
               struct error *error) WARN_UNUSED;

/* Puts files that have been aside for longer than this away for good. */
void spool_clean_aside(struct spool *spool, int64_t max_age_s);

struct spool_file *spool_file_create(struct spool *spool, const char *name, const char *header);
void spool_file_close(struct spool_file **file);
void spool_file_remove(struct spool_file **file);    /* settled */
void spool_file_put_aside(struct spool_file **file); /* nobody knows it: kept for a while */

/* Its number in the stream, from 1. */
int64_t spool_file_append(struct spool_file *file, const char *item);
bool spool_file_retry(
    struct spool_file *file); /* writes what waits for room; true when all is written */

int64_t spool_file_count(const struct spool_file *file); /* items appended */
int64_t spool_file_written(
    const struct spool_file *file);         /* of these on disk, perhaps not durable */
int spool_file_fd(struct spool_file *file); /* opens it; -1 while it cannot be; the file's own */
/* Gives its descriptor back until it is written or read again. */
void spool_file_rest(struct spool_file *file);

/* A flush that was asked for when so many items were written has succeeded. */
void spool_file_flushed(struct spool_file *file, int64_t items);
/* One has failed: what is not durable counts as not written, until spool_file_retry. No other flush may be on
 * its way. The spool is full until a flush of the file succeeds. */
void spool_file_flush_failed(struct spool_file *file);

/* Items from first_seq on, up to last_seq, together at most max_bytes (but at least one). Returns how
 * many were given; 0 when the file cannot be read. */
typedef void spool_on_item(void *context, int64_t seq, const char *item, size_t length);
int64_t spool_file_read(struct spool_file *file, int64_t first_seq, int64_t last_seq,
                        size_t max_bytes, spool_on_item *on_item, void *context);
