/* SPDX-License-Identifier: Apache-2.0 */
#include "runs/run_json.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "runs/run_links.h"

#define ETAG_BYTES 9 /* 72 bits, 18 digits */

struct counted_text {
    struct run_text text; /* first: callers hold a pointer to it */
    atomic_int references;
};

static void make_etag(struct run_text *text)
{
    unsigned char hash[crypto_generichash_BYTES_MIN];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)text->body, text->length, NULL, 0);
    sodium_bin2hex(text->etag, sizeof text->etag, hash, ETAG_BYTES);
}

static struct run_text *make(const struct run_text *from)
{
    struct counted_text *counted = xcalloc(1, sizeof *counted);
    counted->text = *from;
    counted->references = 1;
    make_etag(&counted->text);
    return &counted->text;
}

struct run_text *run_text_new(const struct ingest *ingest, struct run_view *view)
{
    json_object_set_new(view->json, "links", run_links(ingest, &view->id));
    struct run_text text = {.id = view->id,
                            .project_id = view->project_id,
                            .version = view->version,
                            .revision = view->revision,
                            .is_final = view->is_final,
                            .body = json_text(view->json)};
    text.length = strlen(text.body);
    run_view_deinit(view);
    return make(&text);
}

struct run_text *run_text_from(const struct uuid *id, const struct uuid *project_id,
                               int64_t version, int64_t revision, bool is_final, const char *body,
                               size_t length)
{
    return make(&(struct run_text){.id = *id,
                                   .project_id = *project_id,
                                   .version = version,
                                   .revision = revision,
                                   .is_final = is_final,
                                   .body = xstrndup(body, length),
                                   .length = length});
}

struct run_text *run_text_ref(struct run_text *text)
{
    atomic_fetch_add(&((struct counted_text *)text)->references, 1);
    return text;
}

void run_text_unref(struct run_text **text_)
{
    struct run_text *text = TAKE(*text_);
    if (text == NULL || atomic_fetch_sub(&((struct counted_text *)text)->references, 1) > 1)
        return;
    free(text->body);
    free(text);
}

void run_text_answer(const struct run_text *text, int status, struct response *response)
{
    response_bytes(response, status, "application/json", xstrndup(text->body, text->length),
                   text->length);
    if (status == 200)
        response_etag(response, text->etag);
}
