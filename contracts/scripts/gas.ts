// SPDX-License-Identifier: Apache-2.0
// Measures what payouts cost and writes GAS.md. With `--check` it writes nothing, and fails where
// the committed table differs or a batch costs more than its budget.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { network } from "hardhat";
import { type Address, type Hex, keccak256, parseUnits, slice, toHex } from "viem";

const TABLE = join(import.meta.dirname, "..", "GAS.md");
const BUDGET_NEW = 51_000;
const BUDGET_EXISTING = 35_000;
const AMOUNT = parseUnits("5", 6);
const EQUITY = parseUnits("1", 18);

const { viem, provider } = await network.create();
const [admin, relayer, vault] = await viem.getWalletClients();
const client = await viem.getPublicClient();
const clock = await viem.getTestClient();

let counter = 0;
const word = (): Hex => keccak256(toHex(counter++, { size: 32 }));
const someone = (): Address => slice(word(), 0, 20);
const people = (count: number): Address[] => Array.from({ length: count }, someone);

type TokenName = "PlainToken" | "OpenZeppelinToken" | "TestUSDC";

/** A token, and how an address gets its first million of it. */
async function deployToken(tokenName: TokenName) {
  const million = parseUnits("1000000", 6);
  if (tokenName === "PlainToken") {
    const usdc = await viem.deployContract("PlainToken", [million]);
    return { usdc, fund: (to: Address) => usdc.write.transfer([to, million]) };
  }
  const usdc =
    tokenName === "TestUSDC"
      ? await viem.deployContract("TestUSDC", [admin.account.address])
      : await viem.deployContract("OpenZeppelinToken");
  return { usdc, fund: (to: Address) => usdc.write.mint([to, million]) };
}

/** A payout contract in the middle of its life: it holds money, and has paid within this hour. */
async function deploy(tokenName: TokenName, fromTreasury = false, sgeMinted = true) {
  const owner = admin.account.address;
  const { usdc, fund } = await deployToken(tokenName);
  const sge = await viem.deployContract("SGEToken", [owner, parseUnits("1000000", 18)]);
  const payout = await viem.deployContract("AffiliatePayout", [
    {
      usdc: usdc.address,
      sge: sge.address,
      admin: owner,
      adminDelay: 0,
      relayer: relayer.account.address,
      pauser: owner,
      sgeMinted,
      usdcPayoutCap: parseUnits("100", 6),
      usdcDailyCap: parseUnits("1000000", 6),
      sgePayoutCap: parseUnits("100", 18),
      sgeDailyCap: parseUnits("1000000", 18),
    },
  ]);
  const minter = await sge.read.MINTER_ROLE();
  await sge.write.grantRole([minter, owner]);
  await sge.write.grantRole([minter, payout.address]);
  await sge.write.mint([payout.address, parseUnits("1000", 18)]);
  const source = fromTreasury ? vault.account.address : payout.address;
  await fund(source);
  if (fromTreasury) {
    const allowance = parseUnits("1000000", 6);
    await usdc.write.approve([payout.address, allowance], { account: vault.account });
    await payout.write.setTreasury([source]);
  }
  const gasOf = async (hash: Promise<Hex>): Promise<number> => {
    const receipt = await client.getTransactionReceipt({ hash: await hash });
    if (receipt.status !== "success") throw new Error(`gas: reverted: ${receipt.transactionHash}`);
    return Number(receipt.gasUsed);
  };
  const as = { account: relayer.account };
  const single = (to: Address) =>
    gasOf(payout.write.payAffiliateUSDC([word(), someone(), to, AMOUNT], as));
  const hybrid = (to: Address) =>
    gasOf(payout.write.payAffiliateHybrid([word(), someone(), to, AMOUNT, EQUITY], as));
  const send = (to: Address[], sgeAmount: bigint) => {
    const payouts = to.map((referrer) => ({
      payoutId: word(),
      child: someone(),
      referrer,
      usdcAmount: AMOUNT,
      sgeAmount,
    }));
    return payout.write.payAffiliates([payouts], as);
  };
  const batch = async (to: Address[], sgeAmount = 0n) =>
    Math.round((await gasOf(send(to, sgeAmount))) / to.length);
  /** As batch, and tells where the gas of its payouts went. */
  const explained = async (to: Address[]) => {
    const hash = await send(to, 0n);
    return partsOf(hash, await gasOf(Promise.resolve(hash)), to.length);
  };
  // A whole hour lies ahead: no measurement meets the turn of one.
  const { timestamp } = await client.getBlock();
  await clock.setNextBlockTimestamp({ timestamp: (timestamp / 3600n + 1n) * 3600n });
  await hybrid(someone());
  return { single, hybrid, batch, explained };
}

interface Step {
  op: string;
  gas: number | string;
  gasCost: number | string;
  depth: number;
}

