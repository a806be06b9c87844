/* SPDX-License-Identifier: Apache-2.0 */
#include "runs/run_tell.h"

#include "base/memory.h"
#include "ingest.h"
#include "installation.h"
#include "message/run_request.h"

int run_tell_scheduler(struct ingest *ingest, struct store *store, const struct uuid *run_id,
                       const struct uuid *pool_id, struct error *error)
{
    const struct run_request message = {.run_id = *run_id, .pool_id = *pool_id};
    AUTO(text_free) char *payload = NULL;
    char topic[TOPIC_NAME_SIZE];
    int partition;
    if (message_encode(&run_request_message, &message, &payload, error) < 0 ||
        installation_address(ingest->installation, store, TOPIC_SCHEDULING, pool_id->text, topic,
                             &partition, error) < 0)
        return -1;
    return outbox_add(
        ingest->outbox, store,
        &(struct outbox_message){
            .topic = topic, .partition = partition, .key = run_id->text, .payload = payload},
        error);
}
