#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The API over real sockets on a real store: every route, every refusal, races, limits, framing.

usage: test_api.py API_SERVER [unittest arguments]
"""
import concurrent.futures
import json
import socket
import sys
import threading
import time
import unittest

from client import (STRIPE_SECRETS, Server, coinbase_event, coinbase_headers, encoded,
                    standard_headers, standard_payment, stripe_event, stripe_headers, wallet)

BINARY = sys.argv[1]
ALICE, BOB = wallet(0xa11ce), wallet(0xb0b)  # bob refers alice
STRANGER = wallet(0x57a96e5)
TOKEN = '0x' + 'aa' * 20  # api_server refuses it
CHECKSUMMED = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045'
DIGITS_256 = '115792089237316195423570985008687907853269984665640564039457584007913129639936'


class ApiCase(unittest.TestCase):
    options = {}

    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY, **cls.options)
        cls.call = cls.server.call
        for name in ('gold', 'silver'):
            reply = cls.call('POST', '/v1/programs', key='admin',
                             body={'name': name, 'kind': 'usdc', 'commission_bps': 1000})
            assert reply.status == 201, reply.body
        reply = cls.call('POST', '/v1/users', key='write',
                         body={'wallet': ALICE, 'referrer': BOB, 'program': 'gold'})
        assert reply.status == 201, reply.body

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0, 'api_server ended badly: see its sanitizer report'

    def assert_problem(self, reply, status, code):
        self.assertEqual((reply.status, reply.code), (status, code), reply.body)
        self.assertEqual(reply.headers['Content-Type'], 'application/problem+json')
        document = reply.json
        self.assertEqual(document['status'], status)
        self.assertEqual(document['type'], 'urn:sluice:problem:' + code)
        self.assertTrue(document['hint'] and document['title'])
        self.assertEqual(document['trace_id'], reply.headers['X-Request-Id'])

    def assert_refused(self, row, reply, status, code, before):
        with self.subTest(row):
            self.assert_problem(reply, status, code)
            self.assertEqual(self.server.rows(), before)

    def webhook(self, form, body, headers):
        return self.call('POST', '/v1/webhooks/' + form, body=body, headers=headers)


class Routes(ApiCase):
    def test_a_user_is_created_once_and_read_back(self):
        body = {'wallet': CHECKSUMMED, 'referrer': BOB, 'program': 'gold', 'mint': True}
        created = self.call('POST', '/v1/users', key='write', body=body)
        self.assertEqual(created.status, 201)
        user = created.json
        self.assertEqual((user['wallet'], user['program']), (CHECKSUMMED, 'gold'))
        self.assertTrue(user['referral_job_id'] and user['mint_job_id'])
        again = self.call('POST', '/v1/users', key='write', body=body)
        self.assertEqual((again.status, again.json), (200, user))
        read = self.call('GET', '/v1/users/' + CHECKSUMMED.lower(), key='read')
        self.assertEqual((read.status, read.json), (200, user))

    # fault 58: another referrer, at the API
    def test_another_referrer_is_a_conflict(self):
        reply = self.call('POST', '/v1/users', key='write',
                          body={'wallet': ALICE, 'referrer': wallet(77)})
        self.assert_problem(reply, 409, 'other_referrer')

    def test_a_mint_is_queued_once(self):
        first = self.call('POST', '/v1/mints', key='write', body={'wallet': wallet(501)})
        again = self.call('POST', '/v1/mints', key='write', body={'wallet': wallet(501)})
        self.assertEqual((first.status, again.status), (201, 200))
        self.assertEqual(first.json, again.json)

    def test_a_payment_makes_a_job_that_can_be_followed(self):
        trace = '0af7651916cd43dd8448eb211c80319c'
        made = self.call('POST', '/v1/payments', key='write',
                         body={'id': 'order 1/%', 'wallet': ALICE, 'amount': '12.50'},
                         headers=[('traceparent', f'00-{trace}-b7ad6b7169203331-01')])
        self.assertEqual(made.status, 201)
        self.assertEqual(made.headers['X-Request-Id'], trace)
        payment = made.json
        self.assertEqual((payment['state'], payment['amount'], payment['referrer'].lower()),
                         ('accepted', '12.5', BOB))
        self.assertEqual(self.call('GET', '/v1/payments/order%201%2F%25', key='read').json, payment)
        again = self.call('POST', '/v1/payments', key='write',
                          body={'id': 'order 1/%', 'wallet': ALICE, 'amount': 12500000})
        self.assertEqual((again.status, again.json), (200, payment))
        job = self.call('GET', '/v1/jobs/' + payment['job_id'], key='read').json
        self.assertEqual((job['kind'], job['state'], job['usdc'], job['trace_id']),
                         ('payout_usdc', 'queued', '1.25', trace))
        self.assertEqual([change['to'] for change in job['timeline']], ['queued'])
        self.assertIsNone(job['slot'])
        affiliate = self.call('GET', '/v1/affiliates/' + BOB, key='read').json
        self.assertGreaterEqual(float(affiliate['pending']['usdc']), 1.25)
        self.assertGreaterEqual(affiliate['children'], 1)

    def test_jobs_are_listed_by_filter_and_page(self):
        for number in range(5):
            self.call('POST', '/v1/mints', key='write', body={'wallet': wallet(600 + number)})
        page = self.call('GET', '/v1/jobs?kind=mint_identity&state=queued&limit=2', key='read').json
        self.assertEqual([job['kind'] for job in page['jobs']], ['mint_identity'] * 2)
        seen = [job['id'] for job in page['jobs']]
        while page['next_before']:
            page = self.call('GET', '/v1/jobs?kind=mint_identity&state=queued&limit=2&before='
                             + page['next_before'], key='read').json
            seen += [job['id'] for job in page['jobs']]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual(seen, sorted(seen, key=int, reverse=True))
        mine = self.call('GET', '/v1/jobs?wallet=' + wallet(603), key='read').json
        self.assertEqual([job['wallet'].lower() for job in mine['jobs']], [wallet(603)])

    def test_programs_are_created_listed_changed_and_deactivated(self):
        body = {'name': 'mixed', 'kind': 'hybrid', 'commission_bps': 250, 'sge_rate': '2.5',
                'payout_max': '100', 'hold_seconds': 60, 'trigger': 'first_payment'}
        made = self.call('POST', '/v1/programs', key='admin', body=body)
        self.assertEqual(made.status, 201, made.body)
        self.assertEqual({name: made.json[name] for name in body}, body)
        self.assertTrue(made.json['active'])
        self.assert_problem(self.call('POST', '/v1/programs', key='admin', body=body), 409,
                            'program_exists')
        changed = self.call('PATCH', '/v1/programs/mixed', key='admin',
                            body={'commission_bps': 300, 'payout_max': None})
        self.assertEqual((changed.status, changed.json['commission_bps'],
                          changed.json['payout_max'], changed.json['sge_rate']),
                         (200, 300, None, '2.5'))
        gone = self.call('DELETE', '/v1/programs/mixed', key='admin')
        self.assertEqual((gone.status, gone.json['active']), (200, False))
        self.assertEqual(self.call('GET', '/v1/programs/mixed', key='read').json, gone.json)
        names = [p['name'] for p in
                 self.call('GET', '/v1/programs', key='read').json['programs']]
        self.assertEqual(names, ['gold', 'mixed', 'silver'])
        refused = self.call('POST', '/v1/users', key='write',
                            body={'wallet': wallet(700), 'referrer': BOB, 'program': 'mixed'})
        self.assert_problem(refused, 422, 'program_unknown')

    def test_kinds_are_paused_and_resumed(self):
        paused = self.call('POST', '/v1/admin/pause', key='admin',
                           body={'kinds': ['payout_usdc'], 'why': 'audit'})
        self.assertEqual(paused.status, 200, paused.body)
        held = [(hold['kind'], hold['reason'], hold['why']) for hold in paused.json['holds']]
        self.assertEqual(held, [('payout_usdc', 'paused', 'audit')])
        everything = self.call('POST', '/v1/admin/pause', key='admin')
        self.assertEqual(len(everything.json['holds']), 4)
        self.assertEqual(self.call('GET', '/v1/admin/holds', key='admin').json, everything.json)
        resumed = self.call('POST', '/v1/admin/resume', key='admin', body={})
        self.assertEqual(resumed.json, {'holds': []})

    def test_an_operator_retries_and_cancels(self):
        minted = self.call('POST', '/v1/mints', key='write', body={'wallet': wallet(800)})
        job = minted.json['job_id']
        at = f'/v1/admin/jobs/{job}'
        self.assert_problem(self.call('POST', at + '/retry', key='admin'), 409, 'job_state')
        self.server.order('park ' + job)
        retried = self.call('POST', at + '/retry', key='admin')
        self.assertEqual((retried.status, retried.json['state']), (200, 'queued'))
        cancelled = self.call('POST', at + '/cancel', key='admin')
        self.assertEqual((cancelled.status, cancelled.json['state']), (200, 'cancelled'))
        self.assert_problem(self.call('POST', at + '/cancel', key='admin'), 409, 'job_state')
        audited = self.server.count("SELECT group_concat(actor || ' ' || action) FROM audit "
                                    'WHERE detail = ?', 'job ' + job)
        self.assertEqual(audited, 'key:admin jobs.retry,key:admin jobs.cancel')
        timeline = self.call('GET', '/v1/jobs/' + job, key='read').json['timeline']
        self.assertEqual([(change['to'], change['cause']) for change in timeline][1:],
                         [('parked', 'test'), ('queued', 'operator'), ('cancelled', 'operator')])

    def test_service_pages_need_no_key(self):
        self.assertEqual(self.call('GET', '/healthz').json, {'status': 'ok'})
        self.assertEqual(self.call('GET', '/readyz').json, {'status': 'ready'})
        self.assertIn('/openapi.json', self.call('GET', '/').body.decode())
        document = self.call('GET', '/openapi.json').json
        self.assertEqual(document['openapi'], '3.1.0')
        head = self.call('HEAD', '/healthz')
        self.assertEqual((head.status, head.body), (200, b''))
        self.assertIsNone(head.headers['Server'])

    # fault 32: while the chain makes no blocks, /readyz says so
    def test_readiness_says_why_not(self):
        ready, degraded, stopped, stalled = range(4)
        for readiness, code in ((stopped, 'not_ready'), (stalled, 'chain_stalled')):
            self.server.order(f'readiness {readiness}')
            self.assert_problem(self.call('GET', '/readyz'), 503, code)
        self.server.order(f'readiness {degraded}')
        self.assertEqual(self.call('GET', '/readyz').json, {'status': 'degraded'})
        self.server.order(f'readiness {ready}')
        self.assertEqual(self.call('GET', '/readyz').json, {'status': 'ready'})

    def test_metrics_tell_of_jobs_commits_answers_and_refusals(self):
        self.call('GET', '/v1/jobs')
        self.webhook('standard', b'{"type":"x"}', standard_headers(b'{"type":"x"}'))
        body = standard_payment('metric', ALICE)
        self.webhook('standard', body, standard_headers(body))
        reply = self.call('GET', '/metrics')
        self.assertTrue(reply.headers['Content-Type'].startswith('text/plain; version=0.0.4'))
        lines = dict(line.rsplit(' ', 1) for line in reply.body.decode().splitlines()
                     if not line.startswith('#'))
        self.assertGreaterEqual(int(lines['sluice_jobs{kind="payout_usdc",state="queued"}']), 1)
        self.assertGreaterEqual(int(lines['sluice_refused_total{code="key_missing"}']), 1)
        self.assertGreaterEqual(int(lines['sluice_commit_seconds_count']), 1)
        self.assertGreaterEqual(int(lines['sluice_webhook_durable_seconds_count']), 1)
        self.assertGreaterEqual(
            int(lines['sluice_http_requests_total{route="GET /v1/jobs",status="4xx"}']), 1)
        for line in lines:
            self.assertTrue(line.startswith('sluice_'), line)


class BadInput(ApiCase):
    def refuse(self, rows, method, path, key):
        before = self.server.rows()
        for row, body, status, code in rows:
            body = body if isinstance(body, bytes) else encoded(body)
            self.assert_refused(row, self.call(method, path, body=body, key=key), status, code,
                                before)

    # fault 50: every amount is 400 and nothing is stored
    def test_amounts(self):
        def paying(amount):
            return {'id': 'bad', 'wallet': ALICE, 'amount': amount}
        self.refuse([
            ('negative text', paying('-1'), 400, 'amount_negative'),
            ('negative integer', paying(-1), 400, 'amount_negative'),
            ('zero', paying('0'), 400, 'amount_zero'),
            ('zero integer', paying(0), 400, 'amount_zero'),
            ('exponent', paying('1e3'), 400, 'amount_malformed'),
            ('exponent number', b'{"id":"bad","wallet":"%s","amount":1e3}' % ALICE.encode(), 400,
             'amount_not_exact'),
            ('float', paying(12.5), 400, 'amount_not_exact'),
            ('hex', paying('0x10'), 400, 'amount_malformed'),
            ('space', paying(' 1'), 400, 'amount_malformed'),
            ('unicode digits', paying('\u0661'), 400, 'amount_malformed'),
            ('over-precise', paying('1.0000001'), 400, 'amount_precision'),
            ('overflowing', paying('9223372036854.775808'), 400, 'amount_overflow'),
            ('2^256', paying(DIGITS_256), 400, 'amount_overflow'),
            ('1e77', paying('1e77'), 400, 'amount_malformed'),
            ('78 digits', paying('1' + '0' * 77), 400, 'amount_overflow'),
            ('2^256 as a number', b'{"amount":%s}' % DIGITS_256.encode(), 400,
             'number_out_of_range'),
            ('missing', {'id': 'bad', 'wallet': ALICE}, 400, 'field_missing'),
            ('boolean', paying(True), 400, 'field_type'),
        ], 'POST', '/v1/payments', 'write')

    # fault 51: every wallet is 400 and nothing is stored
    def test_addresses(self):
        def user(address):
            return {'wallet': address, 'referrer': BOB, 'program': 'gold'}
        self.refuse([
            ('zero', user(wallet(0)), 400, 'address_zero'),
            ('39 digits', user(ALICE[:-1]), 400, 'address_length'),
            ('41 digits', user(ALICE + '1'), 400, 'address_length'),
            ('empty', user(''), 400, 'address_length'),
            ('no hex', user('0x' + 'g' * 40), 400, 'address_digits'),
            ('checksum', user(CHECKSUMMED[:-1] + '6'), 400, 'address_checksum'),
            ('token', user(TOKEN), 400, 'address_refused'),
            ('payout contract', user('0x' + '99' * 20), 400, 'address_refused'),
            ('identity contract', user('0x' + '98' * 20), 400, 'address_refused'),
            ('last of 64 lanes', user('0x' + '97' * 20), 400, 'address_refused'),
            ('lane as referrer', {'wallet': STRANGER, 'referrer': '0x' + '97' * 20}, 400,
             'address_refused'),
            ('missing', {'referrer': BOB}, 400, 'field_missing'),
            ('a number', user(5), 400, 'field_type'),
            ('self-referral', {'wallet': STRANGER, 'referrer': STRANGER}, 422, 'self_referral'),
            ('token as referrer', {'wallet': STRANGER, 'referrer': TOKEN}, 400, 'address_refused'),
        ], 'POST', '/v1/users', 'write')

    # fault 58: a ring, at the API
    def test_users(self):
        self.refuse([
            ('unknown program', {'wallet': STRANGER, 'program': 'nope'}, 422, 'program_unknown'),
            ('program name', {'wallet': STRANGER, 'program': 'No!'}, 400, 'program_name_invalid'),
            ('misspelt field', {'wallet': STRANGER, 'referer': BOB}, 400, 'field_unknown'),
            ('mint a text', {'wallet': STRANGER, 'mint': 'yes'}, 400, 'field_type'),
            ('known, unknown program', {'wallet': ALICE, 'program': 'nope'}, 422,
             'program_unknown'),
            ('known, another program', {'wallet': ALICE, 'program': 'silver'}, 409,
             'other_program'),
            ('its referrer in turn', {'wallet': BOB, 'referrer': ALICE}, 422, 'referral_cycle'),
        ], 'POST', '/v1/users', 'write')

    def test_a_conflict_says_what_is_recorded(self):
        bare = {'wallet': wallet(0xbabe)}
        self.assertEqual(self.call('POST', '/v1/users', key='write', body=bare).status, 201)
        for body, code, detail in (
                ({**bare, 'referrer': BOB}, 'other_referrer', 'without a referrer'),
                ({**bare, 'program': 'gold'}, 'other_program', 'without a program'),
                ({'wallet': ALICE, 'referrer': STRANGER}, 'other_referrer', 'another referrer'),
                ({'wallet': ALICE, 'program': 'silver'}, 'other_program', 'another program')):
            reply = self.call('POST', '/v1/users', key='write', body=body)
            self.assert_problem(reply, 409, code)
            self.assertIn(detail, reply.json['detail'])

    def test_payments(self):
        def paying(**members):
            return {'id': 'bad', 'wallet': ALICE, 'amount': '1', **members}
        self.refuse([
            ('unknown user', paying(wallet=STRANGER), 404, 'user_unknown'),
            ('unknown program', paying(program='nope'), 422, 'program_unknown'),
            ('empty id', paying(id=''), 400, 'payment_id_invalid'),
            ('long id', paying(id='x' * 129), 400, 'payment_id_invalid'),
            ('id not ASCII', paying(id='caf\u00e9'), 400, 'payment_id_invalid'),
        ], 'POST', '/v1/payments', 'write')

    def test_the_same_payment_id_with_another_payment_is_a_conflict(self):
        body = {'id': 'fixed', 'wallet': ALICE, 'amount': '5'}
        self.assertEqual(self.call('POST', '/v1/payments', key='write', body=body).status, 201)
        self.refuse([
            ('amount', {**body, 'amount': '6'}, 409, 'payment_differs'),
            ('program', {**body, 'program': 'silver'}, 409, 'payment_differs'),
        ], 'POST', '/v1/payments', 'write')

    def test_bodies(self):
        for path in ('/v1/payments', '/v1/users'):
            self.refuse([
                ('empty', b'', 400, 'body_missing'),
                ('not JSON', b'wallet=1', 400, 'not_json'),
                ('cut off', b'{"wallet":', 400, 'not_json'),
                ('two documents', b'{}{}', 400, 'not_json'),
                ('a list', b'[]', 400, 'not_json'),
                ('duplicate field', b'{"wallet":"a","wallet":"b"}', 400, 'field_duplicate'),
                ('deeply nested', b'{"a":' + b'[' * 5000 + b']' * 5000 + b'}', 400,
                 'json_too_deep'),
                ('not UTF-8', b'{"wallet":"\xff\xfe"}', 400, 'not_utf8'),
                ('over 64 KiB', b'{"wallet":"' + b'a' * 65536 + b'"}', 413, 'body_too_large'),
            ], 'POST', path, 'write')

    def test_programs(self):
        def program(**members):
            return {'name': 'bad', 'kind': 'usdc', 'commission_bps': 100, **members}
        self.refuse([
            ('name', program(name='Bad Name'), 400, 'program_name_invalid'),
            ('no name', {'kind': 'usdc', 'commission_bps': 1}, 400, 'field_missing'),
            ('kind', program(kind='gold'), 400, 'program_rule_invalid'),
            ('no kind', {'name': 'bad', 'commission_bps': 1}, 400, 'field_missing'),
            ('no commission', {'name': 'bad', 'kind': 'usdc'}, 400, 'field_missing'),
            ('zero commission', program(commission_bps=0), 400, 'program_rule_invalid'),
            ('over 100 %', program(commission_bps=10001), 400, 'program_rule_invalid'),
            ('float commission', program(commission_bps=1.5), 400, 'field_type'),
            ('trigger', program(trigger='sometimes'), 400, 'program_rule_invalid'),
            ('usdc with a rate', program(sge_rate='1'), 400, 'program_rule_invalid'),
            ('hybrid without', program(kind='hybrid'), 400, 'program_rule_invalid'),
            ('a rate in base units, past what fits',
             program(kind='hybrid', sge_rate='1000000000000000000'), 400, 'program_rule_invalid'),
            ('negative hold', program(hold_seconds=-1), 400, 'program_rule_invalid'),
            ('payout_max', program(payout_max='-1'), 400, 'amount_negative'),
        ], 'POST', '/v1/programs', 'admin')
        for rule, detail in (({'commission_bps': 10001}, '1 to 10000'),
                             ({'hold_seconds': -1}, '0 to 31536000'),
                             ({'trigger': 'sometimes'}, 'every_payment first_payment'),
                             ({'kind': 'gold'}, 'usdc hybrid'),
                             ({'sge_rate': '1'}, 'none for usdc')):
            reply = self.call('POST', '/v1/programs', key='admin', body=program(**rule))
            self.assert_problem(reply, 400, 'program_rule_invalid')
            self.assertIn(f'field {next(iter(rule))}: ', reply.json['detail'])
            self.assertIn(detail, reply.json['detail'])
        self.refuse([('nothing there', {'active': False}, 404, 'program_not_found')],
                    'PATCH', '/v1/programs/nope', 'admin')
        self.refuse([('a rate on usdc', {'sge_rate': '1'}, 400, 'program_rule_invalid'),
                     ('its name', {'name': 'x'}, 400, 'field_unknown')],
                    'PATCH', '/v1/programs/gold', 'admin')
        self.refuse([('kind', {'kinds': ['nope']}, 400, 'field_type'),
                     ('no kinds', {'kinds': []}, 400, 'field_type'),
                     ('a text', {'kinds': 'payout_usdc'}, 400, 'field_type')],
                    'POST', '/v1/admin/pause', 'admin')

    def test_paths_and_parameters(self):
        before = self.server.rows()
        for path, status, code in (
                ('/v1/users/' + STRANGER, 404, 'user_unknown'),
                ('/v1/users/0x12', 400, 'address_length'),
                ('/v1/users/%00', 400, 'path_malformed'),
                ('/v1/users/%zz', 400, 'path_malformed'),
                ('/v1/payments/nope', 404, 'payment_unknown'),
                ('/v1/payments/%C3%A9', 400, 'payment_id_invalid'),
                ('/v1/jobs/999999', 404, 'job_unknown'),
                ('/v1/jobs/x', 404, 'job_unknown'),
                ('/v1/jobs/99999999999999999999', 404, 'job_unknown'),
                ('/v1/affiliates/' + STRANGER, 404, 'affiliate_unknown'),
                ('/v1/programs/nope', 404, 'program_not_found'),
                ('/v1/jobs?limit=0', 400, 'parameter_invalid'),
                ('/v1/jobs?limit=201', 400, 'parameter_invalid'),
                ('/v1/jobs?limit=%zz', 400, 'parameter_invalid'),
                ('/v1/jobs?state=nope', 400, 'parameter_invalid'),
                ('/v1/jobs?kind=nope', 400, 'parameter_invalid'),
                ('/v1/jobs?wallet=0x12', 400, 'parameter_invalid'),
                ('/v1/jobs?before=-1', 400, 'parameter_invalid'),
                ('/v1/jobs?limit=1&limit=2', 400, 'parameter_invalid'),
                ('/v1/jobs?limit=1&state=queued&l%69mit=1', 400, 'parameter_invalid'),
                ('/v1/jobs?page=2', 400, 'parameter_unknown'),
                ('/v1/programs?x=1', 400, 'parameter_unknown'),
                ('/nothing', 404, 'route_unknown'),
                ('/v1/users', 405, 'method_not_allowed')):
            self.assert_refused(path, self.call('GET', path, key='read'), status, code, before)
        self.assertEqual(self.call('GET', '/v1/users', key='read').headers['Allow'], 'POST')

    # fault 61: by the API
    def test_limits_of_head_and_body(self):
        before = self.server.rows()
        rows = (
            ('headers', self.call('GET', '/v1/jobs', key='read', headers=[('X', 'a' * 17000)]),
             431, 'headers_too_large'),
            ('101 headers', self.call('GET', '/v1/jobs', key='read', headers=[('X', 'a')] * 101),
             431, 'headers_too_large'),
            ('URI', self.call('GET', '/v1/jobs?state=' + 'a' * 8200, key='read'), 414,
             'uri_too_long'),
        )
        for row, reply, status, code in rows:
            self.assert_refused(row, reply, status, code, before)

    def test_keys_and_scopes(self):
        before = self.server.rows()
        auth = 'Authorization'
        for row, key, headers, status, code in (
                ('none', None, [], 401, 'key_missing'),
                ('basic', None, [(auth, 'Basic abc')], 401, 'key_malformed'),
                ('no prefix', 'abc', [], 401, 'key_malformed'),
                ('long', 'sk_' + 'a' * 200, [], 401, 'key_malformed'),
                ('unknown', 'sk_' + '0' * 64, [], 401, 'key_unknown'),
                ('twice', 'write', [(auth, 'Bearer ' + self.server.keys['write'])], 401,
                 'key_malformed'),
                ('read only', 'read', [], 403, 'scope_missing')):
            reply = self.call('POST', '/v1/users', key=key, headers=headers,
                              body={'wallet': STRANGER})
            self.assert_refused(row, reply, status, code, before)
            if status == 401:
                self.assertEqual(reply.headers['WWW-Authenticate'], 'Bearer')
        for method, path in (('GET', '/v1/jobs'), ('POST', '/v1/admin/pause'),
                             ('POST', '/v1/programs'), ('DELETE', '/v1/programs/gold')):
            self.assert_refused(path, self.call(method, path, key='write', body={}), 403,
                                'scope_missing', before)


class Webhooks(ApiCase):
    def test_all_three_forms_pay(self):
        body = standard_payment('std-1', ALICE)
        reply = self.webhook('standard', body, standard_headers(body))
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual((reply.json['payment']['id'], reply.json['duplicate']), ('std-1', False))
        body = stripe_event('payment_intent.succeeded', id='pi_1', amount_received=2000,
                            currency='usd', metadata={'sluice_wallet': ALICE})
        self.assertEqual(self.webhook('stripe', body, stripe_headers(body)).status, 200)
        body = coinbase_event('charge:confirmed', id='ch1', metadata={'sluice_wallet': ALICE},
                              pricing={'local': {'amount': '7.25', 'currency': 'USD'}})
        self.assertEqual(
            self.webhook('coinbase-commerce', body, coinbase_headers(body)).status, 200)
        for identity, provider, amount in (('std-1', 'standard', '12.5'), ('pi_1', 'stripe', '20'),
                                           ('ch1', 'coinbase-commerce', '7.25')):
            payment = self.call('GET', '/v1/payments/' + identity, key='read').json
            self.assertEqual((payment['provider'], payment['amount'], payment['state']),
                             (provider, amount, 'accepted'))

    def test_a_duplicate_is_answered_with_the_same_payment(self):
        body = standard_payment('dup', ALICE)
        first = self.webhook('standard', body, standard_headers(body)).json
        before = self.server.rows()
        again = self.webhook('standard', body, standard_headers(body, identity='msg_2')).json
        self.assertEqual((again['payment'], again['duplicate']), (first['payment'], True))
        self.assertEqual(self.server.rows(), before)

    def test_another_secret_of_the_rotation_is_taken(self):
        body = stripe_event('payment_intent.succeeded', id='pi_rot', amount_received=100,
                            currency='usd', metadata={'sluice_wallet': ALICE})
        reply = self.webhook('stripe', body, stripe_headers(body, key=STRIPE_SECRETS[1]))
        self.assertEqual(reply.status, 200, reply.body)

    # fault 40, 41, 43, 44: each is 401 and nothing is stored
    def test_signatures_that_fail(self):
        body = standard_payment('unsigned', ALICE)
        now = int(time.time())
        good = standard_headers(body)
        stripe = stripe_event('payment_intent.succeeded', id='pi_x', amount_received=1,
                              currency='usd', metadata={'sluice_wallet': ALICE})
        coinbase = coinbase_event('charge:confirmed', id='chx', metadata={'sluice_wallet': ALICE},
                                  pricing={'local': {'amount': '1', 'currency': 'USD'}})
        before = self.server.rows()
        for row, form, sent, headers, code in (
                ('none', 'standard', body, [], 'signature_missing'),
                ('no id', 'standard', body, good[1:], 'signature_missing'),
                ('no time', 'standard', body, good[:1] + good[2:], 'signature_missing'),
                ('duplicate signature', 'standard', body, good + good[2:], 'signature_duplicate'),
                ('duplicate id', 'standard', body, good + good[:1], 'signature_duplicate'),
                ('empty signature', 'standard', body, good[:2] + [('webhook-signature', 'v1,')],
                 'signature_malformed'),
                ('301 s old', 'standard', body, standard_headers(body, at=now - 302),
                 'signature_stale'),
                ('301 s ahead', 'standard', body, standard_headers(body, at=now + 303),
                 'signature_stale'),
                ('wrong key', 'standard', body, standard_headers(body, key=b'x' * 24),
                 'signature_mismatch'),
                ('one byte changed', 'standard', body.replace(b'12.50', b'12.51'), good,
                 'signature_mismatch'),
                ('a line feed more', 'standard', body + b'\n', good, 'signature_mismatch'),
                ('written anew', 'standard', json.dumps(json.loads(body), indent=1).encode(), good,
                 'signature_mismatch'),
                ('none of our kind', 'standard', body,
                 good[:2] + [('webhook-signature', good[2][1].replace('v1,', 'v1a,'))],
                 'signature_mismatch'),
                ('no hex', 'stripe', stripe,
                 [('Stripe-Signature', f't={now},v1=' + 'zz' * 32)], 'signature_malformed'),
                ('a time twice', 'stripe', stripe,
                 [('Stripe-Signature', f't={now},' + stripe_headers(stripe)[0][1])],
                 'signature_malformed'),
                ('hundreds of signatures', 'stripe', stripe,
                 [('Stripe-Signature', f't={now}' + ',v1=00' * 2000)], 'signature_malformed'),
                ('time with a point', 'standard', body,
                 [good[0], ('webhook-timestamp', f'{now}.0'), good[2]], 'signature_malformed'),
                ('another id', 'standard', body, [('webhook-id', 'msg_9')] + good[1:],
                 'signature_mismatch'),
                ('id with a point', 'standard', body, standard_headers(body, identity='a.b'),
                 'signature_malformed'),
                ('not JSON and not signed', 'standard', b'{', [], 'signature_missing'),
                ('stripe none', 'stripe', stripe, [], 'signature_missing'),
                ('stripe old', 'stripe', stripe, stripe_headers(stripe, at=now - 302),
                 'signature_stale'),
                ('stripe ahead', 'stripe', stripe, stripe_headers(stripe, at=now + 303),
                 'signature_stale'),
                ('stripe wrong key', 'stripe', stripe, stripe_headers(stripe, key='nope'),
                 'signature_mismatch'),
                ('stripe v0 only', 'stripe', stripe,
                 [('Stripe-Signature', f't={now},v0={"a" * 64}')], 'signature_mismatch'),
                ('stripe twice', 'stripe', stripe, stripe_headers(stripe) * 2,
                 'signature_duplicate'),
                ('coinbase none', 'coinbase-commerce', coinbase, [], 'signature_missing'),
                ('coinbase wrong', 'coinbase-commerce', coinbase,
                 coinbase_headers(coinbase, key='nope'), 'signature_mismatch'),
                ('coinbase no hex', 'coinbase-commerce', coinbase,
                 [('X-CC-Webhook-Signature', 'zz')], 'signature_malformed')):
            reply = self.webhook(form, sent, headers)
            self.assert_refused(row, reply, 401, code, before)

    # fault 42: two in one header, the first wrong
    def test_the_second_of_two_signatures_is_enough(self):
        body = standard_payment('second', ALICE)
        headers = standard_headers(body)
        wrong = standard_headers(body, key=b'x' * 24)[2][1]
        headers[2] = ('webhook-signature', wrong + ' ' + headers[2][1])
        self.assertEqual(self.webhook('standard', body, headers).status, 200)
        body = stripe_event('payment_intent.succeeded', id='pi_2nd', amount_received=100,
                            currency='usd', metadata={'sluice_wallet': ALICE})
        time_and, right = stripe_headers(body)[0][1].split(',')
        headers = [('Stripe-Signature', f'{time_and},v1={"0" * 64},{right}')]
        self.assertEqual(self.webhook('stripe', body, headers).status, 200)

    # fault 40: within the tolerance
    def test_a_time_within_tolerance_is_taken_both_ways(self):
        for identity, offset in (('late', -298), ('early', 298)):
            body = standard_payment(identity, ALICE)
            headers = standard_headers(body, at=int(time.time()) + offset)
            self.assertEqual(self.webhook('standard', body, headers).status, 200)

    def test_signed_events_with_faults_store_nothing(self):
        before = self.server.rows()
        for row, body, status, code in (
                ('not JSON', b'{', 400, 'not_json'),
                ('not UTF-8', b'{"type":"\xff"}', 400, 'not_utf8'),
                ('deep', b'{"a":' + b'[' * 100 + b']' * 100 + b'}', 400, 'json_too_deep'),
                ('empty', b'', 400, 'body_missing'),
                ('no type', b'{}', 400, 'field_missing'),
                ('unknown user', standard_payment('w1', STRANGER), 404, 'user_unknown'),
                ('unknown program', standard_payment('w1', ALICE, program='nope'), 422,
                 'program_unknown'),
                ('zero wallet', standard_payment('w1', wallet(0)), 400, 'address_zero'),
                ('token wallet', standard_payment('w1', TOKEN), 400, 'address_refused'),
                ('negative', standard_payment('w1', ALICE, amount='-1'), 400, 'amount_negative'),
                ('float', standard_payment('w1', ALICE, amount=12.5), 400, 'amount_not_exact')):
            reply = self.webhook('standard', body, standard_headers(body))
            self.assert_refused(row, reply, status, code, before)
        body = stripe_event('payment_intent.succeeded', id='pi_e', amount_received=1,
                            currency='eur', metadata={'sluice_wallet': ALICE})
        self.assert_refused('eur', self.webhook('stripe', body, stripe_headers(body)), 422,
                            'unsupported_currency', before)

    def test_events_that_are_not_ours_are_ignored_politely(self):
        before = self.server.rows()
        for form, body, headers in (
                ('standard', b'{"type":"invoice.paid"}', standard_headers),
                ('stripe', stripe_event('customer.created'), stripe_headers),
                ('stripe', stripe_event('payment_intent.succeeded', id='pi_2'), stripe_headers),
                ('coinbase-commerce', coinbase_event('charge:pending'), coinbase_headers)):
            reply = self.webhook(form, body, headers(body))
            self.assertEqual(reply.status, 200)
            self.assertIn('ignored', reply.json)
        self.assertEqual(self.server.rows(), before)

    def test_a_refund_that_comes_first_stops_the_payment(self):
        refund = standard_payment('early-refund', ALICE, kind='payment.refunded')
        reply = self.webhook('standard', refund, standard_headers(refund, identity='msg_r1'))
        self.assertEqual(reply.json, {'refund': 'tombstone'})
        again = self.webhook('standard', refund, standard_headers(refund, identity='msg_r1'))
        self.assertEqual(again.json, {'refund': 'duplicate'})
        payment = standard_payment('early-refund', ALICE)
        paid = self.webhook('standard', payment, standard_headers(payment, identity='msg_r2'))
        self.assertEqual((paid.json['payment']['state'], paid.json['payment']['job_id']),
                         ('refunded', None))

    def test_a_refund_before_signing_cancels_the_payout(self):
        body = stripe_event('payment_intent.succeeded', id='pi_back', amount_received=2000,
                            currency='usd', metadata={'sluice_wallet': ALICE})
        job = self.webhook('stripe', body, stripe_headers(body)).json['payment']['job_id']
        body = stripe_event('charge.refunded', identity='evt_2', id='ch_1',
                            payment_intent='pi_back', refunded=True)
        self.assertEqual(self.webhook('stripe', body, stripe_headers(body)).json,
                         {'refund': 'cancelled'})
        self.assertEqual(self.call('GET', '/v1/jobs/' + job, key='read').json['state'],
                         'cancelled')

    # fault 47: in either order, by the API: as if the chargeback had never come
    def test_a_dispute_won_restores_the_payout_in_either_order(self):
        body = stripe_event('payment_intent.succeeded', id='pi_won', amount_received=2000,
                            currency='usd', metadata={'sluice_wallet': ALICE})
        job = self.webhook('stripe', body, stripe_headers(body)).json['payment']['job_id']
        created, closed = 'charge.dispute.created', 'charge.dispute.closed'
        rows = (
            (created, 'needs_response', 'cancelled', 'cancelled'),
            (closed, 'won', 'restored', 'queued'),
            (closed, 'won', 'won_early', 'queued'),
            (created, 'needs_response', 'void', 'queued'),
        )
        for number, (kind, status, outcome, state) in enumerate(rows):
            body = stripe_event(kind, identity=f'evt_won_{number}', id='du_1',
                                payment_intent='pi_won', status=status)
            self.assertEqual(self.webhook('stripe', body, stripe_headers(body)).json,
                             {'refund': outcome})
            self.assertEqual(self.call('GET', '/v1/jobs/' + job, key='read').json['state'], state)
        self.assertIn(b'sluice_refunds_total{outcome="void"} 1', self.call('GET', '/metrics').body)

    # fault 39: a hundred deliveries at once
    def test_a_hundred_deliveries_at_once_make_one_job(self):
        body = standard_payment('hundred', ALICE)
        headers = standard_headers(body)
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            replies = list(pool.map(lambda _: self.webhook('standard', body, headers), range(100)))
        self.assertEqual({reply.status for reply in replies}, {200})
        self.assertEqual(len({reply.json['payment']['job_id'] for reply in replies}), 1)
        self.assertEqual(sum(not reply.json['duplicate'] for reply in replies), 1)

    def test_a_burst_of_256_connections_is_served(self):
        links = []
        requests = []
        for number in range(256):
            body = standard_payment(f'burst-{number}', ALICE)
            head = ''.join(f'{name}: {value}\r\n' for name, value in standard_headers(body))
            requests.append(f'POST /v1/webhooks/standard HTTP/1.1\r\nHost: x\r\n{head}'
                            f'Content-Length: {len(body)}\r\nConnection: close\r\n\r\n'.encode()
                            + body)
            links.append(socket.create_connection(('127.0.0.1', self.server.port), timeout=20))
        for link, request in zip(links, requests):
            link.sendall(request)
        for link in links:
            received = b''
            while part := link.recv(65536):
                received += part
            link.close()
            self.assertTrue(received.startswith(b'HTTP/1.1 200 OK'), received)
        self.assertEqual(self.call('GET', '/v1/payments/burst-255', key='read').status, 200)


class Idempotency(ApiCase):
    def post(self, key, body, caller='write', path='/v1/payments'):
        return self.call('POST', path, key=caller, body=body, headers=[('Idempotency-Key', key)])

    # fault 48: the stored answer again
    def test_the_stored_answer_is_given_again(self):
        body = {'id': 'idem-1', 'wallet': ALICE, 'amount': '1'}
        first = self.post('key-1', body)
        before = self.server.rows()
        again = self.post('key-1', body)
        self.assertEqual((first.status, again.status), (201, 201))
        self.assertEqual(again.body, first.body)
        self.assertIsNone(first.headers['Idempotent-Replayed'])
        self.assertEqual(again.headers['Idempotent-Replayed'], 'true')
        self.assertEqual(self.server.rows(), before)

    # fault 48: another body
    def test_another_request_with_the_key_is_refused(self):
        self.post('key-2', {'id': 'idem-2', 'wallet': ALICE, 'amount': '1'})
        before = self.server.rows()
        self.assert_refused('body', self.post('key-2', {'id': 'idem-2', 'wallet': ALICE,
                                                        'amount': '2'}), 422,
                            'idempotency_key_reused', before)
        self.assert_refused('path', self.post('key-2', {'wallet': ALICE}, path='/v1/mints'), 422,
                            'idempotency_key_reused', before)

    # fault 48: keyed by caller
    def test_callers_have_keys_of_their_own(self):
        self.post('key-3', {'id': 'idem-3', 'wallet': ALICE, 'amount': '1'})
        other = self.post('key-3', {'id': 'idem-4', 'wallet': ALICE, 'amount': '1'}, 'other')
        self.assertEqual((other.status, other.headers['Idempotent-Replayed']), (201, None))

    # fault 48: a key too long
    def test_keys_of_a_wrong_form_are_refused(self):
        before = self.server.rows()
        body = {'id': 'idem-5', 'wallet': ALICE, 'amount': '1'}
        self.assert_refused('long', self.post('k' * 256, body), 400, 'idempotency_key_invalid',
                            before)
        self.assert_refused('empty', self.post('', body), 400, 'idempotency_key_invalid', before)
        twice = self.call('POST', '/v1/payments', key='write', body=body,
                          headers=[('Idempotency-Key', 'a'), ('Idempotency-Key', 'a')])
        self.assert_refused('twice', twice, 400, 'idempotency_key_invalid', before)
        self.assertEqual(self.post('k' * 255, body).status, 201)

    def test_refusals_are_not_kept(self):
        body = {'id': 'idem-6', 'wallet': wallet(0xfeed), 'amount': '1'}
        before = self.server.rows()
        self.assert_refused('unknown', self.post('key-6', body), 404, 'user_unknown', before)
        self.assert_refused('bad', self.post('key-6', {**body, 'amount': '-1'}), 400,
                            'amount_negative', before)
        self.call('POST', '/v1/users', key='write',
                  body={'wallet': wallet(0xfeed), 'referrer': BOB, 'program': 'gold'})
        self.assertEqual(self.post('key-6', body).status, 201)

    # fault 48: still running
    def test_at_once_one_runs_and_the_others_wait_or_repeat(self):
        jobs = self.server.count('SELECT count(*) FROM jobs')
        body = {'wallet': wallet(0xace)}
        barrier = threading.Barrier(50)

        def race(_):
            barrier.wait()
            return self.post('race', body, path='/v1/mints')
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            replies = list(pool.map(race, range(50)))
        fresh = [r for r in replies if r.status == 201 and not r.headers['Idempotent-Replayed']]
        self.assertEqual(len(fresh), 1)
        for reply in replies:
            if reply.status == 409:
                self.assert_problem(reply, 409, 'idempotency_key_running')
            else:
                self.assertEqual((reply.status, reply.body), (201, fresh[0].body))
        self.assertEqual(self.server.count('SELECT count(*) FROM jobs'), jobs + 1)
        self.assertEqual(self.post('race', body, path='/v1/mints').body, fresh[0].body)


class Recovery(ApiCase):
    # fault 48: a 5xx has stored nothing, so there is nothing to repeat: the same key runs again
    def test_a_key_answered_503_runs_again_and_once(self):
        body = {'id': 'idem-full', 'wallet': ALICE, 'amount': '1'}
        headers = [('Idempotency-Key', 'key-full')]

        def post():
            return self.call('POST', '/v1/payments', key='write', body=body, headers=headers)
        before = self.server.rows()
        self.server.order('disk-full')
        for _ in range(2):
            self.assert_problem(post(), 503, 'store_unavailable')
        self.assertEqual(self.server.rows(), before)
        self.server.order('disk-free')
        self.server.reopen()
        first, again = post(), post()
        self.assertEqual((first.status, first.headers['Idempotent-Replayed']), (201, None))
        self.assertEqual((again.status, again.headers['Idempotent-Replayed']), (201, 'true'))
        self.assertEqual(again.body, first.body)
        self.assertEqual(self.server.rows()['jobs'], before['jobs'] + 1)


class Framing(ApiCase):
    # fault 60: by the API
    def test_what_two_parsers_may_read_differently_is_refused_and_closed(self):
        inner = b'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
        post = b'POST /v1/webhooks/standard HTTP/1.1\r\nHost: x\r\n'
        before = self.server.rows()
        for row, head in (
                ('CL and TE', b'Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX'),
                ('two lengths', b'Content-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
                ('TE list', b'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'),
                ('bare LF', b'X: a\nY: b\r\n\r\n'),
                ('folded', b'X: a\r\n b\r\n\r\n'),
                ('space before the colon', b'Content-Length : 0\r\n\r\n'),
                ('two hosts', b'Host: y\r\n\r\n')):
            with self.subTest(row):
                received = self.server.raw(post + head + inner)
                first, _, rest = received.partition(b'\r\n\r\n')
                self.assertTrue(first.startswith(b'HTTP/1.1 400 '), received)
                self.assertIn(b'connection: close', first.lower())
                self.assertEqual(json.loads(rest)['code'], 'bad_framing')
        for row, chunk in (('not hex', b'zz\r\nab\r\n'), ('too long', b'1\r\nab\r\n'),
                           ('negative', b'-1\r\na\r\n')):
            with self.subTest(row):
                received = self.server.raw(post + b'Transfer-Encoding: chunked\r\n\r\n' + chunk
                                           + b'0\r\n\r\n' + inner)
                self.assertTrue(received.startswith(b'HTTP/1.1 400 '), received)
                self.assertEqual(received.count(b'HTTP/1.1 '), 1)
        self.assertEqual(self.server.rows(), before)


class Limits(ApiCase):
    options = {'key_rate': 20, 'failed_rate': 5}

    # fault 62: by key, with Retry-After
    def test_a_key_has_its_rate_and_is_told_when_to_try_again(self):
        replies = [self.call('GET', '/v1/programs', key='read') for _ in range(60)]
        limited = [reply for reply in replies if reply.status == 429]
        self.assertTrue(limited)
        self.assert_problem(limited[0], 429, 'key_rate_limited')
        self.assertGreaterEqual(int(limited[0].headers['Retry-After']), 1)
        self.assertIn('API_KEY_RATE_MAX', limited[0].json['hint'])
        self.assertEqual(self.call('GET', '/v1/programs', key='admin').status, 200)

    # fault 62: by address
    def test_failed_authentication_is_limited_by_address_and_good_keys_go_on(self):
        self.assertEqual(self.call('GET', '/v1/admin/holds', key='admin').status, 200)
        replies = [self.call('GET', '/v1/jobs', key='sk_' + format(i, '064x')) for i in range(40)]
        limited = [reply for reply in replies if reply.status == 429]
        self.assertTrue(limited)
        self.assert_problem(limited[0], 429, 'failed_auth_rate_limited')
        self.assertGreaterEqual(int(limited[0].headers['Retry-After']), 1)
        self.assertEqual(self.call('GET', '/v1/admin/holds', key='admin').status, 200)
        body = standard_payment('limited', ALICE)
        wrong = [self.webhook('standard', body, standard_headers(body, key=b'x' * 24))
                 for _ in range(40)]
        self.assertIn(429, {reply.status for reply in wrong})
        self.assertEqual(self.webhook('standard', body, standard_headers(body)).status, 200)

    def test_a_revoked_key_is_refused_within_the_cache_time(self):
        self.assertEqual(self.call('POST', '/v1/mints', key='other',
                                   body={'wallet': ALICE}).status, 201)
        self.server.order('revoke other')
        until = time.monotonic() + 8
        status = None
        while time.monotonic() < until and status != 401:
            time.sleep(0.5)
            status = self.call('POST', '/v1/mints', key='other', body={'wallet': ALICE}).status
        self.assertEqual(status, 401)


class DiskFull(ApiCase):
    def test_a_write_that_fails_is_503_and_never_2xx(self):
        before = self.server.rows()
        self.server.order('disk-full')
        for number in range(3):
            reply = self.call('POST', '/v1/payments', key='write',
                              body={'id': f'full-{number}', 'wallet': ALICE, 'amount': '1'})
            self.assert_problem(reply, 503, 'store_unavailable')
            self.assertGreaterEqual(int(reply.headers['Retry-After']), 1)
        body = standard_payment('full-hook', ALICE)
        self.assert_problem(self.webhook('standard', body, standard_headers(body)), 503,
                            'store_unavailable')
        self.assertEqual(self.server.rows(), before)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
