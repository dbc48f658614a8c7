# SPDX-License-Identifier: Apache-2.0
"""The merchant's side: takes the webhooks that Sluice sends out, and checks their signatures."""
import http.server
import json
import threading

import webhooks


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # the library's 5 make a client that sends 16 at once wait a second


class Receiver:
    """Listens on a free port from creation on.

    `events` holds what came, by type; every genuine body is a line of the file `kept`.
    """

    def __init__(self, secret, kept):
        self.secret = secret
        self.kept = kept
        self.lock = threading.Lock()
        self.events = {}  # id: type
        self.forged = 0
        self.server = Server(('127.0.0.1', 0), self._handler())
        self.url = f'http://127.0.0.1:{self.server.server_address[1]}/sluice'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _handler(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
                genuine = receiver.take(self.headers, body)
                self.send_response(204 if genuine else 401)
                self.end_headers()

            def log_message(self, *_):
                pass

        return Handler

    def take(self, headers, body):
        genuine = webhooks.is_genuine(self.secret, headers, body)
        with self.lock:
            if genuine:
                self.events[headers['webhook-id']] = json.loads(body).get('type')
                with open(self.kept, 'ab') as out:
                    out.write(body + b'\n')
            else:
                self.forged += 1
        return genuine

    def count(self, kind):
        with self.lock:
            return sum(1 for value in self.events.values() if value == kind)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
