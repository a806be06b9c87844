/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that must not be seen in anything that leaves the worker. */
#pragma once

#include <stddef.h>

#include "base/buffer.h"

#define MASK_TEXT "***"

struct masks;

struct masks *masks_new(void);
void masks_free(struct masks **masks);
/* Each line of a secret of many lines is masked by itself as well. */
void masks_add(struct masks *masks, const char *secret);

/* Copies bytes to out with every secret replaced. Returns how many bytes at the end were kept back
 * because they may be the beginning of a secret (0 when is_end): give them again with what follows. */
size_t masks_apply(const struct masks *masks, const char *bytes, size_t length, bool is_end,
                   struct buffer *out);

/* A masked copy of a whole text; NULL for NULL. Caller frees. */
char *masks_text(const struct masks *masks, const char *text);

/* The same of a text that may have been cut: where it ends with `mark` or has max_bytes, its end may be the
 * beginning of a secret, and is masked as well. */
char *masks_cut_text(const struct masks *masks, const char *text, const char *mark,
                     size_t max_bytes);
