/* SPDX-License-Identifier: Apache-2.0 */
/* The fork server. It is a subreaper as well: what a warden that was killed leaves behind comes here
 * and is ended. */
#include "agent/helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/means.h"
#include "agent/tree.h"
#include "agent/warden.h"
#include "base/memory.h"

struct helper {
    int socket;
    pid_t pid;
};

/* The helper's own memory of its wardens. */
struct wardens {
    pid_t *list;
    size_t count, capacity;
};

static bool is_warden(const struct wardens *wardens, pid_t pid)
{
    for (size_t i = 0; i < wardens->count; i++)
        if (wardens->list[i] == pid)
            return true;
    return false;
}

static void add_warden(struct wardens *wardens, pid_t pid)
{
    wardens->list =
        array_reserve(wardens->list, &wardens->capacity, wardens->count, sizeof *wardens->list);
    wardens->list[wardens->count++] = pid;
}

static void remove_warden(struct wardens *wardens, pid_t pid)
{
    for (size_t i = 0; i < wardens->count; i++)
        if (wardens->list[i] == pid)
            wardens->list[i] = wardens->list[--wardens->count];
}

union control {
    char bytes[CMSG_SPACE(sizeof(int) * WIRE_DESCRIPTORS)];
    struct cmsghdr align;
};

/* 1: a request; 0: the executor is gone. */
static int receive(int socket, int descriptors[WIRE_DESCRIPTORS])
{
    char byte;
    union control control;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t length;
    do
        length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    const struct cmsghdr *header = length == 1 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header == NULL || header->cmsg_len != CMSG_LEN(sizeof(int) * WIRE_DESCRIPTORS))
        return 0;
    memcpy(descriptors, CMSG_DATA(header), sizeof(int) * WIRE_DESCRIPTORS);
    return 1;
}

static void make_warden(int socket, struct wardens *wardens, int signals, const int descriptors[])
{
    pid_t pid = fork();
    if (pid == 0) {
        close(socket);
        close(signals);
        warden_run(descriptors);
    }
    if (pid > 0)
        add_warden(wardens, pid);
    for (int i = 0; i < WIRE_DESCRIPTORS; i++)
        close(descriptors[i]); /* after a failed fork the control socket's end says so */
}

static void reap(struct wardens *wardens, int signals)
{
    AUTO(process_list_deinit) struct process_list below = {.list = NULL};
    struct signalfd_siginfo ignored;
    bool warden_failed = false;
    int status;
    pid_t pid;
    while (read(signals, &ignored, sizeof ignored) > 0)
        ;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        warden_failed |=
            is_warden(wardens, pid) && (!WIFEXITED(status) || WEXITSTATUS(status) != 0);
        remove_warden(wardens, pid);
    }
    if (!warden_failed)
        return;
    /* Without its warden a tree hangs below the helper itself, beside the living wardens' trees. */
    tree_list(getpid(), &below);
    for (size_t i = 0; i < below.count; i++) {
        struct process_list orphans = {.list = NULL};
        if (!is_warden(wardens, below.list[i]) && getpgid(below.list[i]) != getpgrp()) {
            bool has_warden = false;
            for (size_t w = 0; w < wardens->count && !has_warden; w++) {
                tree_list(wardens->list[w], &orphans);
                for (size_t o = 0; o < orphans.count; o++)
                    has_warden |= orphans.list[o] == below.list[i];
            }
            if (!has_warden)
                kill(below.list[i], SIGKILL);
        }
        process_list_deinit(&orphans);
    }
}

static int listen_for_children(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Signals of the terminal are the executor's to judge: the helper goes when the executor has gone. */
static void serve(int socket)
{
    struct wardens wardens = {.list = NULL};
    int descriptors[WIRE_DESCRIPTORS];
    prctl(PR_SET_NAME, "verdict-helper");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    int signals = listen_for_children();
    struct pollfd fds[] = {{.fd = socket, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    for (;;) {
        if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
            continue;
        if (fds[1].revents != 0)
            reap(&wardens, signals);
        if (fds[0].revents == 0)
            continue;
        if (receive(socket, descriptors) == 0)
            return;
        make_warden(socket, &wardens, signals, descriptors);
    }
}

int helper_start(struct helper **helper_r, struct error *error)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set(error, "unavailable", "no socket pair: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        serve(pair[1]);
        _exit(0);
    }
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return error_set(error, "unavailable", "cannot fork: %s", strerror(errno));
    }
    struct helper *helper = xcalloc(1, sizeof *helper);
    *helper = (struct helper){.socket = pair[0], .pid = pid};
    *helper_r = helper;
    return 0;
}

void helper_stop(struct helper **helper_p)
{
    struct helper *helper = *helper_p;
    if (helper == NULL)
        return;
    fd_close(&helper->socket);
    waitpid(helper->pid, NULL, 0);
    memory_free(helper_p);
}

int helper_fd(const struct helper *helper)
{
    return helper->socket;
}

int helper_request(struct helper *helper, const int descriptors[WIRE_DESCRIPTORS],
                   struct error *error)
{
    char byte = 0;
    union control control = {.bytes = ""};
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * WIRE_DESCRIPTORS);
    memcpy(CMSG_DATA(header), descriptors, sizeof(int) * WIRE_DESCRIPTORS);
    if (sendmsg(helper->socket, &message, MSG_NOSIGNAL) != 1)
        return error_set(error, means_code(errno, "unavailable"),
                         "the helper that starts processes cannot be told: %s", strerror(errno));
    return 0;
}
