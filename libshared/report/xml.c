/* SPDX-License-Identifier: Apache-2.0 */
/* Expat with bounds. */
#include "report/xml.h"

#include <expat.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "report/text.h"
#include "report/xml_clean.h"

/* Came to expat 2.5.0 with a security update of Debian 12, under the same version number; a library from
 * before defers nothing. */
XML_Bool XML_SetReparseDeferralEnabled(XML_Parser parser, XML_Bool enabled) __attribute__((weak));

#define DEPTH_MAX       64
#define PIECE_BYTES     ((size_t)64 * 1024)
#define CLEAN_BYTES_MAX (4 * PIECE_BYTES) /* a byte becomes three at the most */
#define TOKEN_BYTES_MAX ((size_t)4 * 1024 * 1024)

struct report_xml {
    struct report_xml_handlers handlers;
    XML_Parser parser;
    struct xml_clean clean;
    struct buffer bytes; /* cleaned */
    int depth;
    bool in_document;  /* the root element is open */
    bool any_document; /* one has ended */
    bool broken;
    char why[120];
    bool any_byte;
    int64_t fed;        /* bytes of this document so far */
    size_t quiet_bytes; /* of them since anything came out */
    bool any_event;
    bool root_ended;
    int64_t root_end; /* where, in this document */
};

const char *report_xml_attribute(const char **attributes, const char *name)
{
    for (size_t i = 0; attributes[i] != NULL; i += 2)
        if (strcmp(attributes[i], name) == 0)
            return attributes[i + 1];
    return NULL;
}

int report_xml_depth(const struct report_xml *xml)
{
    return xml->depth;
}

void report_xml_fail(struct report_xml *xml, const char *why)
{
    xml->broken = true;
    snprintf(xml->why, sizeof xml->why, "%s", why);
    XML_StopParser(xml->parser, XML_FALSE);
}

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon == NULL ? name : colon + 1;
}

/* ---- what Expat tells --------------------------------------------------------------------------- */

static void on_start(void *context, const char *name, const char **attributes)
{
    struct report_xml *xml = context;
    if (xml->depth >= DEPTH_MAX) {
        report_xml_fail(xml, "elements are nested too deeply");
        return;
    }
    xml->any_event = true;
    xml->handlers.on_start(xml->handlers.context, local_name(name), attributes);
    if (xml->broken)
        return;
    xml->in_document = true;
    xml->depth++;
}

/* Another root may follow, which is a document of its own. */
static void end_document(struct report_xml *xml)
{
    xml->in_document = false;
    xml->any_document = true;
    xml->root_ended = true;
    xml->root_end = XML_GetCurrentByteIndex(xml->parser) + XML_GetCurrentByteCount(xml->parser);
    XML_StopParser(xml->parser, XML_FALSE);
}

static void on_end(void *context, const char *name)
{
    struct report_xml *xml = context;
    if (xml->broken) /* after a stop Expat still ends an element that is empty */
        return;
    xml->any_event = true;
    xml->depth--;
    xml->handlers.on_end(xml->handlers.context, local_name(name));
    if (xml->depth == 0)
        end_document(xml);
}

static void on_text(void *context, const char *text, int length)
{
    struct report_xml *xml = context;
    xml->any_event = true;
    xml->handlers.on_text(xml->handlers.context, text, (size_t)length);
}

static void on_doctype(void *context, const char *name, const char *system_id,
                       const char *public_id, int has_internal_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    report_xml_fail(context, "it has a document type, which no report needs");
}

/* The character that a byte is; U+FFFD for one that is none. */
static int character_of(iconv_t converter, char byte)
{
    unsigned char wide[4];
    char *from = &byte, *to = (char *)wide;
    size_t from_left = 1, to_left = sizeof wide;
    iconv(converter, NULL, NULL, NULL, NULL);
    if (iconv(converter, &from, &from_left, &to, &to_left) == (size_t)-1 || to_left != 0)
        return 0xfffd;
    return wide[0] | wide[1] << 8 | wide[2] << 16 | wide[3] << 24;
}

/* Encodings that Expat does not know itself: those of a byte per character, and no other converter of the C
 * library is reached by the name that a report gives. */
static int on_encoding(void *context, const char *name, XML_Encoding *encoding_r)
{
    static const char *const known[] = {"windows-125", "cp125", "iso-8859-", "koi8-", "macintosh"};
    bool is_known = false;
    (void)context;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        is_known = is_known || strncasecmp(name, known[i], strlen(known[i])) == 0;
    iconv_t converter = is_known ? iconv_open("UTF-32LE", name) : (iconv_t)-1;
    if (converter == (iconv_t)-1)
        return XML_STATUS_ERROR;
    for (int i = 0; i < 256; i++)
        encoding_r->map[i] = character_of(converter, (char)i);
    iconv_close(converter);
    encoding_r->data = NULL;
    encoding_r->convert = NULL;
    encoding_r->release = NULL;
    return XML_STATUS_OK;
}

