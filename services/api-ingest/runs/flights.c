/* SPDX-License-Identifier: Apache-2.0 */
#include "runs/flights.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <uthash.h>

#include "api/checks.h"
#include "base/memory.h"

struct follower {
    struct request *request;
    STAILQ_ENTRY(follower) link;
};
STAILQ_HEAD(follower_list, follower);

struct flight {
    struct uuid run_id;
    struct follower_list followers;
    UT_hash_handle hh;
};

struct flights {
    pthread_mutex_t lock;
    struct flight *list;
};

struct flights *flights_new(void)
{
    struct flights *flights = xcalloc(1, sizeof *flights);
    pthread_mutex_init(&flights->lock, NULL);
    return flights;
}

void flights_free(struct flights **flights)
{
    if (*flights != NULL)
        pthread_mutex_destroy(&(*flights)->lock);
    memory_free(flights);
}

static void begin(struct flights *flights, const struct uuid *run_id)
{
    struct flight *flight = xcalloc(1, sizeof *flight);
    flight->run_id = *run_id;
    STAILQ_INIT(&flight->followers);
    HASH_ADD(hh, flights->list, run_id.text, sizeof flight->run_id.text, flight);
}

bool flights_lead(struct flights *flights, const struct uuid *run_id, struct request *request)
{
    struct flight *flight;
    pthread_mutex_lock(&flights->lock);
    HASH_FIND(hh, flights->list, run_id->text, sizeof run_id->text, flight);
    if (flight == NULL) {
        begin(flights, run_id);
    } else {
        struct follower *follower = xcalloc(1, sizeof *follower);
        follower->request = request;
        request_park(request);
        STAILQ_INSERT_TAIL(&flight->followers, follower, link);
    }
    pthread_mutex_unlock(&flights->lock);
    return flight == NULL;
}

int run_text_answer_to(const struct run_text *text, struct request *request, int status,
                       struct response *response, struct error *error)
{
    const struct uuid *only = &request_principal(request)->project_id;
    if (text == NULL || (!uuid_is_null(only) && !uuid_equal(only, &text->project_id)))
        return no_such("run", request_param(request, "run"), error);
    run_text_answer(text, status, response);
    return 0;
}

void flights_land(struct flights *flights, const struct uuid *run_id, const struct run_text *text,
                  const struct error *error)
{
    struct flight *flight;
    struct follower *follower;
    pthread_mutex_lock(&flights->lock);
    HASH_FIND(hh, flights->list, run_id->text, sizeof run_id->text, flight);
    HASH_DEL(flights->list, flight);
    pthread_mutex_unlock(&flights->lock);
    while ((follower = STAILQ_FIRST(&flight->followers)) != NULL) {
        struct request *request = follower->request;
        struct response *response = request_response(request);
        struct error own;
        STAILQ_REMOVE_HEAD(&flight->followers, link);
        if (error != NULL)
            response_problem(response, error);
        else if (run_text_answer_to(text, request, 200, response, &own) < 0)
            response_problem(response, &own);
        request_complete(request);
        free(follower);
    }
    free(flight);
}
