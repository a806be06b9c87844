/* SPDX-License-Identifier: Apache-2.0 */
/* One range of bytes in a Range header (RFC 9110, 14): "bytes=0-99", "bytes=100-", "bytes=-100". */
#pragma once

#include <stdint.h>

enum range_kind {
    RANGE_WHOLE,  /* none asked for, or not one that is understood: all is answered */
    RANGE_PART,   /* these bytes */
    RANGE_BEYOND, /* nothing is there */
};

/* header: NULL when not given. size: of what there is; the part never reaches beyond it. */
enum range_kind range_read(const char *header, int64_t size, int64_t *first_r, int64_t *length_r);
