/* SPDX-License-Identifier: Apache-2.0 */
/* For cppcheck alone, which reads no system headers: the loops of <sys/queue.h>. */
#define LIST_FOREACH(entry, head, link)                                                            \
    for ((entry) = (head)->lh_first; (entry); (entry) = (entry)->link.le_next)
#define STAILQ_FOREACH(entry, head, link)                                                          \
    for ((entry) = (head)->stqh_first; (entry); (entry) = (entry)->link.stqe_next)
#define TAILQ_FOREACH(entry, head, link)                                                           \
    for ((entry) = (head)->tqh_first; (entry); (entry) = (entry)->link.tqe_next)
