// SPDX-License-Identifier: Apache-2.0
// A small table under one mutex: the job ids each lane holds.
#include "relay/claims.h"

#include <pthread.h>
#include <stdlib.h>

struct held {
    int64_t ids[CLAIMS_PER_LANE_MAX];
    size_t count;
    bool is_short;
    struct flight flight;
};

struct claims {
    pthread_mutex_t mutex;
    size_t lanes;
    struct held held[];
};

struct claims *claims_new(size_t lanes)
{
    struct claims *claims = calloc(1, sizeof *claims + lanes * sizeof claims->held[0]);
    if (claims == NULL)
        return NULL;
    claims->lanes = lanes;
    pthread_mutex_init(&claims->mutex, NULL);
    return claims;
}

void claims_free(struct claims *claims)
{
    if (claims == NULL)
        return;
    pthread_mutex_destroy(&claims->mutex);
    free(claims);
}

static bool held_elsewhere(const struct claims *claims, size_t lane, int64_t id)
{
    for (size_t other = 0; other < claims->lanes; other++) {
        const struct held *held = &claims->held[other];
        for (size_t i = 0; other != lane && i < held->count; i++)
            if (held->ids[i] == id)
                return true;
    }
    return false;
}

size_t claims_take(struct claims *claims, size_t lane, int64_t *ids, size_t count)
{
    pthread_mutex_lock(&claims->mutex);
    struct held *held = &claims->held[lane];
    held->count = 0;
    for (size_t i = 0; i < count && held->count < CLAIMS_PER_LANE_MAX; i++)
        if (!held_elsewhere(claims, lane, ids[i]))
            held->ids[held->count++] = ids[i];
    size_t taken = held->count;
    for (size_t i = 0; i < taken; i++)
        ids[i] = held->ids[i];
    pthread_mutex_unlock(&claims->mutex);
    return taken;
}

void claims_release(struct claims *claims, size_t lane)
{
    pthread_mutex_lock(&claims->mutex);
    claims->held[lane].count = 0;
    pthread_mutex_unlock(&claims->mutex);
}

bool claims_all_short(struct claims *claims, size_t lane, bool is_short)
{
    pthread_mutex_lock(&claims->mutex);
    claims->held[lane].is_short = is_short;
    bool all = true;
    for (size_t i = 0; i < claims->lanes; i++)
        all = all && claims->held[i].is_short;
    pthread_mutex_unlock(&claims->mutex);
    return all;
}

void claims_set_flight(struct claims *claims, size_t lane, struct flight flight)
{
    pthread_mutex_lock(&claims->mutex);
    claims->held[lane].flight = flight;
    pthread_mutex_unlock(&claims->mutex);
}

struct flight claims_flight_of_others(struct claims *claims, size_t lane)
{
    struct flight sum = {0};
    pthread_mutex_lock(&claims->mutex);
    for (size_t i = 0; i < claims->lanes; i++)
        if (i != lane)
            flight_add(&sum, &claims->held[i].flight);
    pthread_mutex_unlock(&claims->mutex);
    return sum;
}
