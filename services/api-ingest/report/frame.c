/* SPDX-License-Identifier: Apache-2.0 */
#include "report/frame.h"

#include "report/assets.h"
#include "report/markup.h"

void frame_begin(FILE *out, const char *title, const char *nonce, const char *results)
{
    fputs(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
        "<meta name=\"robots\" content=\"noindex\"><meta name=\"referrer\" content=\"no-referrer\">"
        "<link rel=\"icon\" href=\"data:,\"><title>",
        out);
    markup_text(out, title);
    fprintf(out, "</title>\n<style nonce=\"%s\">\n", nonce);
    fputs(report_css, out);
    fprintf(out,
            "</style></head>\n<body><a class=\"skip\" href=\"#%s\">Skip to the results</a>"
            "<div class=\"page\">\n",
            results);
}

void frame_badge(FILE *out, const char *state, const char *id)
{
    fprintf(out, "<span class=\"badge is-%s\"%s%s%s>", state, id == NULL ? "" : " id=\"",
            id == NULL ? "" : id, id == NULL ? "" : "\"");
    for (const char *c = state; *c != '\0'; c++)
        fputc(*c == '_' ? ' ' : *c, out);
    fputs("</span>", out);
}
