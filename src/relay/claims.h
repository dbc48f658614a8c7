// SPDX-License-Identifier: Apache-2.0
// Which lane of this process looks at which due jobs, so that two do not prepare the same ones.
// Only a courtesy: what keeps a job from two slots is the store, which refuses the second.
#pragma once

#include "base/status.h"
#include "relay/room.h"

#include <stddef.h>
#include <stdint.h>

struct claims;

struct claims *claims_new(size_t lanes);
// Takes NULL.
void claims_free(struct claims *claims);

// Any thread. Marks the jobs of `ids` that no other lane holds as this lane's, moves them to the
// front in order, and returns how many. What the lane held before is given back first.
size_t claims_take(struct claims *claims, size_t lane, int64_t *ids, size_t count);
void claims_release(struct claims *claims, size_t lane);
// Jobs one lane may hold; more are not handed out.
#define CLAIMS_PER_LANE_MAX 2048

// A lane says whether it lacks gas money; true where every lane does.
bool claims_all_short(struct claims *claims, size_t lane, bool is_short);

// What the lane's own transactions in flight pay; and what those of all the other lanes do. Who is
// about to sign more says so first and asks then, so that of two lanes one sees the other.
void claims_set_flight(struct claims *claims, size_t lane, struct flight flight);
struct flight claims_flight_of_others(struct claims *claims, size_t lane);
