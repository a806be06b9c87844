/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs: RFC 9562, version 7 (method 1: a 12-bit counter behind the millisecond) and version 4. */
#include "base/uuid.h"

#include <ctype.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static struct uuid format_bytes(const uint8_t b[16])
{
    struct uuid uuid;
    snprintf(uuid.text, sizeof uuid.text,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    return uuid;
}

struct uuid uuid_v7(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int64_t last_ms;
    static uint32_t counter;

    uint8_t b[16];
    randombytes_buf(b, sizeof b);
    pthread_mutex_lock(&lock);
    int64_t now_ms = wall_ms();
    if (now_ms > last_ms) {
        last_ms = now_ms;
        counter = ((uint32_t)b[6] << 8 | b[7]) & 0x7ff; /* the upper half stays free to count in */
    } else if (++counter > 0xfff) {
        last_ms++;
        counter = 0;
    }
    int64_t ms = last_ms;
    uint32_t count = counter;
    pthread_mutex_unlock(&lock);

    for (int i = 0; i < 6; i++)
        b[i] = (uint8_t)(ms >> (40 - 8 * i));
    b[6] = (uint8_t)(0x70 | count >> 8);
    b[7] = (uint8_t)count;
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    return format_bytes(b);
}

struct uuid uuid_v7_least(int64_t unix_ms)
{
    struct uuid id = {""};
    snprintf(id.text, sizeof id.text, "%08llx-%04llx-7000-8000-000000000000",
             (unsigned long long)(unix_ms >> 16) & 0xffffffff,
             (unsigned long long)unix_ms & 0xffff);
    return id;
}

struct uuid uuid_random(void)
{
    uint8_t b[16];
    randombytes_buf(b, sizeof b);
    b[6] = (uint8_t)(0x40 | (b[6] & 0x0f));
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    return format_bytes(b);
}

static bool dash_at(int i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

int uuid_parse(const char *text, struct uuid *uuid_r, struct error *error)
{
    struct uuid uuid = {""};
    if (strlen(text) != UUID_TEXT_SIZE - 1)
        return error_set(error, "invalid", "is not a UUID");
    for (int i = 0; i < UUID_TEXT_SIZE - 1; i++) {
        unsigned char c = (unsigned char)text[i];
        if (dash_at(i) ? c != '-' : !isxdigit(c))
            return error_set(error, "invalid", "is not a UUID");
        uuid.text[i] = (char)tolower(c);
    }
    *uuid_r = uuid;
    return 0;
}

bool uuid_is_null(const struct uuid *uuid)
{
    return uuid->text[0] == '\0';
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return strcmp(a->text, b->text) == 0;
}

int64_t uuid_v7_time_ms(const struct uuid *uuid)
{
    char hex[13];
    memcpy(hex, uuid->text, 8);
    memcpy(hex + 8, uuid->text + 9, 4);
    hex[12] = '\0';
    return strtoll(hex, NULL, 16);
}
