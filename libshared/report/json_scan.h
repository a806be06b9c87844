/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of any size, pushed in as it arrives: the reader is told where it is and says which values it wants;
 * nothing else is kept. Several documents may follow each other. Duplicate keys are told each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "report/text.h"

/* Where something stands: keys with a dot between them and * for the elements of a list, "results.tests.*";
 * "" is the document itself. A key that is long or holds one of these characters is told as "?", and so is
 * all that is deeper than a report needs. */
struct json_scan_handlers {
    void (*on_open)(void *context, const char *path); /* an object or a list begins */
    void (*on_close)(void *context, const char *path);
    /* A text, number, true or false begins: where its text is to be added, NULL where nobody wants it. */
    struct cut_text *(*on_value)(void *context, const char *path);
    void *context;
};

struct json_scan;

struct json_scan *json_scan_new(const struct json_scan_handlers *handlers);
void json_scan_free(struct json_scan **scan);
/* After an error the rest is ignored. */
void json_scan_feed(struct json_scan *scan, const char *bytes, size_t length);
/* Other bytes begin: forgets what was, also an error. */
void json_scan_restart(struct json_scan *scan);
/* Between documents, the last of which may be a number that the end of the bytes ends. */
bool json_scan_is_whole(struct json_scan *scan);
const char *json_scan_error(const struct json_scan *scan); /* NULL: none */
