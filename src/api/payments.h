// SPDX-License-Identifier: Apache-2.0
// What became of a payment, as problems.
#pragma once

#include "api/call.h"
#include "store/payments.h"

// PROBLEM_NONE for a payment that is stored.
enum problem payment_problem(enum payment_outcome outcome);
