# SPDX-License-Identifier: Apache-2.0
"""The API under test: its process, its store's row counts, HTTP calls and webhook signatures."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import sqlite3
import subprocess
import tempfile
import time

REPLY_SECONDS_MAX = 20
STANDARD_SECRET = base64.b64decode('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
STRIPE_SECRETS = ('whsec_test_secret', 'whsec_next_secret')
COINBASE_SECRET = 'cc_test_secret_16'


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json.get('code')


class Server:
    """One api_server on a store of its own."""

    def __init__(self, binary, **options):
        self.directory = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.directory.name, 'store.db')
        self.process = subprocess.Popen(
            [binary, self.path, *(f'{name}={value}' for name, value in options.items())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.keys = {}
        while True:
            name, value = self.process.stdout.readline().split()
            if name == 'port':
                self.port = int(value)
                break
            self.keys[name] = value

    def order(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        assert self.process.stdout.readline() == 'ok\n', line

    def reopen(self):
        """Server and store end and start anew, as in a restart."""
        self.process.stdin.write('reopen\n')
        self.process.stdin.flush()
        name, value = self.process.stdout.readline().split()
        assert name == 'port'
        self.port = int(value)

    def stop(self):
        self.process.stdin.close()
        status = self.process.wait(timeout=REPLY_SECONDS_MAX)
        self.process.stdout.close()
        self.directory.cleanup()
        return status

    def rows(self):
        """Rows of every table, so that a test can see that nothing was stored."""
        with sqlite3.connect(f'file:{self.path}?mode=ro', uri=True) as connection:
            names = [row[0] for row in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'")]
            counts = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                      for name in names}
        connection.close()
        return counts

    def count(self, sql, *arguments):
        connection = sqlite3.connect(f'file:{self.path}?mode=ro', uri=True)
        value = connection.execute(sql, arguments).fetchone()[0]
        connection.close()
        return value

    def call(self, method, path, body=None, key=None, headers=()):
        """headers: pairs, so that a name may stand twice."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=REPLY_SECONDS_MAX)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection.putrequest(method, path, skip_accept_encoding=True)
        if body is not None:
            connection.putheader('Content-Length', str(len(body)))
        if key:
            connection.putheader('Authorization', f'Bearer {self.keys.get(key, key)}')
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        try:
            if body:
                connection.send(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before it was read: the answer is there
        answer = connection.getresponse()
        reply = Reply(answer.status, answer.headers, answer.read())
        connection.close()
        return reply

    def raw(self, data):
        """Sends bytes, reads until the server closes."""
        with socket.create_connection(('127.0.0.1', self.port), timeout=REPLY_SECONDS_MAX) as link:
            link.sendall(data)
            received = b''
            while part := link.recv(65536):
                received += part
        return received


def signature(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def standard_headers(body, identity='msg_1', at=None, key=STANDARD_SECRET):
    at = str(int(time.time()) if at is None else at)
    digest = signature(key, f'{identity}.{at}.'.encode() + body)
    return [('webhook-id', identity), ('webhook-timestamp', at),
            ('webhook-signature', 'v1,' + base64.b64encode(digest).decode())]


def stripe_headers(body, at=None, key=STRIPE_SECRETS[0]):
    at = str(int(time.time()) if at is None else at)
    digest = signature(key.encode(), f'{at}.'.encode() + body).hex()
    return [('Stripe-Signature', f't={at},v1={digest}')]


def coinbase_headers(body, key=COINBASE_SECRET):
    return [('X-CC-Webhook-Signature', signature(key.encode(), body).hex())]


def encoded(event):
    return json.dumps(event).encode()


def standard_payment(payment, wallet, amount='12.50', kind='payment.confirmed', **more):
    return encoded({'type': kind, 'data': {'payment_id': payment, 'wallet': wallet,
                                           'amount': amount, **more}})


def stripe_event(kind, identity='evt_1', **members):
    return encoded({'id': identity, 'type': kind, 'data': {'object': members}})


def coinbase_event(kind, identity='ev1', **data):
    return encoded({'id': 1, 'event': {'id': identity, 'type': kind, 'data': data}})


def wallet(number):
    return '0x' + format(number, '040x')
