/* SPDX-License-Identifier: Apache-2.0 */
/* What libcurl's multi interface alone can do: POSTs of one body to one URL, so many at once. Prints requests a
 * second.
 *
 *   curl_multi URL BODY-BYTES COUNT AT-ONCE */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static size_t swallow(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes, (void)context;
    return size * count;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static CURL *make(const char *url, const char *body)
{
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    return easy;
}

/* How many have ended; each is begun again while there is something to send. */
static long take_ended(CURLM *multi, long *left)
{
    long ended = 0;
    int waiting;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &waiting)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURL *easy = message->easy_handle;
        if (message->data.result != CURLE_OK)
            exit(1);
        ended++;
        curl_multi_remove_handle(multi, easy);
        if (*left > 0) {
            (*left)--;
            curl_multi_add_handle(multi, easy);
        } else {
            curl_easy_cleanup(easy);
        }
    }
    return ended;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    size_t bytes = (size_t)atol(argv[2]);
    long count = atol(argv[3]), left = count;
    char *body = malloc(bytes + 1);
    if (body == NULL)
        return 1;
    memset(body, 'x', bytes);
    body[bytes] = '\0';
    curl_global_init(CURL_GLOBAL_ALL);
    CURLM *multi = curl_multi_init();
    double began_s = now_s();
    for (int i = 0; i < atoi(argv[4]) && left > 0; i++, left--)
        curl_multi_add_handle(multi, make(argv[1], body));
    for (long ended = 0; ended < count;) {
        int running;
        curl_multi_perform(multi, &running);
        ended += take_ended(multi, &left);
        curl_multi_poll(multi, NULL, 0, running > 0 ? 100 : 0, NULL);
    }
    printf("%.1f\n", (double)count / (now_s() - began_s));
    return 0;
}
