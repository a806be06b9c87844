/* SPDX-License-Identifier: Apache-2.0 */
/* What a handler may not do is done by the loop, which an eventfd wakes. */
#include "service/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"

/* The first signal wakes the loop; the second one ends the process wherever it is, also in a call that does
 * not return while a server is away. */
static int signal_fd = -1;
static volatile sig_atomic_t signal_count, signal_number;
static int status_at_once;

/* Nothing but what a signal's handler may do. */
static void end_at_once(const char *line, size_t length)
{
    (void)!write(STDERR_FILENO, line, length);
    _exit(status_at_once);
}

static void on_stop_signal(int number)
{
    static const char line[] =
        "{\"level\":\"warning\",\"message\":\"second signal: ended at once\"}\n";
    const uint64_t one = 1;
    int saved = errno;
    if (signal_count++ > 0)
        end_at_once(line, sizeof line - 1);
    signal_number = number;
    (void)!write(signal_fd, &one, sizeof one);
    errno = saved;
}

static void on_alarm(int number)
{
    static const char line[] =
        "{\"level\":\"warning\",\"message\":\"the grace is over: ended at once\"}\n";
    (void)number;
    end_at_once(line, sizeof line - 1);
}

static void handle(int number, void (*handler)(int))
{
    const struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(number, &action, NULL);
}

void signals_take(int exit_status)
{
    status_at_once = exit_status;
    signal_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (signal_fd < 0)
        abort();
    handle(SIGTERM, on_stop_signal);
    handle(SIGINT, on_stop_signal);
    handle(SIGALRM, on_alarm);
    signal(SIGPIPE, SIG_IGN);
}

int signals_fd(void)
{
    return signal_fd;
}

int signals_stop(void)
{
    uint64_t count;
    (void)!read(signal_fd, &count, sizeof count);
    return signal_count > 0 ? signal_number : 0;
}

void signals_end_within(int64_t left_ms)
{
    alarm(left_ms > 0 ? (unsigned)(left_ms / 1000) + 1 : 1);
}

void signals_close(void)
{
    fd_close(&signal_fd);
}