/* ---- documents ---------------------------------------------------------------------------------- */

static void start_parser(struct report_xml *xml)
{
    if (xml->parser == NULL)
        xml->parser = XML_ParserCreate(NULL);
    else
        XML_ParserReset(xml->parser, NULL);
    /* Else a root's end may be told of only when bytes of the next document are swallowed; that one
     * token is not read over and over again is what TOKEN_BYTES_MAX sees to. */
    if (XML_SetReparseDeferralEnabled != NULL)
        XML_SetReparseDeferralEnabled(xml->parser, XML_FALSE);
    xml->fed = 0;
    xml->quiet_bytes = 0;
    xml->depth = 0;
    XML_SetUserData(xml->parser, xml);
    XML_SetElementHandler(xml->parser, on_start, on_end);
    XML_SetCharacterDataHandler(xml->parser, on_text);
    XML_SetStartDoctypeDeclHandler(xml->parser, on_doctype);
    XML_SetUnknownEncodingHandler(xml->parser, on_encoding, NULL);
}

static void note_error(struct report_xml *xml)
{
    if (xml->broken)
        return;
    xml->broken = true;
    snprintf(xml->why, sizeof xml->why, "line %lu: %s",
             (unsigned long)XML_GetCurrentLineNumber(xml->parser),
             XML_ErrorString(XML_GetErrorCode(xml->parser)));
}

/* Feeds one piece, or what of it belongs to the document that ends within; returns how much that was. */
static size_t feed_piece(struct report_xml *xml, const char *bytes, size_t length)
{
    xml->root_ended = false;
    if (xml->fed == 0) {
        size_t space = report_skip_space(bytes, length);
        if (space > 0)
            return space;
    }
    enum XML_Status status = XML_Parse(xml->parser, bytes, (int)length, XML_FALSE);
    if (xml->root_ended) {
        size_t used = (size_t)(xml->root_end - xml->fed);
        start_parser(xml);
        return used < length ? used : length;
    }
    xml->fed += (int64_t)length;
    xml->quiet_bytes = xml->any_event ? 0 : xml->quiet_bytes + length;
    xml->any_event = false;
    if (status == XML_STATUS_ERROR)
        note_error(xml);
    else if (xml->quiet_bytes > TOKEN_BYTES_MAX)
        report_xml_fail(xml, "one of its elements is too large");
    return length;
}

static void feed_clean(struct report_xml *xml)
{
    for (size_t at = 0; at < xml->bytes.length && !xml->broken;)
        at += feed_piece(xml, xml->bytes.data + at, xml->bytes.length - at);
    buffer_clear(&xml->bytes);
}

/* ---- the interface ------------------------------------------------------------------------------ */

struct report_xml *report_xml_new(const struct report_xml_handlers *handlers)
{
    struct report_xml *xml = xcalloc(1, sizeof *xml);
    xml->handlers = *handlers;
    buffer_init(&xml->bytes, CLEAN_BYTES_MAX);
    start_parser(xml);
    return xml;
}

void report_xml_free(struct report_xml **xml)
{
    if (*xml == NULL)
        return;
    XML_ParserFree((*xml)->parser);
    buffer_deinit(&(*xml)->bytes);
    memory_free(xml);
}

void report_xml_feed(struct report_xml *xml, const char *bytes, size_t length)
{
    xml->any_byte |= report_skip_space(bytes, length) < length;
    while (length > 0 && !xml->broken) {
        size_t piece = length < PIECE_BYTES ? length : PIECE_BYTES;
        xml_clean_feed(&xml->clean, bytes, piece, &xml->bytes);
        feed_clean(xml);
        bytes += piece;
        length -= piece;
    }
}

enum report_wholeness report_xml_finish(struct report_xml *xml, const char *format,
                                        struct error *why_r)
{
    if (!xml->any_byte)
        return REPORT_EMPTY;
    if (!xml->broken)
        xml_clean_end(&xml->clean, &xml->bytes);
    feed_clean(xml);
    if (!xml->broken && !xml->in_document && xml->any_document)
        return REPORT_WHOLE;
    if (xml->broken)
        error_set(why_r, "invalid", "%s: %s", format, xml->why);
    else
        error_set(why_r, "invalid", "%s: line %lu: it ends in the middle", format,
                  (unsigned long)XML_GetCurrentLineNumber(xml->parser));
    return REPORT_CUT;
}
