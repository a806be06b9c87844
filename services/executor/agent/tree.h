/* SPDX-License-Identifier: Apache-2.0 */
/* The processes below one process, as /proc shows them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_list {
    pid_t *list;
    size_t count, capacity;
};

/* False where /proc is not there: then only process groups can be reached. */
bool tree_is_visible(void);

/* Every living descendant of root, without root itself. Zombies are left out. */
void tree_list(pid_t root, struct process_list *out);
void process_list_deinit(struct process_list *list);

void tree_signal(pid_t root, int signal);
/* Those that are not of this process group. */
void tree_signal_outside(pid_t root, pid_t group, int signal);

/* What all descendants have used of the processors, with their children that have ended. */
int64_t tree_cpu_ms(pid_t root);
/* Resident memory of all descendants, and how many they are. What several share is counted in each. */
int64_t tree_memory_bytes(pid_t root, size_t *count_r);
/* The same with what is shared divided among those that share it. Takes the kernel milliseconds per
 * gigabyte. */
int64_t tree_own_memory_bytes(pid_t root);
