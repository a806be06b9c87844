/* SPDX-License-Identifier: Apache-2.0 */
/* verdict: the users' command. A table of commands over the API; its exit status is the verdict. */
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "ci/channel.h"
#include "cli.h"
#include "http/client.h"
#include "options.h"

static const struct {
    const char *code;
    int exit_status;
} exits[] = {
    {"usage", EXIT_USAGE},         {"refused", EXIT_USAGE},
    {"not_found", EXIT_USAGE},     {"unreachable", EXIT_UNREACHABLE},
    {"stopped", EXIT_INTERRUPTED}, {"wait_over", EXIT_WAIT_OVER},
};

static int fail(const struct error *error)
{
    fprintf(stderr, "verdict: %s\n", error->text);
    for (size_t i = 0; i < ARRAY_SIZE(exits); i++)
        if (error_is(error, exits[i].code))
            return exits[i].exit_status;
    return EXIT_USAGE;
}

static int execute(struct cli *cli, const struct cli_command *command, struct error *error)
{
    config_load(cli);
    cli->http = http_client_new();
    return command->run(cli, error);
}

/* Output that is lost is no success, but a reader that has seen enough (`| head`) changes nothing. */
static int finish_output(int status)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0)
        return status;
    fprintf(stderr, "verdict: not all could be written to stdout\n");
    return status == EXIT_PASSED ? EXIT_USAGE : status;
}

int main(int argc, char **argv)
{
    struct cli cli = {.options = {.priority = -1}};
    const struct cli_command *command = NULL;
    struct error error = {.text = ""};
    signal(SIGPIPE, SIG_IGN);
    if (sodium_init() < 0)
        return EXIT_UNREACHABLE;
    int status = options_parse(argc, argv, &cli.options, &command, &error);
    if (status == 0 && command != NULL)
        status = execute(&cli, command, &error);
    if (status < 0)
        status = fail(&error);
    ci_end(&cli);
    http_client_free(&cli.http);
    options_deinit(&cli.options);
    json_decref(cli.config);
    text_free(&cli.link);
    return finish_output(status);
}
