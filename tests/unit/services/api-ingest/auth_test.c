/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>

#include "auth.h"
#include "base/json.h"
#include "base/memory.h"

static void a_bearer_header_gives_its_token(void **state)
{
    char token[TOKEN_TEXT_SIZE], header[TOKEN_TEXT_SIZE + 16];
    const char *read;
    (void)state;
    token_make("vd", token);

    snprintf(header, sizeof header, "bearer  %s", token);

    assert_int_equal(auth_read_bearer(header, &read, NULL), 0);
    assert_string_equal(read, token);
}

static void other_headers_are_unauthorized(void **state)
{
    static const char *const headers[] = {
        NULL, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer vd_abc_123456"};
    const char *token;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        struct error error;
        assert_int_equal(auth_read_bearer(headers[i], &token, &error), -1);
        assert_true(error_is(&error, "unauthorized"));
    }
}

static unsigned scopes_of(const char *text)
{
    AUTO(json_free) json_t *json = json_loads(text, 0, NULL);
    unsigned scopes = 0;
    assert_int_equal(auth_scopes_parse(json, &scopes, NULL), 0);
    return scopes;
}

static void scopes_hold_what_they_imply(void **state)
{
    const struct principal admin = {.scopes = scopes_of("[\"admin\"]")};
    const struct principal ci = {.scopes = scopes_of("[\"runs:write\"]")};
    (void)state;

    for (int scope = 0; scope < SCOPE_COUNT; scope++)
        assert_true(principal_may(&admin, (enum token_scope)scope));
    assert_true(principal_may(&ci, SCOPE_RUN_READ));
    assert_false(principal_may(&ci, SCOPE_CONFIG_READ));
    assert_false(principal_may(&ci, SCOPE_ADMIN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bearer_header_gives_its_token),
        cmocka_unit_test(other_headers_are_unauthorized),
        cmocka_unit_test(scopes_hold_what_they_imply),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
