/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a task's command, watches its limits, reaps what it leaves, ends the tree. */
#include "agent/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/tree.h"
#include "base/clock.h"
#include "base/memory.h"

#define SAMPLE_MS         100 /* memory and number of processes */
#define KILL_AGAIN_MS     10
#define LOOK_CLOSER_PAUSE 9 /* times as long as the look took */
#define CPU_SLACK_S       2 /* between SIGXCPU and SIGKILL */
#define LOST_STATUS       125

struct warden {
    struct process_plan plan;
    int control; /* -1 when the executor is gone */
    int signals; /* signalfd: SIGCHLD */
    pid_t child;
    bool exited;
    int status;
    int64_t cpu_ms;
    int64_t kill_at_ms; /* 0: nobody has asked for the end */
    int64_t sample_at_ms;
    int64_t look_closer_at_ms; /* at memory */
    int limit;                 /* enum process_limit that was crossed */
};

/* ---- the child, between fork and exec ---------------------------------------------------------- */

static void set_limit(int resource, int64_t soft, int64_t slack)
{
    if (soft <= 0)
        return;
    const struct rlimit limit = {.rlim_cur = (rlim_t)soft, .rlim_max = (rlim_t)(soft + slack)};
    setrlimit((__rlimit_resource_t)resource, &limit);
}

/* Processor time, memory and number of processes are the tree's, which the warden samples: rlimits know
 * single processes and single users only. They are what is left where /proc is not there. */
static void set_limits(const struct process_limits *limits)
{
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    set_limit(RLIMIT_CPU, limits->cpu_seconds, CPU_SLACK_S);
    set_limit(RLIMIT_NOFILE, limits->open_files, 0);
    set_limit(RLIMIT_FSIZE, limits->file_bytes, 0);
    if (tree_is_visible())
        return;
    set_limit(RLIMIT_AS, limits->memory_bytes, 0);
    set_limit(RLIMIT_NPROC, limits->processes, 0);
}

/* Tests are the first to go when the machine is out of memory, not the executor. */
static void offer_to_oom_killer(void)
{
    AUTO(fd_close) int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0)
        (void)!write(fd, "500", 3);
}

static void reset_signals(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Only errno comes back, over the pipe that a successful exec closes. */
static int try_to_become_task(const struct process_plan *plan, const int descriptors[])
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (dup2(null, STDIN_FILENO) < 0 || dup2(descriptors[WIRE_STDOUT], STDOUT_FILENO) < 0 ||
        dup2(descriptors[WIRE_STDERR], STDERR_FILENO) < 0)
        return errno;
    close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
    if (chdir(plan->directory) < 0)
        return errno;
    setsid();
    umask(022);
    offer_to_oom_killer();
    set_limits(&plan->limits);
    reset_signals();
    environ = plan->environment.list;
    execvp(plan->argv.list[0], plan->argv.list);
    return errno;
}

static void become_task(const struct process_plan *plan, const int descriptors[], int failure)
{
    int error_number = try_to_become_task(plan, descriptors);
    (void)!write(failure, &error_number, sizeof error_number);
    _exit(LOST_STATUS);
}

/* ---- talking to the executor ------------------------------------------------------------------- */

static void say(struct warden *warden, enum warden_said kind, const struct warden_report *more)
{
    struct warden_report report = *more;
    report.kind = kind;
    report.pid = warden->child;
    if (warden->control >= 0)
        send(warden->control, &report, sizeof report, MSG_NOSIGNAL);
}

static void end_tree(struct warden *warden, int64_t grace_ms)
{
    int64_t kill_at_ms = monotonic_ms() + grace_ms;
    if (warden->kill_at_ms != 0 && warden->kill_at_ms <= kill_at_ms)
        return;
    if (warden->kill_at_ms == 0 && grace_ms > 0) {
        /* Each once: to many programs a second one means "at once". */
        kill(-warden->child, SIGTERM);
        tree_signal_outside(getpid(), warden->child, SIGTERM);
        tree_signal(getpid(), SIGCONT); /* what is stopped hears nothing */
    }
    warden->kill_at_ms = kill_at_ms;
}

