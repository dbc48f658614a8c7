# SPDX-License-Identifier: Apache-2.0
"""The chain as the oracle reads it: JSON-RPC, and the few calls and events of the contracts."""
import dataclasses
import http.client
import json
import urllib.parse

from keccak import keccak256

RPC_TIMEOUT_S = 10
USDC_TOPIC = 'AffiliatePaid(bytes32,address,uint256)'
HYBRID_TOPIC = 'AffiliatePaidHybrid(bytes32,address,uint256,uint256)'
OWED_TOPIC = 'PayoutOwed(bytes32,address,uint256,uint256)'


class ChainError(Exception):
    pass


class Chain:
    """One JSON-RPC endpoint."""

    def __init__(self, url):
        self.address = urllib.parse.urlsplit(url)

    def batch(self, requests):
        """The results of (method, parameters) pairs, in order."""
        body = json.dumps([{'jsonrpc': '2.0', 'id': i, 'method': method, 'params': list(parameters)}
                           for i, (method, parameters) in enumerate(requests)])
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port,
                                                timeout=RPC_TIMEOUT_S)
        try:
            connection.request('POST', '/', body, {'Content-Type': 'application/json'})
            answers = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if not isinstance(answers, list):
            raise ChainError(f'{requests[0][0]}: no answer to a batch: {answers}')
        by_id = {answer['id']: answer for answer in answers}
        for i, (method, _) in enumerate(requests):
            if 'error' in by_id[i]:
                raise ChainError(f'{method}: {by_id[i]["error"].get("message")}')
        return [by_id[i]['result'] for i in range(len(requests))]

    def request(self, method, *parameters):
        return self.batch([(method, parameters)])[0]

    def read_many(self, calls):
        """The 32-byte words that (contract, signature, address arguments) calls return."""
        answers = self.batch([('eth_call', ({'to': contract, 'data': encode(signature, *arguments)},
                                            'latest')) for contract, signature, arguments in calls])
        return [int(answer, 16) for answer in answers]

    def payouts(self, contract):
        """Every AffiliatePaid and AffiliatePaidHybrid event of the contract, in order."""
        return [paid_event(log) for log in self.logs(contract, USDC_TOPIC, HYBRID_TOPIC)]

    def logs(self, contract, *signatures):
        """Every event of the contract that has one of these signatures, in order."""
        topics = [[topic(signature) for signature in signatures]]
        return self.request('eth_getLogs', {'address': contract, 'fromBlock': '0x0',
                                            'toBlock': 'latest', 'topics': topics})


@dataclasses.dataclass(frozen=True)
class PaidEvent:
    payout_id: str
    referrer: str
    usdc: int
    sge: int


def topic(signature):
    return '0x' + keccak256(signature.encode()).hex()


def address_of_word(word):
    return f'0x{word & ((1 << 160) - 1):040x}'


def encode(signature, *addresses):
    """Call data of a function that takes addresses only."""
    words = ''.join(f'{int(address, 16):064x}' for address in addresses)
    return '0x' + keccak256(signature.encode())[:4].hex() + words


def paid_event(log):
    _, payout_id, referrer = log['topics']
    data = log['data'][2:]
    return PaidEvent(payout_id, address_of_word(int(referrer, 16)), int(data[:64], 16),
                     int(data[64:128] or '0', 16))  # no second amount: USDC alone
