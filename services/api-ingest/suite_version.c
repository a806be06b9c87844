/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_version.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/json.h"
#include "base/memory.h"
#include "db/suite_version.h"
#include "model/frameworks.h"
#include "model/limits.h"

void suite_digest(const struct suite_spec *spec, uint8_t digest_r[SUITE_DIGEST_BYTES])
{
    AUTO(json_free) json_t *json = fields_encode(&suite_fields, spec);
    AUTO(text_free) char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    assert(text != NULL);
    crypto_generichash(digest_r, SUITE_DIGEST_BYTES, (const unsigned char *)text, strlen(text),
                       NULL, 0);
}

/* Keys seen so far, to name the second of two equal cases. */
struct seen_key {
    char hex[CASE_KEY_HEX_SIZE];
    size_t index;
    UT_hash_handle hh;
};

static void forget(struct seen_key **seen)
{
    struct seen_key *key, *next;
    HASH_ITER (hh, *seen, key, next) {
        HASH_DEL(*seen, key);
        free(key);
    }
}

static int see(struct seen_key **seen, const struct case_key *key, size_t index,
               struct error *error)
{
    struct seen_key *earlier;
    HASH_FIND_STR(*seen, key->hex, earlier);
    if (earlier != NULL) {
        char field[32];
        snprintf(field, sizeof field, "cases[%zu]", index);
        return error_field(error, field, "%s is the same case as cases[%zu]", field,
                           earlier->index);
    }
    struct seen_key *added = xcalloc(1, sizeof *added);
    memcpy(added->hex, key->hex, sizeof added->hex);
    added->index = index;
    HASH_ADD_STR(*seen, hex, added);
    return 0;
}

static int add_case(const struct framework_facts *framework, const char *slug, const char *selector,
                    size_t index, struct declared_cases *cases, struct seen_key **seen,
                    struct error *error)
{
    AUTO(text_free) char *file = NULL;
    AUTO(text_free) char *class = NULL;
    AUTO(text_free) char *name = NULL;
    AUTO(text_free) char *parameters = NULL;
    framework->read_selector(selector, &file, &class, &name, &parameters);
    const struct case_key key =
        framework_case_key(framework, slug, file, class, name, parameters, 0);
    if (see(seen, &key, index, error) < 0)
        return -1;
    declared_cases_add(cases, &key, selector, file, class, name, parameters);
    return 0;
}

static int read_cases(const struct suite_spec *spec, const char *slug, struct declared_cases *cases,
                      struct error *error)
{
    const struct framework_facts *framework = framework_find(spec->framework);
    AUTO(forget) struct seen_key *seen = NULL;
    assert(framework != NULL);
    for (size_t i = 0; i < spec->cases.count; i++)
        if (add_case(framework, slug, spec->cases.list[i], i, cases, &seen, error) < 0)
            return -1;
    return 0;
}

/* The specification as it is stored, and as it travels to executors: its cases are rows. */
static int stored_spec(const struct suite_spec *spec, char **text_r, struct error *error)
{
    AUTO(json_free) json_t *json = fields_encode(&suite_fields, spec);
    json_object_del(json, "cases");
    AUTO(text_free) char *text = json_text(json);
    if (strlen(text) > (size_t)LIMIT_TASK_SPEC_BYTES)
        return error_set(error, "invalid",
                         "the suite without its cases is longer than %lld bytes of JSON",
                         (long long)LIMIT_TASK_SPEC_BYTES);
    *text_r = TAKE(text);
    return 0;
}

int suite_draft_make(const char *slug, const struct suite_spec *spec, struct suite_draft **draft_r,
                     struct error *error)
{
    AUTO(suite_draft_free) struct suite_draft *draft = xcalloc(1, sizeof *draft);
    draft->id = uuid_v7();
    draft->cases = (int64_t)spec->cases.count;
    draft->declared = declared_cases_new();
    suite_digest(spec, draft->digest);
    if (stored_spec(spec, &draft->spec, error) < 0 ||
        read_cases(spec, slug, draft->declared, error) < 0)
        return -1;
    *draft_r = TAKE(draft);
    return 0;
}

int suite_version_ensure(struct store *store, const struct uuid *project_id, const char *slug,
                         const struct suite_spec *spec, struct suite_version_ref *version_r,
                         struct error *error)
{
    AUTO(suite_draft_free) struct suite_draft *draft = NULL;
    struct suite_version_row row = {.project_id = project_id, .slug = slug};
    struct uuid found;
    suite_digest(spec, row.digest);
    if (suite_version_db_hold(store, &row, &found, error) < 0)
        return -1;
    if (uuid_is_null(&found) && (suite_draft_make(slug, spec, &draft, error) < 0 ||
                                 suite_version_db_add(store, &row, draft, &found, error) < 0))
        return -1;
    version_r->id = found;
    version_r->cases = (int64_t)spec->cases.count;
    return 0;
}
