/* SPDX-License-Identifier: Apache-2.0 */
/* apply: makes what verdict.yaml says and is not there, changes what is different, removes nothing. */
#include <string.h>

#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "manifest.h"
#include "output.h"

struct applying {
    struct cli *cli;
    const char *project;
    json_t *done; /* for --json: [{"kind", "name", "made"}] */
};

static void note(struct applying *applying, const char *kind, const char *name)
{
    bool made = applying->cli->last_status == 201;
    json_array_append_new(applying->done,
                          json_pack("{s:s, s:s, s:b}", "kind", kind, "name", name, "made", made));
    fprintf(stderr, "%-12s %s%s\n", kind, name, made ? "  (new)" : "");
}

static int apply_project(struct applying *applying, const json_t *manifest, struct error *error)
{
    const char *title = json_find_text(manifest, "title");
    AUTO(text_free) char *path = api_path("/v1/projects/%s", applying->project);
    AUTO(json_free)
    json_t *body = json_pack("{s:s}", "title", title == NULL ? applying->project : title);
    struct error inner;
    if (api_call(applying->cli, "PUT", path, body, NULL, error) == 0) {
        note(applying, "project", applying->project);
        return 0;
    }
    /* A token of the project may not make projects; what is below it may go on when it is there. */
    if (applying->cli->last_status != 403 ||
        api_call(applying->cli, "GET", path, NULL, NULL, &inner) < 0)
        return -1;
    return 0;
}

/* Everything that has a slug: PUT at it. */
static int apply_section(struct applying *applying, const json_t *manifest, const char *section,
                         const char *kind, struct error *error)
{
    const char *slug;
    json_t *entry;
    json_object_foreach (json_object_get(manifest, section), slug, entry) {
        AUTO(text_free)
        char *path = xasprintf("/v1/projects/%s/%s/%s", applying->project, section, slug);
        if (api_call(applying->cli, "PUT", path, entry, NULL, error) < 0)
            return error_wrap(error, "%s %s", kind, slug);
        note(applying, kind, slug);
    }
    return 0;
}

static const json_t *find_webhook(const json_t *webhooks, const char *url)
{
    const json_t *webhook;
    size_t index;
    json_array_foreach (webhooks, index, webhook) {
        const char *known = json_find_text(webhook, "url");
        if (known != NULL && url != NULL && strcmp(known, url) == 0)
            return webhook;
    }
    return NULL;
}

/* A webhook is known by its URL. A new one's secret is shown once: it is data. */
static int apply_webhook(struct applying *applying, const json_t *known, const json_t *entry,
                         struct error *error)
{
    const char *url = json_find_text(entry, "url");
    const json_t *found = find_webhook(known, url);
    AUTO(json_free) json_t *answer = NULL;
    AUTO(text_free) char *all = api_path("/v1/projects/%s/webhooks", applying->project);
    AUTO(text_free) char *id = member_text(found, "id");
    AUTO(text_free) char *path = xasprintf("%s/%s", all, id);
    if (api_call(applying->cli, found == NULL ? "POST" : "PUT", found == NULL ? all : path, entry,
                 &answer, error) < 0)
        return error_wrap(error, "webhook %s", url == NULL ? "" : url);
    note(applying, "webhook", url == NULL ? "" : url);
    if (json_find_text(answer, "secret") != NULL && !applying->cli->options.json)
        printf("secret of %s: %s\n", url, json_find_text(answer, "secret"));
    else if (json_find_text(answer, "secret") != NULL)
        json_object_set(json_array_get(applying->done, json_array_size(applying->done) - 1),
                        "secret", json_object_get(answer, "secret"));
    return 0;
}

static int apply_webhooks(struct applying *applying, const json_t *manifest, struct error *error)
{
    const json_t *wanted = json_object_get(manifest, "webhooks"), *entry;
    AUTO(json_free) json_t *known = NULL;
    AUTO(text_free) char *path = api_path("/v1/projects/%s/webhooks", applying->project);
    size_t index;
    if (json_array_size(wanted) == 0)
        return 0;
    if (api_list(applying->cli, path, 0, &known, error) < 0)
        return -1;
    json_array_foreach (wanted, index, entry)
        if (apply_webhook(applying, known, entry, error) < 0)
            return -1;
    return 0;
}

int cmd_apply(struct cli *cli, struct error *error)
{
    AUTO(json_free) json_t *manifest = NULL, *done = json_array();
    const char *file = cli->options.file == NULL ? "verdict.yaml" : cli->options.file;
    if (manifest_load(file, &manifest, error) < 0)
        return -1;
    struct applying applying = {
        .cli = cli, .project = json_find_text(manifest, "project"), .done = done};
    if (apply_project(&applying, manifest, error) < 0 ||
        apply_section(&applying, manifest, "environments", "environment", error) < 0 ||
        apply_section(&applying, manifest, "suites", "suite", error) < 0 ||
        apply_section(&applying, manifest, "templates", "template", error) < 0 ||
        apply_webhooks(&applying, manifest, error) < 0)
        return -1;
    if (cli->options.json)
        print_json(done);
    return EXIT_PASSED;
}