/** Gas per payout of a batch by what it is spent on; the loop is looked at in its middle. */
async function partsOf(hash: Hex, gasUsed: number, count: number): Promise<[string, number][]> {
  const options = { disableStack: true, disableStorage: true, disableMemory: true };
  const params = [hash, options];
  const trace = await provider.request({ method: "debug_traceTransaction", params });
  const steps = (trace as { structLogs: Step[] }).structLogs;
  const calls = steps.flatMap(({ op, depth }, i) => (depth === 1 && op === "CALL" ? [i] : []));
  const [first, last] = [calls[count / 2], calls[count / 2 + 1]];
  const spent = { store: [0, 0], log: [0, 0], code: [0, 0] };
  for (let i = first + 1; i < last; ++i) {
    const { op, gas, gasCost, depth } = steps[i];
    const next = steps[i + 1];
    const cost = next.depth === depth ? Number(gas) - Number(next.gas) : Number(gasCost);
    const sort = /^S(LOAD|STORE)$/.test(op) ? "store" : /^LOG/.test(op) ? "log" : "code";
    spent[sort][depth - 1] += cost;
  }
  const { input } = await client.getTransaction({ hash });
  const bytes = Buffer.from(input.slice(2), "hex");
  const callData = bytes.reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 0) / count;
  const parts: [string, number][] = [
    ["the token's storage: both balances", spent.store[1]],
    ["the token's event", spent.log[1]],
    ["the call", 100],
    ["the payout id, written down for ever", spent.store[0]],
    ["`AffiliatePaid` with two indexed fields and one amount", spent.log[0]],
    ["call data, five words", Math.round(callData)],
    ["a hundredth of the transaction's 21,000", 210],
    ["the token's code", spent.code[1]],
    ["all checks of the payout, the hash of its id and the loop", spent.code[0]],
  ];
  const sum = parts.reduce((total, [, gas]) => total + gas, 0);
  const share = "a hundredth of what a batch does once: role, pause, caps, funds, measuring";
  return [...parts, [share, Math.round(gasUsed / count) - sum]];
}

interface Row {
  what: string;
  fresh: number;
  existing: number;
}

/** The same call twice: first to recipients who never held the tokens, then to the same again. */
async function row<T>(what: string, pay: (to: T) => Promise<number>, to: T): Promise<Row> {
  return { what, fresh: await pay(to), existing: await pay(to) };
}

const rows: Row[] = [];
async function add<T>(what: string, pay: (to: T) => Promise<number>, to: T): Promise<Row> {
  const measured = await row(what, pay, to);
  rows.push(measured);
  return measured;
}

const plain = await deploy("PlainToken");
const hundred = await add("`payAffiliates`, batch of 100 of PlainToken", plain.batch, people(100));
const parts = await plain.explained(people(100));
const common = await deploy("OpenZeppelinToken");
await add("`payAffiliateUSDC`", common.single, someone());
await add("`payAffiliateHybrid`, SGE minted", common.hybrid, someone());
await add("`payAffiliates`, batch of 10", common.batch, people(10));
await add("`payAffiliates`, batch of 100", common.batch, people(100));
await add("`payAffiliates`, batch of 200", common.batch, people(200));
const hybrids = (to: Address[]) => common.batch(to, EQUITY);
await add("`payAffiliates`, batch of 10 hybrids, SGE minted", hybrids, people(10));
const transferred = await deploy("OpenZeppelinToken", false, false);
await add("`payAffiliateHybrid`, SGE transferred", transferred.hybrid, someone());
const treasury = await deploy("OpenZeppelinToken", true);
await add("`payAffiliates`, batch of 100, from a treasury", treasury.batch, people(100));
const test = await deploy("TestUSDC");
await add("`payAffiliateUSDC` of TestUSDC", test.single, someone());
await add("`payAffiliates`, batch of 100 of TestUSDC", test.batch, people(100));

const number = (n: number): string => n.toLocaleString("en-US");
const lines = rows.map((r) => `| ${r.what} | ${number(r.fresh)} | ${number(r.existing)} |`);
const FIXED_PARTS = 7; // of which no line of code has a say
const floor = parts.slice(0, FIXED_PARTS).reduce((sum, [, gas]) => sum + gas, 0);
const whole = parts.reduce((sum, [, gas]) => sum + gas, 0);
const explained = [
  ...parts.slice(0, FIXED_PARTS),
  ["**before the first instruction**", floor] as const,
  ...parts.slice(FIXED_PARTS),
  ["**the payout**", whole] as const,
].map(([what, gas]) => `| ${what} | ${number(gas)} |`);
const table = `# What a payout costs

Gas per payout, all of the transaction included (21,000, call data, every check), measured from
receipts by \`npm run gas\`; do not edit. New: the referrer never held the token. Existing: it did.
PlainToken does what EIP-20 demands and no more, its \`transfer\` in assembly. Where no token is named
it is OpenZeppelin's ERC-20. The contract has paid before within the same hour, owes nothing, and
pays from its own balance unless said otherwise. The first payout of an hour costs up to 75,000 more,
once, for filing the hours that passed; a run of payouts while something is owed, 2,100.

| Call | new | existing |
|---|---:|---:|
${lines.join("\n")}

Budgets, enforced by \`npm run gas:check\` on PlainToken: a batch of 100 costs at most
${number(BUDGET_NEW)} per new and ${number(BUDGET_EXISTING)} per existing referrer.

## Where the gas of a new referrer goes

One payout of PlainToken in the middle of a batch of 100, summed by instruction from its trace:

| Part | gas |
|---|---:|
${explained.join("\n")}

The budget of a new referrer leaves ${number(BUDGET_NEW - floor)} for everything that executes: the token's own code, the cold
storage that a batch reads once, and the loop.
`;

if (!process.argv.includes("--check")) {
  writeFileSync(TABLE, table);
  console.log(table);
} else {
  const faults: string[] = [];
  if (hundred.fresh > BUDGET_NEW) faults.push(`new: ${hundred.fresh} is above ${BUDGET_NEW}`);
  if (hundred.existing > BUDGET_EXISTING) {
    faults.push(`existing: ${hundred.existing} is above ${BUDGET_EXISTING}`);
  }
  if (readFileSync(TABLE, "utf8") !== table) faults.push("GAS.md differs; run: npm run gas");
  for (const fault of faults) console.error(`gas: ${fault}`);
  if (faults.length > 0) process.exit(1);
  console.log(`gas: ${rows.length} rows match GAS.md and the budgets`);
}
