/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/otlp_headers.h"

#include <curl/curl.h>
#include <string.h>

#include "base/memory.h"

#define SPACE " \t"
#define TOKEN                                                                                      \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&'*+-.^_`|~" /* RFC 9110 */

static char *trimmed(const char *text, size_t length)
{
    size_t begin = 0;
    while (begin < length && strchr(SPACE, text[begin]) != NULL)
        begin++;
    while (length > begin && strchr(SPACE, text[length - 1]) != NULL)
        length--;
    return xstrndup(text + begin, length - begin);
}

/* NULL: it holds what no header may. Caller frees. */
static char *decoded(const char *value)
{
    int length = 0;
    char *text = curl_easy_unescape(NULL, value, 0, &length);
    bool is_clean = text != NULL && strlen(text) == (size_t)length;
    for (int i = 0; is_clean && i < length; i++)
        is_clean = ((unsigned char)text[i] >= ' ' && text[i] != 0x7f) || text[i] == '\t';
    char *copy = is_clean ? xstrdup(text) : NULL;
    curl_free(text);
    return copy;
}

static int read_one(const char *entry, size_t length, int number, struct texts *headers,
                    struct error *error)
{
    const char *equals = memchr(entry, '=', length);
    if (equals == NULL)
        return error_set(error, "invalid", "VERDICT_OTLP_HEADERS: entry %d is not NAME=VALUE",
                         number);
    AUTO(text_free) char *name = trimmed(entry, (size_t)(equals - entry));
    AUTO(text_free) char *value = trimmed(equals + 1, length - (size_t)(equals + 1 - entry));
    AUTO(text_free) char *plain = decoded(value);
    if (name[0] == '\0' || strspn(name, TOKEN) != strlen(name))
        return error_set(error, "invalid", "VERDICT_OTLP_HEADERS: entry %d has no name of a header",
                         number);
    if (plain == NULL)
        return error_set(error, "invalid",
                         "VERDICT_OTLP_HEADERS: the value of %s holds what no header may", name);
    AUTO(text_free) char *line = xasprintf("%s: %s", name, plain);
    texts_add(headers, line);
    return 0;
}

int otlp_headers_read(const char *text, struct texts *headers_r, struct error *error)
{
    for (int number = 1;; number++) {
        size_t length = strcspn(text, ",");
        AUTO(text_free) char *entry = trimmed(text, length);
        if (entry[0] != '\0' && read_one(entry, strlen(entry), number, headers_r, error) < 0)
            return -1;
        if (text[length] == '\0')
            return 0;
        text += length + 1;
    }
}
