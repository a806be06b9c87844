/* SPDX-License-Identifier: Apache-2.0 */
/* XML as test tools write it, made into what a parser takes. Characters that XML does not have, as bytes and
 * as references, and bytes that are not of the encoding become U+FFFD, or a question mark where the encoding has
 * no such thing; a declaration that says UTF-16 of something else is taken out. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"

#define XML_HEAD_BYTES 200 /* in which the declaration ends */

enum xml_bytes {
    XML_UTF8,
    XML_ONE_BYTE, /* another encoding, of a byte per character */
    XML_AS_IT_IS, /* UTF-16 */
};

struct xml_clean {
    enum xml_bytes kind;
    bool is_decided;
    char held[XML_HEAD_BYTES + 1]; /* the head, later what has begun and not ended */
    size_t held_length;
};

/* Appends what can be judged so far. All zero is the beginning. */
void xml_clean_feed(struct xml_clean *clean, const char *bytes, size_t length, struct buffer *out);
/* The bytes are over. */
void xml_clean_end(struct xml_clean *clean, struct buffer *out);
