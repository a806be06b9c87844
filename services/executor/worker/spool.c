/* SPDX-License-Identifier: Apache-2.0 */
/* Append-only files of checksummed records. */
#include "worker/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "worker/lock.h"

#define SUFFIX           ".spool"
#define ASIDE            "aside"
#define RECORD_BYTES_MAX ((size_t)1024 * 1024)
#define NAME_BYTES_MAX   100

struct record_head {
    uint32_t length;
    uint32_t checksum; /* CRC-32 of the payload */
};

/* A record that waits for room on the disk, or to be durable there. */
struct waiting {
    STAILQ_ENTRY(waiting) next;
    char *payload;
};
STAILQ_HEAD(waiting_list, waiting);

struct spool {
    int directory_fd, aside_fd, lock_fd;
    int64_t bytes;
    int64_t waiting; /* records */
    int64_t failing; /* files whose last flush has failed */
    char why[120];   /* the last record could not be written */
};

struct spool_file {
    struct spool *spool;
    char name[NAME_BYTES_MAX];
    int fd; /* -1 at rest */
    bool is_made;
    uint64_t *offsets; /* of each record on disk; one more: the end */
    size_t records, capacity;
    struct waiting_list waiting;
    int64_t waiting_count;
    struct waiting_list written; /* the last ones on disk, which are not durable yet */
    size_t written_count;
    bool is_failing;
};

/* ---- the directory ----------------------------------------------------------------------------- */

static int open_directory(int at, const char *path, struct error *error)
{
    if (mkdirat(at, path, 0700) < 0 && errno != EEXIST)
        return error_set(error, "invalid", "cannot make directory %s: %s", path, strerror(errno));
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, "invalid", "cannot open directory %s: %s", path, strerror(errno));
    return fd;
}

int spool_open(const char *directory, struct spool **spool_r, struct error *error)
{
    AUTO(spool_close) struct spool *spool = xcalloc(1, sizeof *spool);
    *spool = (struct spool){.directory_fd = -1, .aside_fd = -1, .lock_fd = -1};
    if ((spool->directory_fd = open_directory(AT_FDCWD, directory, error)) < 0 ||
        (spool->aside_fd = open_directory(spool->directory_fd, ASIDE, error)) < 0)
        return -1;
    AUTO(text_free) char *what = xasprintf("VERDICT_SPOOL_DIR %s", directory);
    if (lock_take(spool->directory_fd, what, &spool->lock_fd, error) < 0)
        return -1;
    *spool_r = TAKE(spool);
    return 0;
}

void spool_close(struct spool **spool)
{
    if (*spool == NULL)
        return;
    fd_close(&(*spool)->lock_fd);
    fd_close(&(*spool)->aside_fd);
    fd_close(&(*spool)->directory_fd);
    memory_free(spool);
}

int spool_directory_fd(const struct spool *spool)
{
    return spool->directory_fd;
}

bool spool_is_full(const struct spool *spool)
{
    return spool->waiting > 0 || spool->failing > 0;
}

const char *spool_why_full(const struct spool *spool)
{
    return spool->why;
}

int64_t spool_bytes(const struct spool *spool)
{
    return spool->bytes;
}

