/* SPDX-License-Identifier: Apache-2.0 */
/* XML that test tools write, for readers of reports: any encoding of a byte per character, one or several
 * documents, bounded depth and elements. Read by Expat, which refuses entity bombs by itself; a document type is
 * refused altogether. */
#pragma once

#include "report/reader.h"

struct report_xml_handlers {
    /* Names are without their prefix. Texts come in pieces. */
    void (*on_start)(void *context, const char *name, const char **attributes);
    void (*on_end)(void *context, const char *name);
    void (*on_text)(void *context, const char *text, size_t length);
    void *context;
};

struct report_xml;

struct report_xml *report_xml_new(const struct report_xml_handlers *handlers);
void report_xml_free(struct report_xml **xml);
void report_xml_feed(struct report_xml *xml, const char *bytes, size_t length);
/* format: for people, in front of what is wrong. */
enum report_wholeness report_xml_finish(struct report_xml *xml, const char *format,
                                        struct error *why_r);

/* For the handlers: elements around the one that begins or ends; NULL when there is no such attribute. */
int report_xml_depth(const struct report_xml *xml);
void report_xml_fail(struct report_xml *xml, const char *why);
const char *report_xml_attribute(const char **attributes, const char *name);
