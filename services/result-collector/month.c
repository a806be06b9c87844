/* SPDX-License-Identifier: Apache-2.0 */
#include "month.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

#define YEAR_MAX 9999

int month_of_ms(int64_t unix_ms)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm tm;
    if (unix_ms < 0 || gmtime_r(&seconds, &tm) == NULL || tm.tm_year + 1900 > YEAR_MAX)
        return YEAR_MAX * 12 + 11;
    return (tm.tm_year + 1900) * 12 + tm.tm_mon;
}

int64_t month_start_ms(int month)
{
    struct tm tm = {.tm_year = month / 12 - 1900, .tm_mon = month % 12, .tm_mday = 1};
    return (int64_t)timegm(&tm) * 1000;
}

struct uuid month_first_id(int month)
{
    struct uuid id;
    uint64_t ms = (uint64_t)month_start_ms(month);
    snprintf(id.text, sizeof id.text, "%08" PRIx64 "-%04" PRIx64 "-0000-0000-000000000000",
             (ms >> 16) & 0xffffffff, ms & 0xffff);
    return id;
}

const char *month_name(int month, char name[MONTH_NAME_SIZE])
{
    snprintf(name, MONTH_NAME_SIZE, "%04d%02d", month / 12, month % 12 + 1);
    return name;
}

int month_parse(const char *name)
{
    int64_t number;
    if (strlen(name) != 6 || int_parse(name, 1, YEAR_MAX * 100 + 12, &number, NULL) < 0)
        return -1;
    int64_t year = number / 100, month = number % 100;
    return month < 1 || month > 12 ? -1 : (int)(year * 12 + month - 1);
}

int month_of_id(const struct uuid *id)
{
    return month_of_ms(uuid_v7_time_ms(id));
}