static void read_orders(struct warden *warden)
{
    struct warden_order order;
    ssize_t length = recv(warden->control, &order, sizeof order, MSG_DONTWAIT);
    if (length == (ssize_t)sizeof order) {
        end_tree(warden, order.grace_ms);
    } else if (length >= 0 || (errno != EAGAIN && errno != EINTR)) {
        fd_close(&warden->control);
        end_tree(warden, 0);
    }
}

/* ---- watching ---------------------------------------------------------------------------------- */

/* A shell in between tells of its child's signal by 128 + its number. */
static bool ended_by(int status, int number)
{
    return (WIFSIGNALED(status) && WTERMSIG(status) == number) ||
           (WIFEXITED(status) && WEXITSTATUS(status) == 128 + number);
}

static int crossed_limit(const struct warden *warden)
{
    const struct process_limits *limits = &warden->plan.limits;
    if (warden->limit != PROCESS_LIMIT_NONE)
        return warden->limit;
    if (limits->cpu_seconds > 0 && ended_by(warden->status, SIGXCPU))
        return PROCESS_LIMIT_CPU;
    if (limits->cpu_seconds > 0 && ended_by(warden->status, SIGKILL) &&
        warden->cpu_ms >= limits->cpu_seconds * 1000)
        return PROCESS_LIMIT_CPU;
    if (limits->file_bytes > 0 && ended_by(warden->status, SIGXFSZ))
        return PROCESS_LIMIT_FILE;
    return PROCESS_LIMIT_NONE;
}

