/* SPDX-License-Identifier: Apache-2.0 */
/* The YAML block behind a test of TAP: of its top level what we know, without a parser of YAML. */
#pragma once

#include "report/text.h"

struct tap_yaml {
    size_t indent; /* of the block */
    bool in_scalar;
    size_t scalar_indent; /* 0: no line of it has been read */
    struct cut_text message;
    int64_t duration_ms;
};

enum tap_yaml_line {
    TAP_YAML_TAKEN,
    TAP_YAML_ENDED, /* by this line */
    TAP_YAML_OTHER, /* the block has ended before, without its mark */
};

void tap_yaml_init(struct tap_yaml *yaml);
void tap_yaml_deinit(struct tap_yaml *yaml);
void tap_yaml_begin(struct tap_yaml *yaml, size_t indent);
enum tap_yaml_line tap_yaml_read(struct tap_yaml *yaml, const char *line);
