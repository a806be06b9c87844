/* SPDX-License-Identifier: Apache-2.0 */
/* cancel: ends a run, and says what won. */
#include <string.h>

#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "output.h"

int cmd_cancel(struct cli *cli, struct error *error)
{
    AUTO(json_free) json_t *run = NULL;
    AUTO(text_free) char *path = api_path("/v1/runs/%s/cancel?wait=10s", cli->options.rest[0]);
    if (api_post_repeatable(cli, path, NULL, &run, error) < 0)
        return -1;
    AUTO(text_free) char *state = member_text(run, "state");
    AUTO(text_free) char *number = member_text(run, "number");
    if (cli->options.json)
        print_json(run);
    if (strcmp(state, "cancelled") == 0)
        fprintf(stderr, "run %s is cancelled\n", number);
    else if (strcmp(state, "queued") == 0 || strcmp(state, "running") == 0)
        fprintf(stderr, "run %s is being cancelled\n", number);
    else
        fprintf(stderr, "run %s was final already: %s\n", number, state);
    return EXIT_PASSED;
}
