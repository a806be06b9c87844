/* SPDX-License-Identifier: Apache-2.0 */
/* Jenkins: a JUnit file for its junit step, and properties for readProperties. */
#include "ci/channel.h"

static int outputs(struct cli *cli, const json_t *run, struct error *error)
{
    return ci_save_outputs(cli, run, "verdict.properties", error);
}

static int report(struct cli *cli, const json_t *run, struct error *error)
{
    return ci_save_report(cli, run, "junit", "junit.xml", error);
}

const struct ci_channel ci_jenkins = {.name = "jenkins", .outputs = outputs, .report = report};
