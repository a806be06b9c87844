/* SPDX-License-Identifier: Apache-2.0 */
/* ?since= and ?until= of a list: times, or durations before now. */
#pragma once

#include "base/clock.h"
#include "http/request.h"

struct times {
    const char *since, *until; /* NULL: not given; borrowed from the request, or from here */
    char since_text[TIME_TEXT_SIZE], until_text[TIME_TEXT_SIZE];
};

/* times_r stays where it is. */
int times_read(const struct request *request, struct times *times_r,
               struct error *error) WARN_UNUSED;
