/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the pages of docs/generated that come from libshared's tables: print <page> > <page>.md.
 * What services know about themselves (settings, metrics, routes) they print by themselves. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fields.h"
#include "bus/topics.h"
#include "message/message.h"
#include "model/endings.h"
#include "model/events.h"
#include "model/frameworks.h"
#include "model/limits.h"
#include "model/states.h"

static void print_moves(const char *title, const struct names *names,
                        const struct state_move *moves, size_t count)
{
    printf("\n## %s\n\n| from | to | why |\n| --- | --- | --- |\n", title);
    for (size_t i = 0; i < count; i++)
        printf("| %s | %s | %s |\n", names_get(names, moves[i].from), names_get(names, moves[i].to),
               moves[i].why);
}

static void print_states(void)
{
    printf("# States and their moves\n\nA move that is not here is not made.\n");
    print_moves("Runs", &run_state_names, run_moves, run_moves_count);
    print_moves("Tasks", &task_state_names, task_moves, task_moves_count);
}

static void print_endings(void)
{
    printf(
        "# How runs end\n\nWhen several hold, the lowest precedence wins. The exit code is that of "
        "`verdict`.\n\n"
        "| reason | state | exit | precedence | in words |\n| --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < REASON_COUNT; i++) {
        const struct ending *ending = ending_get((enum reason)i);
        printf("| %s | %s | %d | %d | %s |\n", names_get(&reason_names, i),
               names_get(&run_state_names, (int)ending->state), ending->exit_code,
               ending->precedence, ending->text);
    }
    printf(
        "\nWithout an ending, `verdict` exits with %d for wrong usage or when the server refuses "
        "(token, name), %d when the server cannot be reached or cannot answer now, %d when the "
        "wait is over and the run goes on, and 130 when it was interrupted. Only %d is worth "
        "trying again as it is.\n",
        EXIT_USAGE, EXIT_UNREACHABLE, EXIT_WAIT_OVER, EXIT_UNREACHABLE);
}

static void print_limits(void)
{
    printf("# Limits\n\n| limit | value | unit | of what |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        printf("| %s | %" PRId64 " | %s | %s |\n", limits[i].name, limits[i].value, limits[i].unit,
               limits[i].text);
}

static void print_topics(void)
{
    printf(
        "# Topics\n\nEach name has the installation's prefix before it (`verdict.scheduling`), and "
        "lanes have the pool's id behind it.\n\n"
        "| topic | partitions | by | kept | from | to | carries |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        printf("| %s | %d | %s | %" PRId64 " h | %s | %s | %s |\n", topics[i].suffix,
               topics[i].default_partitions, topics[i].partition_by,
               topics[i].retention_ms / (3600 * 1000), topics[i].writers, topics[i].readers,
               topics[i].carries);
}

static const char *const type_names[] = {
    [FIELD_UUID] = "UUID",      [FIELD_TEXT] = "text",     [FIELD_INT] = "integer",
    [FIELD_REAL] = "number",    [FIELD_BOOL] = "boolean",  [FIELD_ENUM] = "one of",
    [FIELD_JSON] = "any value", [FIELD_OBJECT] = "object", [FIELD_TEXTS] = "list of texts",
    [FIELD_RECORD] = "object",  [FIELD_RECORDS] = "list",
};

static void print_bounds(const struct field *field)
{
    if (field->type == FIELD_ENUM) {
        for (int i = 0; i < field->names->count; i++)
            printf("%s `%s`", i > 0 ? "," : "", names_get(field->names, i));
    } else if (field->type == FIELD_INT && (field->min != 0 || field->max != 0)) {
        printf(" from %" PRId64, field->min);
        if (field->max != INT64_MAX)
            printf(" to %" PRId64, field->max);
    } else if (field->max > 0) {
        printf(", at most %" PRId64 "%s", field->max, field->type == FIELD_TEXT ? " bytes" : "");
    }
}

static void print_fields(const struct fields *fields, const char *prefix)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->list[i];
        char path[256];

        snprintf(path, sizeof(path), "%s%s%s", prefix, field->name,
                 field->type == FIELD_RECORDS ? "[]" : "");
        printf("| %s | %s", path, type_names[field->type]);
        print_bounds(field);
        printf(" | %s |\n", field->optional ? "may be absent" : "");
        if (field->of != NULL) {
            strncat(path, ".", sizeof(path) - strlen(path) - 1);
            print_fields(field->of, path);
        }
    }
}

static void print_messages(void)
{
    printf("# Messages\n\nJSON whose first members are `version` and `type`. Readers ignore "
           "members that "
           "they do not know.\n");
    for (size_t i = 0; i < message_types_count; i++) {
        const struct message_type *type = message_types[i];
        printf("\n## %s\n\nVersion %d, on `%s`: %s.\n\n| member | value | |\n| --- | --- | --- |\n",
               type->name, type->version, type->topic, type->text);
        print_fields(type->fields, "");
    }
}

static void print_events(void)
{
    printf("# Events\n\nWhat webhooks and live streams carry.\n\n| type | when |\n| --- | --- |\n");
    for (size_t i = 0; i < EVENT_TYPE_COUNT; i++)
        printf("| %s | %s |\n", event_types[i].type, event_types[i].text);
}

static void print_frameworks(void)
{
    const struct framework_facts *facts;

    printf("# Frameworks\n\n| framework | runs a list of cases | results case by case | needs a "
           "command "
           "|\n| --- | --- | --- | --- |\n");
    for (int i = 0; (facts = framework_at(i)) != NULL; i++)
        printf("| %s | %s | %s | %s |\n", facts->name, facts->selects_cases ? "yes" : "no",
               facts->streams ? "yes" : "no", facts->needs_command ? "yes" : "no");
}

static const struct {
    const char *name;
    void (*print)(void);
} pages[] = {
    {"states", print_states},         {"endings", print_endings},   {"limits", print_limits},
    {"topics", print_topics},         {"messages", print_messages}, {"events", print_events},
    {"frameworks", print_frameworks},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (argc == 2 && strcmp(argv[1], pages[i].name) == 0) {
            printf("<!-- Printed from the code by `make docs`; do not edit. -->\n");
            pages[i].print();
            return 0;
        }
        if (argc == 1)
            printf("%s\n", pages[i].name);
    }
    if (argc != 1)
        fprintf(stderr, "usage: print [page]; without one it names the pages\n");
    return argc == 1 ? 0 : 2;
}
