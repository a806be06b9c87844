/* SPDX-License-Identifier: Apache-2.0 */
/* Byte by byte, with a run of plain ones at once. */
#include "report/xml_clean.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define REFERENCE_BYTES_MAX 14

static void replace(const struct xml_clean *clean, struct buffer *out)
{
    buffer_add_text(out, clean->kind == XML_UTF8 ? "\xef\xbf\xbd" : "?");
}

static void release(struct xml_clean *clean, struct buffer *out)
{
    buffer_add(out, clean->held, clean->held_length);
    clean->held_length = 0;
}

/* ---- the head ----------------------------------------------------------------------------------- */

static void blank(char *from, const char *end)
{
    while (from < end)
        *from++ = ' ';
}

/* encoding="…" in a declaration. */
static void read_encoding(struct xml_clean *clean, char *encoding)
{
    char *name = encoding + strcspn(encoding, "\"'");
    size_t length = name[0] == '\0' ? 0 : strcspn(name + 1, "\"'");
    if (length == 0 || name[length + 1] == '\0' || strncasecmp(name + 1, "utf-8", length) == 0)
        return;
    if (strncasecmp(name + 1, "utf-16", 6) == 0)
        blank(encoding, name + length + 2);
    else
        clean->kind = XML_ONE_BYTE;
}

static bool is_utf16(const struct xml_clean *clean)
{
    const unsigned char *head = (const unsigned char *)clean->held;
    return clean->held_length >= 2 &&
           ((head[0] == 0xfe && head[1] == 0xff) || (head[0] == 0xff && head[1] == 0xfe) ||
            memchr(head, '\0', 2) != NULL);
}

static void decide(struct xml_clean *clean)
{
    clean->is_decided = true;
    clean->held[clean->held_length] = '\0';
    if (is_utf16(clean)) {
        clean->kind = XML_AS_IT_IS;
        return;
    }
    const char *declaration = strstr(clean->held, "<?xml");
    char *encoding = strstr(clean->held, "encoding");
    const char *end = strchr(clean->held, '>');
    if (declaration != NULL && encoding != NULL && end != NULL && declaration < encoding &&
        encoding < end)
        read_encoding(clean, encoding);
}

/* Returns how many bytes were taken. */
static size_t take_head(struct xml_clean *clean, const char *bytes, size_t length)
{
    size_t taken = 0;
    while (taken < length && !clean->is_decided) {
        char c = bytes[taken++];
        clean->held[clean->held_length++] = c;
        if (c == '>' || clean->held_length == XML_HEAD_BYTES)
            decide(clean);
    }
    return taken;
}

/* ---- the rest ----------------------------------------------------------------------------------- */

static bool is_control(unsigned char c)
{
    return c < ' ' && c != '\t' && c != '\n' && c != '\r';
}

static bool is_plain(unsigned char c)
{
    return c < 0x80 && c != '&' && !is_control(c);
}

