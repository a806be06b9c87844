/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of an event stream, all in one thread. Each event holds one '~', and nothing else does: so they are
 * counted, however they are cut. Says "ready" when all are answered; at the end how many came, and how many
 * seconds lay between the first and the last.
 *
 *   listeners PORT PATH TOKEN CLIENTS EVENTS      (EVENTS: of each client) */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 10000
#define READY       1024 /* sockets of one epoll_wait */

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int fail(const char *what)
{
    perror(what);
    exit(1);
}

static int open_one(int port, const char *request)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client < 0 || connect(client, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    if (write(client, request, strlen(request)) != (ssize_t)strlen(request))
        fail("write");
    char head[13];
    if (recv(client, head, 12, MSG_WAITALL) != 12 || memcmp(head + 9, "200", 3) != 0)
        fail("answer");
    return client;
}

static int open_all(int port, const char *request, int count)
{
    int poll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < count; i++) {
        struct epoll_event wanted = {.events = EPOLLIN, .data.fd = open_one(port, request)};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, wanted.data.fd, &wanted) < 0)
            fail("epoll_ctl");
    }
    return poll;
}

/* Events in what one client has received; -1: it has ended. */
static long read_one(int client)
{
    static char bytes[65536];
    ssize_t length = recv(client, bytes, sizeof bytes, MSG_DONTWAIT);
    if (length == 0)
        return -1;
    long events = 0;
    for (ssize_t i = 0; i < length; i++)
        events += bytes[i] == '~';
    return events;
}

int main(int argc, char **argv)
{
    struct epoll_event ready[READY];
    char request[2048];
    if (argc != 6)
        return 2;
    int clients = atoi(argv[4]);
    long wanted = (long)clients * atol(argv[5]), events = 0;
    struct rlimit limit = {65536, 65536};
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", argv[2],
             argv[3]);
    int poll = open_all(atoi(argv[1]), request, clients);
    printf("ready\n");
    fflush(stdout);
    double first_s = 0, last_s = 0;
    while (events < wanted) {
        int count = epoll_wait(poll, ready, READY, PATIENCE_MS);
        long more = 0;
        for (int i = 0; i < count; i++) {
            long told = read_one(ready[i].data.fd);
            if (told < 0)
                epoll_ctl(poll, EPOLL_CTL_DEL, ready[i].data.fd, NULL);
            more += told < 0 ? 0 : told;
        }
        if (more > 0)
            last_s = now_s();
        if (more > 0 && first_s == 0)
            first_s = last_s;
        if (count <= 0)
            break;
        events += more;
    }
    printf("{\"events\": %ld, \"wanted\": %ld, \"seconds\": %.6f}\n", events, wanted,
           last_s - first_s);
    return 0;
}
