/* SPDX-License-Identifier: Apache-2.0 */
/* A body that is a file: it goes to disk as it comes, whatever its length, and is hashed on the way. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "blob/blob.h"

struct upload;

int upload_new(int64_t most_bytes, struct upload **upload_r, struct error *error) WARN_UNUSED;
void upload_free(struct upload **upload);

/* "too_large", "no_room". */
int upload_add(struct upload *upload, const char *bytes, size_t length,
               struct error *error) WARN_UNUSED;
/* Has so much come since this was last true that the client shall have more time? */
bool upload_has_progressed(struct upload *upload);
/* All has come: the file, borrowed, its length and its name. May be asked again. */
int upload_file(const struct upload *upload, int64_t *bytes_r, char name_r[BLOB_NAME_SIZE]);