static size_t sequence_length(unsigned char lead)
{
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* The second byte is what tells overlong forms, halves of pairs and what is beyond Unicode. */
static bool continues(const struct xml_clean *clean, unsigned char c)
{
    unsigned char lead = (unsigned char)clean->held[0];
    unsigned char low = 0x80, high = 0xbf;
    if (clean->held_length == 1) {
        low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    }
    return c >= low && c <= high;
}

static bool is_character(long number)
{
    return number == '\t' || number == '\n' || number == '\r' ||
           (number >= 0x20 && number <= 0xd7ff) || (number >= 0xe000 && number <= 0xfffd) ||
           (number >= 0x10000 && number <= 0x10ffff);
}

/* "&#27;" or "&#x1b;", which may be of any length. */
static void end_reference(struct xml_clean *clean, struct buffer *out)
{
    bool is_hex = clean->held[2] == 'x';
    clean->held[clean->held_length] = '\0';
    if (is_character(strtol(clean->held + (is_hex ? 3 : 2), NULL, is_hex ? 16 : 10))) {
        release(clean, out);
        return;
    }
    clean->held_length = 0;
    replace(clean, out);
}

static bool continues_reference(const struct xml_clean *clean, char c)
{
    if (clean->held_length == 1)
        return c == '#';
    if (clean->held_length == 2 && c == 'x')
        return true;
    return clean->held_length < REFERENCE_BYTES_MAX &&
           (clean->held[2] == 'x' && clean->held_length > 2 ? isxdigit((unsigned char)c)
                                                            : isdigit((unsigned char)c));
}

static void take_fresh(struct xml_clean *clean, char c, struct buffer *out)
{
    unsigned char byte = (unsigned char)c;
    bool is_lead = clean->kind == XML_UTF8 && sequence_length(byte) > 0;
    if (c == '&' || is_lead)
        clean->held[clean->held_length++] = c;
    else if (is_control(byte) || (byte >= 0x80 && clean->kind == XML_UTF8))
        replace(clean, out);
    else
        buffer_add_char(out, c);
}

static void take_in_reference(struct xml_clean *clean, char c, struct buffer *out)
{
    bool has_digits = clean->held_length > 3 || (clean->held_length == 3 && clean->held[2] != 'x');
    bool is_end = c == ';' && has_digits;
    if (is_end || continues_reference(clean, c)) {
        clean->held[clean->held_length++] = c;
        if (is_end)
            end_reference(clean, out);
        return;
    }
    release(clean, out);
    take_fresh(clean, c, out);
}

/* U+FFFE and U+FFFF are UTF-8, and no characters of XML. */
static void end_sequence(struct xml_clean *clean, struct buffer *out)
{
    if (memcmp(clean->held, "\xef\xbf\xbe", 3) != 0 &&
        memcmp(clean->held, "\xef\xbf\xbf", 3) != 0) {
        release(clean, out);
        return;
    }
    clean->held_length = 0;
    replace(clean, out);
}

static void take_in_sequence(struct xml_clean *clean, char c, struct buffer *out)
{
    if (!continues(clean, (unsigned char)c)) {
        clean->held_length = 0;
        replace(clean, out);
        take_fresh(clean, c, out);
        return;
    }
    clean->held[clean->held_length++] = c;
    if (clean->held_length == sequence_length((unsigned char)clean->held[0]))
        end_sequence(clean, out);
}

static void take(struct xml_clean *clean, char c, struct buffer *out)
{
    if (clean->held_length == 0)
        take_fresh(clean, c, out);
    else if (clean->held[0] == '&')
        take_in_reference(clean, c, out);
    else
        take_in_sequence(clean, c, out);
}

static void feed_decided(struct xml_clean *clean, const char *bytes, size_t length,
                         struct buffer *out)
{
    size_t at = 0;
    if (clean->kind == XML_AS_IT_IS) {
        buffer_add(out, bytes, length);
        return;
    }
    while (at < length) {
        size_t plain = at;
        while (clean->held_length == 0 && plain < length && is_plain((unsigned char)bytes[plain]))
            plain++;
        buffer_add(out, bytes + at, plain - at);
        at = plain;
        if (at < length)
            take(clean, bytes[at++], out);
    }
}

/* What was held as the head is read like the rest. */
static void feed_head(struct xml_clean *clean, struct buffer *out)
{
    char head[sizeof clean->held];
    size_t length = clean->held_length;
    memcpy(head, clean->held, length);
    clean->held_length = 0;
    feed_decided(clean, head, length, out);
}

void xml_clean_feed(struct xml_clean *clean, const char *bytes, size_t length, struct buffer *out)
{
    if (!clean->is_decided) {
        size_t taken = take_head(clean, bytes, length);
        bytes += taken;
        length -= taken;
        if (!clean->is_decided)
            return;
        feed_head(clean, out);
    }
    feed_decided(clean, bytes, length, out);
}

void xml_clean_end(struct xml_clean *clean, struct buffer *out)
{
    if (!clean->is_decided) {
        decide(clean);
        feed_head(clean, out);
    }
    if (clean->held_length == 0)
        return;
    if (clean->held[0] == '&') {
        release(clean, out);
        return;
    }
    clean->held_length = 0;
    replace(clean, out);
}
