/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/ignore */
/* A list of what is left out of a bundle, and behind a NUL byte a path: what its last line says decides, whatever
 * stands before it, and a list that says nothing leaves it to the one above. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "bundle/ignore.h"

#define STARS_MAX 12 /* the C library's fnmatch(3) takes all ways for each one more */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static enum ignore_word ask(const char *list, const char *last_line, const char *path)
{
    AUTO(text_free) char *text = xasprintf("%s\n%s", list, last_line);
    AUTO(ignore_free) struct ignore *above = ignore_new(text, "", NULL);
    AUTO(ignore_free) struct ignore *below = ignore_new("# nothing\n", "", above);
    enum ignore_word word = ignore_ask(below, path, false);
    assert(ignore_ask(above, path, false) == word);
    if (word == IGNORE_LEAVES_OUT)
        assert(ignore_ask(above, path, true) != IGNORE_SAYS_NOTHING);
    return word;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    AUTO(text_free) char *list = xstrndup((const char *)bytes, length);
    size_t used = strlen(list), stars = 0;
    AUTO(text_free)
    char *path = used == length ? xstrdup("a/b.c")
                                : xstrndup((const char *)bytes + used + 1, length - used - 1);
    for (const char *star = list; (star = strchr(star, '*')) != NULL; star++)
        stars++;
    if (stars > STARS_MAX)
        return 0;
    ask(list, "", path);
    assert(ask(list, "**", path) == IGNORE_LEAVES_OUT);
    assert(ask(list, "!**", path) == IGNORE_KEEPS);
    return 0;
}
