/* SPDX-License-Identifier: Apache-2.0 */
#include "http/loopback.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

static void url_free(CURLU **url)
{
    curl_url_cleanup(*url);
    *url = NULL;
}

static bool is_loopback_v6(const char *host)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];
    size_t length = strlen(host);
    if (length < 2 || length - 2 >= sizeof text || host[0] != '[' || host[length - 1] != ']')
        return false;
    memcpy(text, host + 1, length - 2);
    text[length - 2] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1 &&
           memcmp(&address, &in6addr_loopback, sizeof address) == 0;
}

static bool is_loopback_host(const char *host)
{
    uint8_t bytes[sizeof(struct in_addr)];
    if (strcasecmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, bytes) == 1)
        return bytes[0] == 127;
    return is_loopback_v6(host);
}

bool url_is_loopback(const char *text)
{
    AUTO(url_free) CURLU *url = curl_url();
    char *host = NULL;
    if (curl_url_set(url, CURLUPART_URL, text, CURLU_GUESS_SCHEME) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        return false;
    bool is_loopback = is_loopback_host(host);
    curl_free(host);
    return is_loopback;
}
