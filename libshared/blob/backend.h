/* SPDX-License-Identifier: Apache-2.0 */
/* What a kind of store is: for the store alone. */
#pragma once

#include "blob/blob.h"

struct blob_backend {
    const char *scheme; /* that URLs of it begin with; NULL: the null one */
    int (*open)(const struct blob_settings *settings, void **state_r, struct error *error);
    void (*close)(void *state);
    int (*put)(void *state, const char *name, int fd, int64_t bytes, struct error *error);
    int (*get)(void *state, const char *name, int *fd_r, struct error *error);
    int (*remove)(void *state, const char *name, struct error *error);
};

extern const struct blob_backend blob_none, blob_directory, blob_s3;
