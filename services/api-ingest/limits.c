/* SPDX-License-Identifier: Apache-2.0 */
#include "limits.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "http/exchange.h"
#include "limiter.h"

#define ADDRESS_BYTES 8 /* IPv4, or the network of IPv6 */

struct limits {
    struct limiter *tokens, *addresses; /* NULL: no limit */
    int64_t per_token, per_address;
};

struct limits *limits_new(int64_t per_token, int64_t per_address)
{
    struct limits *limits = xcalloc(1, sizeof *limits);
    limits->tokens = limiter_new(per_token);
    limits->addresses = limiter_new(per_address);
    limits->per_token = per_token;
    limits->per_address = per_address;
    return limits;
}

void limits_free(struct limits **limits)
{
    if (*limits == NULL)
        return;
    limiter_free(&(*limits)->tokens);
    limiter_free(&(*limits)->addresses);
    memory_free(limits);
}

/* What was asked of both limits shows the token's: it is the one that the client can do something about. */
static int answer(struct request *request, const struct limit_answer *limit, const char *whose,
                  int64_t per_second, struct error *error)
{
    struct response *response = request_response(request);
    response_headerf(response, "RateLimit-Limit", "%lld", (long long)limit->limit);
    response_headerf(response, "RateLimit-Remaining", "%lld", (long long)limit->remaining);
    response_headerf(response, "RateLimit-Reset", "%lld", (long long)limit->reset_s);
    if (!limit->refused)
        return 0;
    response_headerf(response, "Retry-After", "%lld", (long long)limit->retry_after_s);
    return error_set(error, "too_many", "the %s may make %lld requests a second", whose,
                     (long long)per_second);
}

static void read_address(const struct request *request, unsigned char address_r[ADDRESS_BYTES])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    memset(address_r, 0, ADDRESS_BYTES);
    if (info == NULL || info->client_addr == NULL)
        return;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    bool is_v6 = info->client_addr->sa_family == AF_INET6;
    memcpy(&address, info->client_addr, is_v6 ? sizeof address.v6 : sizeof address.v4);
    const unsigned char *bytes = address.v6.sin6_addr.s6_addr;
    if (!is_v6)
        memcpy(address_r, &address.v4.sin_addr, 4);
    else if (IN6_IS_ADDR_V4MAPPED(&address.v6.sin6_addr))
        memcpy(address_r, bytes + 12, 4);
    else
        memcpy(address_r, bytes, ADDRESS_BYTES);
}

int limits_check_address(struct limits *limits, struct request *request, struct error *error)
{
    unsigned char address[ADDRESS_BYTES];
    if (limits == NULL || limits->addresses == NULL)
        return 0;
    read_address(request, address);
    const struct limit_answer limit =
        limiter_take(limits->addresses, address, sizeof address, monotonic_us());
    return answer(request, &limit, "address", limits->per_address, error);
}

int limits_check_token(struct limits *limits, struct request *request,
                       const uint8_t hash[TOKEN_HASH_BYTES], struct error *error)
{
    if (limits->tokens == NULL)
        return 0;
    const struct limit_answer limit =
        limiter_take(limits->tokens, hash, TOKEN_HASH_BYTES, monotonic_us());
    return answer(request, &limit, "token", limits->per_token, error);
}