static void on_child_exited(struct warden *warden, int status, const struct rusage *usage)
{
    AUTO(process_list_deinit) struct process_list strays = {.list = NULL};
    warden->exited = true;
    warden->status = status;
    warden->cpu_ms = (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 +
                     (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;
    if (waitpid(-1, NULL, WNOHANG) >= 0)
        tree_list(getpid(), &strays);
    say(warden, WARDEN_EXITED,
        &(struct warden_report){.status = status,
                                .limit = crossed_limit(warden),
                                .strays = (int32_t)strays.count,
                                .cpu_ms = warden->cpu_ms});
}

/* False when no child is left, and so, for a subreaper, no descendant. */
static bool reap(struct warden *warden)
{
    struct rusage usage;
    int status;
    pid_t pid;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0)
        if (pid == warden->child && !warden->exited)
            on_child_exited(warden, status, &usage);
    return pid == 0;
}

/* Of the whole tree, those that have ended included. */
static int64_t used_cpu_ms(void)
{
    struct rusage ended;
    getrusage(RUSAGE_CHILDREN, &ended);
    return tree_cpu_ms(getpid()) + (ended.ru_utime.tv_sec + ended.ru_stime.tv_sec) * 1000 +
           (ended.ru_utime.tv_usec + ended.ru_stime.tv_usec) / 1000;
}

static bool is_sampled(const struct process_limits *limits)
{
    return limits->memory_bytes > 0 || limits->processes > 0 || limits->cpu_seconds > 0;
}

/* What processes share, as after fork, is counted once. That is slow to ask: only where the quick sum, which is
 * never below it, is over the limit, and for a tenth of our time at the most. */
static bool has_too_much_memory(struct warden *warden, int64_t quick_sum_bytes)
{
    int64_t limit_bytes = warden->plan.limits.memory_bytes, now_ms = monotonic_ms();
    if (limit_bytes <= 0 || quick_sum_bytes <= limit_bytes || now_ms < warden->look_closer_at_ms)
        return false;
    int64_t bytes = tree_own_memory_bytes(getpid());
    warden->look_closer_at_ms = monotonic_ms() + LOOK_CLOSER_PAUSE * (monotonic_ms() - now_ms);
    return bytes > limit_bytes;
}

static void sample(struct warden *warden, int64_t now_ms)
{
    const struct process_limits *limits = &warden->plan.limits;
    size_t count = 0;
    if (!is_sampled(limits) || now_ms < warden->sample_at_ms)
        return;
    warden->sample_at_ms = now_ms + SAMPLE_MS;
    int64_t bytes = tree_memory_bytes(getpid(), &count);
    if (has_too_much_memory(warden, bytes))
        warden->limit = PROCESS_LIMIT_MEMORY;
    else if (limits->processes > 0 && (int64_t)count > limits->processes)
        warden->limit = PROCESS_LIMIT_PROCESSES;
    else if (limits->cpu_seconds > 0 && used_cpu_ms() >= limits->cpu_seconds * 1000)
        warden->limit = PROCESS_LIMIT_CPU;
    if (warden->limit != PROCESS_LIMIT_NONE)
        end_tree(warden, 0);
}

static int wait_ms(const struct warden *warden, int64_t now_ms)
{
    int64_t wait = is_sampled(&warden->plan.limits) ? SAMPLE_MS : 60000;
    if (warden->kill_at_ms == 0)
        return (int)wait;
    int64_t until_kill = warden->kill_at_ms - now_ms;
    if (until_kill <= 0)
        return KILL_AGAIN_MS;
    return (int)(until_kill < wait ? until_kill : wait);
}

static void wait_for_news(struct warden *warden, int64_t now_ms)
{
    struct pollfd fds[] = {{.fd = warden->signals, .events = POLLIN},
                           {.fd = warden->control, .events = POLLIN}};
    struct signalfd_siginfo ignored;
    poll(fds, ARRAY_SIZE(fds), wait_ms(warden, now_ms));
    while (read(warden->signals, &ignored, sizeof ignored) > 0)
        ;
    if (fds[1].revents != 0)
        read_orders(warden);
}

static void watch(struct warden *warden)
{
    while (reap(warden)) {
        int64_t now_ms = monotonic_ms();
        if (warden->exited)
            end_tree(warden, warden->plan.grace_ms);
        else
            sample(warden, now_ms);
        if (warden->kill_at_ms != 0 && now_ms >= warden->kill_at_ms) {
            kill(-warden->child, SIGKILL);
            tree_signal(getpid(), SIGKILL);
        }
        wait_for_news(warden, now_ms);
    }
    say(warden, WARDEN_GONE, &(struct warden_report){.status = warden->status});
}

/* ---- starting ---------------------------------------------------------------------------------- */

static int start(struct warden *warden, const int descriptors[])
{
    int failure[2], error_number = 0;
    if (pipe2(failure, O_CLOEXEC) < 0)
        return errno;
    /* The child shares our memory until it has exec'ed, while we wait: nothing of it has to be copied. It
     * changes its own descriptors, limits and signals, and `environ`, which we do not read. */
    warden->child = vfork();
    if (warden->child == 0)
        become_task(&warden->plan, descriptors, failure[1]);
    close(failure[1]);
    if (warden->child < 0 ||
        read(failure[0], &error_number, sizeof error_number) != (ssize_t)sizeof error_number)
        error_number = warden->child < 0 ? EAGAIN : 0;
    close(failure[0]);
    return error_number;
}

static int listen_for_children(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_SETMASK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

void warden_run(const int descriptors[WIRE_DESCRIPTORS])
{
    struct warden warden = {.control = descriptors[WIRE_CONTROL]};
    prctl(PR_SET_NAME, "verdict-warden");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (int number = 1; number < NSIG; number++)
        signal(number, number == SIGCHLD ? SIG_DFL : SIG_IGN);
    warden.signals = listen_for_children();

    int error_number = wire_plan_read(descriptors[WIRE_PLAN], &warden.plan) < 0
                           ? EINVAL
                           : start(&warden, descriptors);
    close(descriptors[WIRE_PLAN]);
    close(descriptors[WIRE_STDOUT]);
    close(descriptors[WIRE_STDERR]);
    if (error_number != 0) {
        say(&warden, WARDEN_EXEC_FAILED, &(struct warden_report){.error_number = error_number});
        _exit(0);
    }
    say(&warden, WARDEN_STARTED, &(struct warden_report){.status = 0});
    watch(&warden);
    _exit(0);
}
