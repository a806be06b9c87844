/* SPDX-License-Identifier: Apache-2.0 */
/* The special-purpose blocks of IPv4 and IPv6 (IANA's registries, RFC 6890) as a table of prefixes. */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

struct block {
    const char *prefix;
    int bits;
};

static const struct block special_v4[] = {
    {"0.0.0.0", 8},       /* this network */
    {"10.0.0.0", 8},      /* private */
    {"100.64.0.0", 10},   /* carrier-grade NAT */
    {"127.0.0.0", 8},     /* loopback */
    {"169.254.0.0", 16},  /* link-local, where clouds keep their metadata */
    {"172.16.0.0", 12},   /* private */
    {"192.0.0.0", 24},    /* protocol assignments */
    {"192.0.2.0", 24},    /* documentation */
    {"192.88.99.0", 24},  /* 6to4 relays */
    {"192.168.0.0", 16},  /* private */
    {"198.18.0.0", 15},   /* benchmarks */
    {"198.51.100.0", 24}, /* documentation */
    {"203.0.113.0", 24},  /* documentation */
    {"224.0.0.0", 4},     /* multicast */
    {"240.0.0.0", 4},     /* reserved, broadcast */
};

/* Of IPv6 only 2000::/3 is public at all; this is what is special inside it. */
static const struct block global_v6 = {"2000::", 3};
static const struct block special_v6[] = {
    {"2001::", 23},     /* protocol assignments, Teredo */
    {"2001:db8::", 32}, /* documentation */
    {"3fff::", 20},     /* documentation */
};

/* IPv4 inside IPv6 is judged as the IPv4 address that it ends at. */
static const struct {
    struct block block;
    size_t at; /* where the four bytes stand */
} embedding[] = {
    {{"::ffff:0:0", 96}, 12}, /* mapped */
    {{"64:ff9b::", 96}, 12},  /* NAT64 */
    {{"2002::", 16}, 2},      /* 6to4 */
};

static bool has_prefix(int family, const uint8_t *bytes, const struct block *block)
{
    uint8_t prefix[sizeof(struct in6_addr)];
    size_t whole = (size_t)block->bits / 8;
    int rest = block->bits % 8;
    if (inet_pton(family, block->prefix, prefix) != 1 || memcmp(bytes, prefix, whole) != 0)
        return false;
    return rest == 0 || (bytes[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

static bool is_public_v4(const uint8_t *bytes)
{
    for (size_t i = 0; i < ARRAY_SIZE(special_v4); i++)
        if (has_prefix(AF_INET, bytes, &special_v4[i]))
            return false;
    return true;
}

static bool is_public_v6(const uint8_t *bytes)
{
    for (size_t i = 0; i < ARRAY_SIZE(embedding); i++)
        if (has_prefix(AF_INET6, bytes, &embedding[i].block))
            return is_public_v4(bytes + embedding[i].at);
    for (size_t i = 0; i < ARRAY_SIZE(special_v6); i++)
        if (has_prefix(AF_INET6, bytes, &special_v6[i]))
            return false;
    return has_prefix(AF_INET6, bytes, &global_v6);
}

bool address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        return is_public_v4((const uint8_t *)&v4.sin_addr);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        return is_public_v6(v6.sin6_addr.s6_addr);
    }
    return false;
}

bool address_text_is_public(const char *text)
{
    uint8_t bytes[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, text, bytes) == 1)
        return is_public_v4(bytes);
    return inet_pton(AF_INET6, text, bytes) == 1 && is_public_v6(bytes);
}
