/* SPDX-License-Identifier: Apache-2.0 */
/* Buildkite: a group of the job's log, and by its agent an annotation of the build and meta-data. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "ci/channel.h"
#include "output.h"
#include "verdict_text.h"

#define AGENT         "buildkite-agent"
#define AGENT_WAIT_MS 60000

extern char **environ;

static void begin(void)
{
    fputs("--- Tests run by Verdict\n", stderr);
}

/* 0 when it ended well in time. */
static int await(pid_t process, struct error *error)
{
    int64_t deadline_ms = monotonic_ms() + AGENT_WAIT_MS;
    int status = 0;
    while (waitpid(process, &status, WNOHANG) == 0) {
        if (monotonic_ms() > deadline_ms) {
            kill(process, SIGKILL);
            waitpid(process, &status, 0);
            return error_set(error, "io", "%s takes too long", AGENT);
        }
        poll(NULL, 0, 20);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return error_set(error, "io", "%s fails with %d", AGENT,
                     WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* The agent, with that file as its standard input. What it says goes to stderr. */
static int run_agent(const char *const *words, int input, struct error *error)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    pid_t process = 0;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    int failure = posix_spawnp(&process, AGENT, &files, &attributes,
                               (char *const *)(uintptr_t)words, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (failure != 0)
        return error_set(error, "io", "%s cannot be started: %s", AGENT, strerror(failure));
    return await(process, error);
}

/* An empty file of no folder. */
static FILE *open_input(struct error *error)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    FILE *input = fd < 0 ? NULL : fdopen(fd, "w+");
    if (input == NULL)
        error_set(error, "io", "memory: %s", strerror(errno));
    return input;
}

static int hand_over(const char *const *words, FILE *input, struct error *error)
{
    if (fflush(input) != 0 || lseek(fileno(input), 0, SEEK_SET) < 0)
        return error_set(error, "io", "memory: %s", strerror(errno));
    return run_agent(words, fileno(input), error);
}

static int outputs(struct cli *cli, const json_t *run, struct error *error)
{
    const char *const words[] = {AGENT, "meta-data", "set", "verdict", NULL};
    FILE *input = open_input(error);
    if (input == NULL)
        return -1;
    ci_write_outputs(input, cli, run, true);
    int status = hand_over(words, input, error);
    fclose(input);
    return status;
}

static const char *style_of(const json_t *run)
{
    int exit_status = verdict_exit(run);
    return exit_status == EXIT_PASSED          ? "success"
           : exit_status == EXIT_RUN_CANCELLED ? "warning"
                                               : "error";
}

/* One for each suite: a job that is tried again puts its own in the place of the last one. */
static int annotate(struct cli *cli, const json_t *run, struct error *error)
{
    AUTO(text_free) char *project = member_text(run, "project.slug");
    AUTO(text_free) char *suite = member_text(run, "suite.slug");
    AUTO(text_free) char *context = xasprintf("verdict-%s-%s", project, suite);
    const char *const words[] = {AGENT,       "annotate", "--style", style_of(run),
                                 "--context", context,    NULL};
    FILE *input = open_input(error);
    if (input == NULL)
        return -1;
    int status = ci_write_report(cli, run, "markdown", input, error);
    if (status == 0)
        status = hand_over(words, input, error);
    fclose(input);
    return status;
}

/* The group that failures stand in is shown. */
static int report(struct cli *cli, const json_t *run, struct error *error)
{
    if (verdict_exit(run) != EXIT_PASSED)
        fputs("^^^ +++\n", stderr);
    return annotate(cli, run, error);
}

const struct ci_channel ci_buildkite = {
    .name = "buildkite", .begin = begin, .outputs = outputs, .report = report};
