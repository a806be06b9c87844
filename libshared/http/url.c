/* SPDX-License-Identifier: Apache-2.0 */
#include "http/url.h"

#include <curl/curl.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static void url_free(CURLU **url)
{
    curl_url_cleanup(*url);
    *url = NULL;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK && text[0] != '\0';
    curl_free(text);
    return has;
}

int url_check(const char *field, const char *text, struct error *error)
{
    AUTO(url_free) CURLU *url = curl_url();
    bool is_http = text_starts(text, "http://") || text_starts(text, "https://");
    /* libcurl takes "https:///host" for "https://host" */
    if (!is_http || strstr(text, ":///") != NULL || strpbrk(text, " \t\r\n") != NULL ||
        curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK || !has_part(url, CURLUPART_HOST))
        return error_field(error, field, "%s must be an absolute http or https URL", field);
    if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
        return error_field(error, field, "%s must not hold a user name or password", field);
    return 0;
}
