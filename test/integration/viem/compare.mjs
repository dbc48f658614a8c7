// SPDX-License-Identifier: Apache-2.0
// Random transactions signed by viem and by eth_vectors: bytes, hash and sender must be the same,
// and each side must recover the sender from the other's bytes.
//
// usage: compare.mjs ETH_VECTORS [COUNT [SEED]]
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const manifest = fileURLToPath(new URL('../../../contracts/package.json', import.meta.url));
const require = createRequire(manifest);

function fail(text) {
  console.error(`viem: ${text}`);
  process.exit(1);
}

function load(name) {
  try {
    return require(name);
  } catch (error) {
    return fail(`${name} is not installed under contracts/; tools/setup does it (${error.code})`);
  }
}

const { keccak256, parseTransaction, recoverTransactionAddress, toHex } = load('viem');
const { privateKeyToAccount } = load('viem/accounts');

// The same numbers for the same seed: the hashes of seed and counter, one after the other.
class Source {
  constructor(seed) {
    this.seed = seed;
    this.counter = 0;
  }

  hex(size) {
    let digits = '';
    while (digits.length < 2 * size) {
      digits += keccak256(toHex(`${this.seed}:${this.counter++}`)).slice(2);
    }
    return `0x${digits.slice(0, 2 * size)}`;
  }

  bits(count) {
    return BigInt(this.hex(32)) >> BigInt(256 - count);
  }

  below(bound) {
    return Number(this.bits(48) % BigInt(bound));
  }

  // Of any length up to that many bits, so that every length of an encoded number occurs.
  number(bits) {
    return this.below(8) === 0 ? 0n : this.bits(1 + this.below(bits));
  }

  pick(...choices) {
    return choices[this.below(choices.length)];
  }
}

function randomAccessList(source) {
  return Array.from({ length: source.below(4) }, () => ({
    address: source.hex(20),
    storageKeys: Array.from({ length: source.below(4) }, () => source.hex(32)),
  }));
}

function randomData(source) {
  const size = source.pick(0, 1, 2, 4, 55, 56, 57, 68, 255, 256, 257, source.below(700));
  return size === 0 ? undefined : source.hex(size);
}

function randomFees(source, type) {
  if (type !== 'eip1559') return { gasPrice: source.number(127) };
  const fees = [source.number(127), source.number(127)].sort((a, b) => (a < b ? -1 : 1));
  return { maxPriorityFeePerGas: fees[0], maxFeePerGas: fees[1] };
}

function randomTransaction(source) {
  const type = source.pick('legacy', 'eip2930', 'eip1559');
  const withList = type !== 'legacy' && source.below(2) === 0;
  return {
    type,
    chainId: 1 + Number(source.number(52)),
    nonce: Number(source.number(53)),
    gas: source.number(64),
    to: source.below(5) === 0 ? undefined : source.hex(20),
    value: source.number(256),
    data: randomData(source),
    ...randomFees(source, type),
    ...(withList ? { accessList: randomAccessList(source) } : {}),
  };
}

// What eth_vectors reads: every number as decimal text, nothing left out.
function line(transaction, key, raw) {
  return JSON.stringify({
    type: ['legacy', 'eip2930', 'eip1559'].indexOf(transaction.type),
    chainId: String(transaction.chainId),
    nonce: String(transaction.nonce),
    maxPriorityFeePerGas: String(transaction.maxPriorityFeePerGas ?? 0n),
    maxFeePerGas: String(transaction.maxFeePerGas ?? transaction.gasPrice),
    gas: String(transaction.gas),
    to: transaction.to ?? null,
    value: String(transaction.value),
    data: transaction.data ?? '0x',
    accessList: transaction.accessList ?? [],
    key,
    raw,
  });
}

async function sign(source) {
  const key = source.hex(32);
  const account = privateKeyToAccount(key);
  const transaction = randomTransaction(source);
  const raw = await account.signTransaction(transaction);
  return { transaction, raw, hash: keccak256(raw), sender: account.address,
    input: line(transaction, key, raw) };
}

function runOurs(program, cases) {
  if (!existsSync(program)) fail(`there is no ${program}`);
  const input = cases.map((one) => one.input).join('\n') + '\n';
  const done = spawnSync(program, { input, encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX });
  const lines = (done.stdout ?? '').split('\n').slice(0, -1);
  if (done.status !== 0) {
    fail(`eth_vectors stopped after ${lines.length} transactions: ${done.stderr || done.error}`);
  }
  if (lines.length !== cases.length) fail(`${lines.length} answers to ${cases.length} questions`);
  return lines.map((text) => JSON.parse(text));
}

function same(index, one, what, ours, theirs) {
  if (ours !== theirs) {
    fail(`transaction ${index}: the ${what} differs\n  ours ${ours}\n  viem ${theirs}\n` +
      `  of ${one.input}`);
  }
}

// Fields of our bytes as viem reads them; an absent number is zero, absent bytes are empty.
function sameFields(index, one, raw) {
  const parsed = parseTransaction(raw);
  for (const name of ['type', 'chainId']) same(index, one, name, parsed[name], one.transaction[name]);
  for (const name of ['nonce', 'gas', 'value', 'gasPrice', 'maxFeePerGas', 'maxPriorityFeePerGas']) {
    same(index, one, name, BigInt(parsed[name] ?? 0), BigInt(one.transaction[name] ?? 0));
  }
  same(index, one, 'data', parsed.data ?? '0x', one.transaction.data ?? '0x');
  same(index, one, 'to', parsed.to?.toLowerCase(), one.transaction.to);
}

async function compare(index, one, ours) {
  same(index, one, 'raw transaction', ours.raw, one.raw);
  same(index, one, 'hash', ours.hash, one.hash);
  same(index, one, 'address of the key', ours.sender, one.sender);
  same(index, one, 'sender we recover from viem\'s bytes', ours.recovered, one.sender);
  same(index, one, 'transaction we decode and encode again', ours.again, one.raw);
  same(index, one, 'sender viem recovers from our bytes',
    await recoverTransactionAddress({ serializedTransaction: ours.raw }), one.sender);
  sameFields(index, one, ours.raw);
}

async function main(program, count = '1000', seed = 'sluice') {
  const source = new Source(seed);
  const cases = [];
  while (cases.length < Number(count)) cases.push(await sign(source));
  const answers = runOurs(program, cases);
  for (let i = 0; i < cases.length; i++) await compare(i, cases[i], answers[i]);
  console.log(`${cases.length} transactions agree with viem`);
}

await main(...process.argv.slice(2));
