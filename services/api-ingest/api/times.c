/* SPDX-License-Identifier: Apache-2.0 */
#include "api/times.h"

#include "api/checks.h"
#include "base/text.h"

#define AGO_MAX_MS ((int64_t)400 * 24 * 3600 * 1000)

static int read_time(const char *name, const char *given, char text[TIME_TEXT_SIZE],
                     const char **time_r, struct error *error)
{
    int64_t ago_ms;
    *time_r = given;
    if (given == NULL)
        return 0;
    if (duration_parse(given, 0, AGO_MAX_MS, &ago_ms, NULL) == 0) {
        *time_r = time_format(wall_ms() - ago_ms, text);
        return 0;
    }
    return check_time(name, given, error);
}

int times_read(const struct request *request, struct times *times_r, struct error *error)
{
    if (read_time("since", request_query(request, "since"), times_r->since_text, &times_r->since,
                  error) < 0)
        return -1;
    return read_time("until", request_query(request, "until"), times_r->until_text, &times_r->until,
                     error);
}
