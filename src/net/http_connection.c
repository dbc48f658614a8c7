// SPDX-License-Identifier: Apache-2.0
// Connections: libmicrohttpd's and the list of ours.
#include "net/http_internal.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static void peer_of_sockaddr(struct http_peer *ret_peer, const struct sockaddr *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (address && address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        memcpy(ret_peer->bytes, mapped, sizeof mapped);
        memcpy(ret_peer->bytes + sizeof mapped, &v4.sin_addr, 4);
    } else if (address && address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        memcpy(ret_peer->bytes, &v6.sin6_addr, 16);
    }
}

static void connection_opened(struct http_server *server, struct MHD_Connection *mhd,
                              void **socket_context)
{
    struct connection *connection = calloc(1, sizeof *connection);
    *socket_context = connection;
    if (!connection)
        return;
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *address =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    connection->server = server;
    connection->mhd = mhd;
    connection->fd = fd ? fd->connect_fd : -1;
    peer_of_sockaddr(&connection->request.peer, address ? address->client_addr : NULL);
    atomic_init(&connection->deadline, DEADLINE_NONE);
    (void)http_deadline_set(connection, server->options.header_ms_max, true);
    pthread_mutex_lock(&server->lock);
    connection->next = server->connections;
    if (connection->next)
        connection->next->previous = connection;
    server->connections = connection;
    pthread_mutex_unlock(&server->lock);
}

static void connection_closed(struct http_server *server, struct connection *connection)
{
    if (!connection)
        return;
    pthread_mutex_lock(&server->lock);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    pthread_mutex_unlock(&server->lock);
    arena_free(connection->request.arena);
    free(connection);
}

void http_on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
                        enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_opened(context, mhd, socket_context);
    else
        connection_closed(context, *socket_context);
}

struct connection *http_connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}
