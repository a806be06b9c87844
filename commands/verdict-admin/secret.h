/* SPDX-License-Identifier: Apache-2.0 */
/* The way out of a secret that is shown once. It is opened before anything is changed, and what makes the
 * secret good is committed only after it was written: else an old one might be void and the new one lost. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct secret_out {
    int fd;
    const char *path; /* NULL: stdout */
    bool is_new;      /* made by us, and nothing is in it yet */
};

/* output: a file that only its owner will be able to read, whose content stays until the write; or NULL. */
int secret_out_open(const char *output, struct secret_out *out_r, struct error *error) WARN_UNUSED;
int secret_out_write(struct secret_out *out, const char *secret, struct error *error) WARN_UNUSED;
void secret_out_deinit(struct secret_out *out); /* leaves no empty file behind */
