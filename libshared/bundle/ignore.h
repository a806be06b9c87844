/* SPDX-License-Identifier: Apache-2.0 */
/* What a tree says is no part of it, in the language of gitignore(5): of several patterns the last one decides,
 * and those of a directory before those of the ones above it. Nothing below what is ignored is looked at. */
#pragma once

#include <stdbool.h>

struct ignore; /* the patterns of one directory */

/* text: what its file says. at: the path of its directory from the top, "" for that. above: of the directory
 * above it, borrowed; NULL at the top. */
struct ignore *ignore_new(const char *text, const char *at, const struct ignore *above);
void ignore_free(struct ignore **ignore);

enum ignore_word { IGNORE_SAYS_NOTHING, IGNORE_KEEPS, IGNORE_LEAVES_OUT };

/* path: from the top; it lies below the directory of `ignore`, which may be NULL. */
enum ignore_word ignore_ask(const struct ignore *ignore, const char *path, bool is_directory);
