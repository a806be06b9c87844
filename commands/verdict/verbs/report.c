/* SPDX-License-Identifier: Apache-2.0 */
/* report: documents about a run, or a link to its page. */
#include <string.h>

#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "new_file.h"
#include "output.h"
#include "report_file.h"

int share_print(struct cli *cli, const char *path, struct error *error)
{
    AUTO(text_free) char *expires = xasprintf("%lldms", (long long)cli->options.share_ms);
    AUTO(json_free) json_t *body = json_pack("{s:s}", "expires_in", expires), *answer = NULL;
    if (api_post_repeatable(cli, path, body, &answer, error) < 0)
        return -1;
    if (cli->options.json) {
        print_json(answer);
        return EXIT_PASSED;
    }
    AUTO(text_free) char *text = member_text(answer, "url");
    AUTO(text_free) char *url = api_absolute(cli, text);
    printf("%s\n", url);
    return EXIT_PASSED;
}

int report_save(struct cli *cli, const char *path, const char *accept, const char *output,
                struct error *error)
{
    AUTO(new_file_discard) struct new_file *file = NULL;
    api_watch_signals();
    if (new_file_open(output, &file, error) < 0 ||
        api_download(cli, path, accept, new_file_out(file), error) < 0)
        return error_is(error, "io") ? error_wrap(error, "--output %s", output) : -1;
    return new_file_commit(&file, error) < 0 ? error_wrap(error, "--output %s", output) : 0;
}

static const struct {
    const char *name, *accept;
} formats[] = {{"html", "text/html"},
               {"junit", "application/xml"},
               {"json", "application/json"},
               {"markdown", "text/markdown"},
               {"ctrf", "application/json"}};

static const char *find_accept(const char *format)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (strcmp(formats[i].name, format) == 0)
            return formats[i].accept;
    return NULL;
}

static int check_formats(const struct texts *asked, const struct texts *outputs,
                         struct error *error)
{
    for (size_t i = 0; i < asked->count; i++)
        if (find_accept(asked->list[i]) == NULL)
            return usage_error(error, "--format %s: one of html, junit, json, markdown, ctrf",
                               asked->list[i]);
    if (asked->count <= 1 && outputs->count <= 1)
        return 0;
    if (asked->count != outputs->count)
        return usage_error(error, "%zu --format and %zu --output: each format needs its file",
                           asked->count, outputs->count);
    return 0;
}

static int write_report(struct cli *cli, const char *format, const char *output,
                        struct error *error)
{
    AUTO(text_free) char *base = api_path("/v1/runs/%s/report", cli->options.rest[0]);
    AUTO(text_free) char *path = xasprintf("%s?format=%s", base, format);
    const char *accept = find_accept(format);
    return output == NULL ? api_download(cli, path, accept, stdout, error)
                          : report_save(cli, path, accept, output, error);
}

static void note_written(const struct cli *cli, json_t *written, const char *format,
                         const char *output)
{
    if (cli->options.json && output != NULL)
        json_array_append_new(written, json_pack("{s:s, s:o}", "format", format, "output",
                                                 json_lossy(output, strlen(output))));
}

int cmd_report(struct cli *cli, struct error *error)
{
    AUTO(json_free) json_t *written = json_array();
    const struct texts *asked = &cli->options.formats, *outputs = &cli->options.outputs;
    AUTO(text_free) char *link_path = api_path("/v1/runs/%s/share", cli->options.rest[0]);
    if (cli->options.share_ms > 0)
        return share_print(cli, link_path, error);
    if (check_formats(asked, outputs, error) < 0)
        return -1;
    for (size_t i = 0; i == 0 || i < asked->count; i++) {
        const char *format = i < asked->count    ? asked->list[i]
                             : cli->options.json ? "json"
                                                 : "html";
        const char *output = i < outputs->count ? outputs->list[i] : NULL;
        if (write_report(cli, format, output, error) < 0)
            return -1;
        note_written(cli, written, format, output);
    }
    if (json_array_size(written) > 0)
        print_json(written);
    return EXIT_PASSED;
}
