// SPDX-License-Identifier: Apache-2.0
// A node that lies, lags or hangs: a real HTTP server between the relayer and anvil, whose answers
// a test bends.
#pragma once

#include <jansson.h>

struct node_proxy;

enum proxy_verdict { PROXY_ANSWER, PROXY_CLOSE };

// Sees each call and the node's whole reply to it (its "result" or "error"), which it may change.
// PROXY_CLOSE: the node has done it, and the caller is never answered. Runs in the proxy's thread.
typedef enum proxy_verdict (*proxy_bend)(void *context, const char *method, const json_t *params,
                                         json_t *reply);

// url: the node behind. Ends the test program where it cannot start.
struct node_proxy *proxy_start(const char *url);
void proxy_stop(struct node_proxy *proxy);
const char *proxy_url(const struct node_proxy *proxy);
// From now on; NULL: it tells the truth.
void proxy_set(struct node_proxy *proxy, proxy_bend bend, void *context);
// From now on the node is not given calls of the method: error (a JSON object, copied) is the
// answer. NULL: it is again.
void proxy_refuse(struct node_proxy *proxy, const char *method, const char *error);
// Calls of the method so far.
size_t proxy_calls(struct node_proxy *proxy, const char *method);
