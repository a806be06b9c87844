/* SPDX-License-Identifier: Apache-2.0 */
/* For cppcheck alone, which reads no system headers: the loops of <sys/queue.h>. */
#define LIST_FOREACH(entry, head, link)                                                            \
    for ((entry) = (head)->lh_first; (entry); (entry) = (entry)->link.le_next)
#define STAILQ_FOREACH(entry, head, link)                                                          \
    for ((entry) = (head)->stqh_first; (entry); (entry) = (entry)->link.stqe_next)
#define TAILQ_FOREACH(entry, head, link)                                                           \
    for ((entry) = (head)->tqh_first; (entry); (entry) = (entry)->link.tqe_next)
/* jansson's loops and our attributes. */
#define json_array_foreach(array, index, value) for (index = 0; index < 1; index++, value = 0)
#define json_object_foreach(object, key, value) for (key = 0, value = 0; key != 0;)
#define WARN_UNUSED
#define STAILQ_HEAD(name, type)                                                                    \
    struct name {                                                                                  \
        struct type *stqh_first;                                                                   \
        struct type **stqh_last;                                                                   \
    }
