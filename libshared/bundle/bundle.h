/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of files as one archive: tar, compressed by gzip. The same tree makes the same bytes, whoever packs it
 * and when. It holds directories, plain files and links that stay inside, and of their modes whether they can be
 * executed; nothing else goes in, and nothing else comes out. The bounds are LIMIT_BUNDLE_…, on both sides. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Errors of both: "invalid" names what does not belong in a bundle, "too_large" the bound, "unavailable" what the
 * system says. */

struct bundle_facts {
    int64_t entries, bytes; /* of what was packed, before it was compressed */
    int64_t left_out;       /* sockets, devices and the like */
};

/* Writes it to fd. What the tree ignores stays out (.gitignore files; .verdictignore files, which decide
 * wherever they stand: "!name" takes back in what git leaves out), and .git does. "empty" when nothing is left. */
int bundle_pack(const char *directory, int fd, struct bundle_facts *facts_r,
                struct error *error) WARN_UNUSED;

/* Unpacks what fd holds, from its start on, into a directory that is there and empty. What is in the archive is not
 * trusted. When it fails, a part is there. Changes the working directory: for processes of their own. */
int bundle_unpack(int fd, const char *directory, struct error *error) WARN_UNUSED;

/* Whether a link at that path leads nowhere outside, whatever other links like it there are on its way: it may
 * go up as far as the top, and then only down. */
bool bundle_link_stays_inside(const char *path, const char *target);
