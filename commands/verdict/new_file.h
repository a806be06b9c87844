/* SPDX-License-Identifier: Apache-2.0 */
/* A file that takes another one's place when all of it is there: until then the other one stays as it is. */
#pragma once

#include <stdio.h>

#include "base/error.h"

struct new_file;

/* The folders that are missing on the way to it. Errors: "io". */
int new_file_make_way(const char *path, struct error *error) WARN_UNUSED;

/* Errors: "io". Where no file can be made beside it, or none take its place, its content is replaced at the
 * commit, in place. What is not a regular file (a terminal, a pipe) is written straight away. */
int new_file_open(const char *path, struct new_file **file_r, struct error *error) WARN_UNUSED;
FILE *new_file_out(struct new_file *file);

/* Frees it in any case. */
int new_file_commit(struct new_file **file, struct error *error) WARN_UNUSED;
void new_file_discard(struct new_file **file);