void spool_clean_aside(struct spool *spool, int64_t max_age_s)
{
    DIR *aside = fdopendir(openat(spool->aside_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const struct dirent *entry;
    while (aside != NULL && (entry = readdir(aside)) != NULL) {
        struct stat status;
        if (text_ends(entry->d_name, SUFFIX) &&
            fstatat(spool->aside_fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            status.st_mtime + max_age_s < time(NULL))
            unlinkat(spool->aside_fd, entry->d_name, 0);
    }
    if (aside != NULL)
        closedir(aside);
}

/* ---- records on disk --------------------------------------------------------------------------- */

static uint64_t end_of(const struct spool_file *file)
{
    return file->records == 0 ? 0 : file->offsets[file->records];
}

static void note_record(struct spool_file *file, size_t payload_length)
{
    uint64_t start = end_of(file), size = sizeof(struct record_head) + payload_length;
    file->offsets =
        array_reserve(file->offsets, &file->capacity, file->records + 1, sizeof *file->offsets);
    file->offsets[file->records] = start;
    file->offsets[++file->records] = start + size;
    file->spool->bytes += (int64_t)size;
}

/* Reads one record at the end of what is known: 1 and its payload (caller frees), 0 at the end and at a
 * torn tail, -1 (errno) when it cannot be read. */
static int read_next(const struct spool_file *file, char **payload_r, size_t *length_r)
{
    struct record_head head;
    uint64_t at = end_of(file);
    ssize_t length = pread(file->fd, &head, sizeof head, (off_t)at);
    if (length != (ssize_t)sizeof head || head.length > RECORD_BYTES_MAX)
        return length < 0 ? -1 : 0;
    AUTO(text_free) char *payload = xcalloc(1, (size_t)head.length + 1);
    length = pread(file->fd, payload, head.length, (off_t)(at + sizeof head));
    if (length != (ssize_t)head.length ||
        crc32(0, (const unsigned char *)payload, head.length) != head.checksum)
        return length < 0 ? -1 : 0;
    *payload_r = TAKE(payload);
    *length_r = head.length;
    return 1;
}

static void note_why(struct spool *spool, int error_number)
{
    if (error_number == ENOSPC || error_number == EDQUOT)
        snprintf(spool->why, sizeof spool->why, "the spool's disk is full");
    else
        snprintf(spool->why, sizeof spool->why, "the spool cannot be written: %s",
                 strerror(error_number));
}

static bool write_record(struct spool_file *file, const char *payload)
{
    size_t length = strlen(payload);
    const struct record_head head = {
        .length = (uint32_t)length,
        .checksum = (uint32_t)crc32(0, (const unsigned char *)payload, (unsigned)length)};
    char *bytes = xcalloc(1, sizeof head + length);
    memcpy(bytes, &head, sizeof head);
    memcpy(bytes + sizeof head, payload, length);
    uint64_t at = end_of(file);
    ssize_t written = pwrite(file->fd, bytes, sizeof head + length, (off_t)at);
    int error_number = written < 0 ? errno : ENOSPC;
    free(bytes);
    if (written == (ssize_t)(sizeof head + length)) {
        note_record(file, length);
        return true;
    }
    note_why(file->spool, error_number);
    if (written > 0)
        (void)!ftruncate(file->fd, (off_t)at);
    return false;
}

/* ---- files ------------------------------------------------------------------------------------- */

static struct spool_file *file_new(struct spool *spool, const char *name)
{
    struct spool_file *file = xcalloc(1, sizeof *file);
    file->spool = spool;
    file->fd = -1;
    snprintf(file->name, sizeof file->name, "%.80s" SUFFIX, name);
    STAILQ_INIT(&file->waiting);
    STAILQ_INIT(&file->written);
    return file;
}

/* One that has gone is not made again: what it held would be missing in its middle. */
int spool_file_fd(struct spool_file *file)
{
    const int flags = O_RDWR | O_CLOEXEC | (file->is_made ? 0 : O_CREAT | O_TRUNC);
    if (file->fd < 0)
        file->fd = openat(file->spool->directory_fd, file->name, flags, 0600);
    if (file->fd < 0)
        note_why(file->spool, errno);
    file->is_made |= file->fd >= 0;
    return file->fd;
}

void spool_file_rest(struct spool_file *file)
{
    fd_close(&file->fd);
}

static void put(struct waiting_list *list, const char *payload)
{
    struct waiting *waiting = xcalloc(1, sizeof *waiting);
    waiting->payload = xstrdup(payload);
    STAILQ_INSERT_TAIL(list, waiting, next);
}

static void put_waiting(struct spool_file *file, const char *payload)
{
    put(&file->waiting, payload);
    file->waiting_count++;
    file->spool->waiting++;
}

static void free_first(struct waiting_list *list)
{
    struct waiting *waiting = STAILQ_FIRST(list);
    STAILQ_REMOVE_HEAD(list, next);
    free(waiting->payload);
    free(waiting);
}

/* It is on disk now. */
static void move_first_waiting(struct spool_file *file)
{
    struct waiting *waiting = STAILQ_FIRST(&file->waiting);
    STAILQ_REMOVE_HEAD(&file->waiting, next);
    STAILQ_INSERT_TAIL(&file->written, waiting, next);
    file->written_count++;
    file->waiting_count--;
    file->spool->waiting--;
}

bool spool_file_retry(struct spool_file *file)
{
    while (!STAILQ_EMPTY(&file->waiting) && spool_file_fd(file) >= 0 &&
           write_record(file, STAILQ_FIRST(&file->waiting)->payload))
        move_first_waiting(file);
    return STAILQ_EMPTY(&file->waiting);
}

static int64_t append(struct spool_file *file, const char *payload)
{
    put_waiting(file, payload);
    if (file->waiting_count == 1)
        (void)!spool_file_retry(file);
    return spool_file_count(file);
}

static void set_failing(struct spool_file *file, bool is_failing)
{
    file->spool->failing += (int64_t)is_failing - (int64_t)file->is_failing;
    file->is_failing = is_failing;
}

void spool_file_flushed(struct spool_file *file, int64_t items)
{
    while (file->written_count > 0 && (int64_t)(file->records - file->written_count) <= items) {
        free_first(&file->written);
        file->written_count--;
    }
    set_failing(file, false);
}

void spool_file_flush_failed(struct spool_file *file)
{
    uint64_t end = end_of(file);
    file->records -= file->written_count;
    file->spool->bytes -= (int64_t)(end - end_of(file));
    file->waiting_count += (int64_t)file->written_count;
    file->spool->waiting += (int64_t)file->written_count;
    file->written_count = 0;
    STAILQ_CONCAT(&file->written, &file->waiting);
    STAILQ_CONCAT(&file->waiting, &file->written);
    snprintf(file->spool->why, sizeof file->spool->why,
             "what was written to the spool did not reach its disk");
    set_failing(file, true);
}

struct spool_file *spool_file_create(struct spool *spool, const char *name, const char *header)
{
    struct spool_file *file = file_new(spool, name);
    append(file, header);
    return file;
}

int64_t spool_file_append(struct spool_file *file, const char *item)
{
    return append(file, item);
}

int64_t spool_file_count(const struct spool_file *file)
{
    return (int64_t)file->records + file->waiting_count - 1;
}

int64_t spool_file_written(const struct spool_file *file)
{
    return file->records == 0 ? 0 : (int64_t)file->records - 1;
}

void spool_file_close(struct spool_file **file_p)
{
    struct spool_file *file = *file_p;
    if (file == NULL)
        return;
    set_failing(file, false);
    file->spool->waiting -= file->waiting_count;
    while (!STAILQ_EMPTY(&file->waiting))
        free_first(&file->waiting);
    while (!STAILQ_EMPTY(&file->written))
        free_first(&file->written);
    file->spool->bytes -= (int64_t)end_of(file);
    fd_close(&file->fd);
    free(file->offsets);
    memory_free(file_p);
}

void spool_file_remove(struct spool_file **file)
{
    if (*file == NULL)
        return;
    unlinkat((*file)->spool->directory_fd, (*file)->name, 0);
    spool_file_close(file);
}

static int put_aside(const struct spool *spool, const char *name)
{
    if (renameat(spool->directory_fd, name, spool->aside_fd, name) < 0)
        return -1;
    utimensat(spool->aside_fd, name, NULL, 0);
    return 0;
}

void spool_file_put_aside(struct spool_file **file)
{
    if (*file == NULL)
        return;
    (void)!put_aside((*file)->spool, (*file)->name);
    spool_file_close(file);
}

/* ---- reading ----------------------------------------------------------------------------------- */

int64_t spool_file_read(struct spool_file *file, int64_t first_seq, int64_t last_seq,
                        size_t max_bytes, spool_on_item *on_item, void *context)
{
    if (first_seq < 1 || last_seq >= (int64_t)file->records)
        last_seq = (int64_t)file->records - 1;
    if (first_seq < 1 || first_seq > last_seq)
        return 0;
    uint64_t start = file->offsets[first_seq];
    int64_t last = first_seq;
    while (last < last_seq && file->offsets[last + 2] - start <= max_bytes)
        last++;
    size_t size = (size_t)(file->offsets[last + 1] - start);
    AUTO(text_free) char *bytes = xcalloc(1, size);
    if (spool_file_fd(file) < 0 || pread(file->fd, bytes, size, (off_t)start) != (ssize_t)size)
        return 0;
    for (int64_t seq = first_seq; seq <= last; seq++) {
        const char *record = bytes + (file->offsets[seq] - start);
        struct record_head head;
        memcpy(&head, record, sizeof head);
        on_item(context, seq, record + sizeof head, head.length);
    }
    return last - first_seq + 1;
}

static int cut_tail(const struct spool_file *file)
{
    struct stat status;
    if (fstat(file->fd, &status) < 0)
        return -1;
    return (uint64_t)status.st_size == end_of(file) ? 0 : ftruncate(file->fd, (off_t)end_of(file));
}

/* All whole records; a torn tail is cut off. The header's text is NULL when there is not even that; -1
 * (errno) when the file cannot be read. */
static int read_all(struct spool_file *file, char **header_r)
{
    AUTO(text_free) char *header = NULL;
    size_t length;
    char *payload;
    int status = spool_file_fd(file) < 0 ? -1 : 1;
    while (status > 0 && (status = read_next(file, &payload, &length)) > 0) {
        note_record(file, length);
        if (header == NULL)
            header = payload;
        else
            free(payload);
    }
    if (status < 0 || (header != NULL && cut_tail(file) < 0))
        return -1;
    *header_r = TAKE(header);
    return 0;
}

static int load_one(struct spool *spool, const char *file_name, spool_on_file *on_file,
                    void *context, struct error *error)
{
    AUTO(text_free)
    char *name = xstrndup(file_name, strlen(file_name) - strlen(SUFFIX));
    AUTO(spool_file_close) struct spool_file *file = file_new(spool, name);
    AUTO(text_free) char *header = NULL;
    file->is_made = true;
    if (read_all(file, &header) < 0)
        return error_set(error, "unavailable",
                         "cannot read %s in the spool, which holds results: %s", file_name,
                         strerror(errno));
    spool_file_rest(file);
    if (header != NULL)
        return on_file(context, name, header, TAKE(file), error);
    if (put_aside(spool, file_name) < 0)
        return error_set(error, "unavailable", "cannot put %s aside, which is damaged: %s",
                         file_name, strerror(errno));
    return 0;
}

int spool_load(struct spool *spool, spool_on_file *on_file, void *context, struct error *error)
{
    AUTO(fd_close) int fd = openat(spool->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    int status = 0;
    if (directory == NULL)
        return error_set(error, "unavailable", "cannot list the spool: %s", strerror(errno));
    fd = -1; /* the stream's */
    while (status == 0 && (errno = 0, entry = readdir(directory)) != NULL)
        if (text_ends(entry->d_name, SUFFIX) && strlen(entry->d_name) < NAME_BYTES_MAX)
            status = load_one(spool, entry->d_name, on_file, context, error);
    if (status == 0 && errno != 0)
        status = error_set(error, "unavailable", "cannot list the spool: %s", strerror(errno));
    closedir(directory);
    return status;
}
