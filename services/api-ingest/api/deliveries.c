/* SPDX-License-Identifier: Apache-2.0 */
#include "api/deliveries.h"

#include "api/checks.h"
#include "api/times.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/audit.h"
#include "db/delivery.h"
#include "http/request.h"
#include "http/response.h"
#include "ingest.h"
#include "installation.h"
#include "message/delivery_request.h"

static int read_filter(const struct request *request, struct delivery_filter *filter_r,
                       struct times *times, struct error *error)
{
    const char *webhook = request_query(request, "webhook");
    *filter_r = (struct delivery_filter){.state = request_query(request, "state"),
                                         .event = request_query(request, "event")};
    if (webhook != NULL && uuid_parse(webhook, &filter_r->webhook_id, NULL) < 0)
        return error_field(error, "webhook", "webhook must be an id");
    if (times_read(request, times, error) < 0)
        return -1;
    filter_r->since = times->since;
    filter_r->until = times->until;
    return 0;
}

int deliveries_list(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    struct page page;
    struct delivery_filter filter;
    struct times times;
    json_t *items;
    if (page_read(request, &page, error) < 0 || read_filter(request, &filter, &times, error) < 0 ||
        request_store(request, &store, error) < 0 ||
        delivery_db_list(store, &request_project(request)->id, &filter, &page, &items, error) < 0)
        return -1;
    page_answer(response, &page, items);
    return 0;
}

static int find_delivery(struct request *request, struct store *store, json_t **delivery_r,
                         struct error *error)
{
    const char *name = request_param(request, "delivery");
    struct uuid id;
    if (uuid_parse(name, &id, NULL) < 0)
        return no_such("delivery", name, error);
    if (delivery_db_get(store, &request_principal(request)->project_id, &id, delivery_r, error) < 0)
        return -1;
    return *delivery_r == NULL ? no_such("delivery", name, error) : 0;
}

int deliveries_get(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    json_t *delivery;
    if (request_store(request, &store, error) < 0 ||
        find_delivery(request, store, &delivery, error) < 0)
        return -1;
    response_json(response, 200, delivery);
    return 0;
}

/* A hint for the notifier: the row decides. */
static int add_hint(struct request *request, struct store *store, const struct uuid *request_id,
                    const struct uuid *project_id, struct error *error)
{
    struct ingest *ingest = request_ingest(request);
    const struct delivery_request hint = {.request_id = *request_id, .project_id = *project_id};
    struct outbox_message message = {.key = project_id->text,
                                     .traceparent = request_traceparent(request)};
    AUTO(text_free) char *payload = NULL;
    char topic[TOPIC_NAME_SIZE];
    int partition;
    if (installation_address(ingest->installation, store, TOPIC_EVENTS, project_id->text, topic,
                             &partition, error) < 0 ||
        message_encode(&delivery_request_message, &hint, &payload, error) < 0)
        return -1;
    message.topic = topic;
    message.partition = partition;
    message.payload = payload;
    return outbox_add(ingest->outbox, store, &message, error);
}

int deliveries_wish(struct request *request, struct response *response, struct store *store,
                    const struct delivery_wish *wish, struct error *error)
{
    const struct uuid id = uuid_v7();
    const bool is_test = uuid_is_null(&wish->event_id);
    if (delivery_db_request(store, &id, &wish->endpoint_id, is_test ? NULL : &wish->event_id,
                            &request_principal(request)->id, error) < 0 ||
        audit_add(store, request, &wish->project_id, wish->action, &wish->endpoint_id,
                  json_pack("{s:s}", "request_id", id.text), error) < 0 ||
        add_hint(request, store, &id, &wish->project_id, error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    response_json(response, 202, json_pack("{s:s}", "request_id", id.text));
    return 0;
}

/* A delivery that was tried for days may be there for longer than its event. */
static int check_event(struct store *store, const struct delivery_wish *wish, struct error *error)
{
    bool is_there;
    if (delivery_db_has_event(store, &wish->event_id, &wish->project_id, &is_there, error) < 0)
        return -1;
    return is_there ? 0
                    : error_set(error, "gone", "the event of this delivery is not kept any more");
}

int deliveries_redeliver(struct request *request, struct response *response, struct error *error)
{
    struct delivery_wish wish = {.action = "delivery.redeliver"};
    AUTO(json_free) json_t *delivery = NULL;
    struct store *store;
    if (request_begin(request, &store, error) < 0 ||
        find_delivery(request, store, &delivery, error) < 0)
        return -1;
    const json_t *webhook = json_object_get(delivery, "webhook");
    const json_t *event = json_object_get(delivery, "event");
    if (json_find_text(webhook, "url") == NULL)
        return error_set(error, "gone", "the webhook of this delivery was removed");
    if (uuid_parse(json_find_text(webhook, "id"), &wish.endpoint_id, error) < 0 ||
        uuid_parse(json_find_text(event, "id"), &wish.event_id, error) < 0 ||
        uuid_parse(json_find_text(delivery, "project_id"), &wish.project_id, error) < 0 ||
        check_event(store, &wish, error) < 0)
        return -1;
    return deliveries_wish(request, response, store, &wish, error);
}
