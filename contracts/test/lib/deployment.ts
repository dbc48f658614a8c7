// SPDX-License-Identifier: Apache-2.0
// A whole deployment on a fresh chain, as `sluice deploy` makes one.
import { network } from "hardhat";
import { type Address, encodeAbiParameters, type Hex, keccak256, parseUnits, toHex } from "viem";

export const usd = (amount: string) => parseUnits(amount, 6);
export const sgeOf = (amount: string) => parseUnits(amount, 18);

export interface Choice {
  sgeMinted?: boolean;
  treasury?: boolean;
}

export async function deployment({ sgeMinted = true, treasury = false }: Choice = {}) {
  const { viem } = await network.create();
  const [admin, relayer, pauser, vault, child, ann, bob, cem, stranger] =
    await viem.getWalletClients();
  const client = await viem.getPublicClient();
  const usdc = await viem.deployContract("TestUSDC", [admin.account.address]);
  const sge = await viem.deployContract("SGEToken", [admin.account.address, sgeOf("1000000")]);
  const registry = await viem.deployContract("AffiliateRegistry", [
    admin.account.address,
    86_400,
    relayer.account.address,
  ]);
  const identity = await viem.deployContract("SGEIdentity", [
    admin.account.address,
    relayer.account.address,
  ]);
  const payout = await viem.deployContract("AffiliatePayout", [
    {
      usdc: usdc.address,
      sge: sge.address,
      admin: admin.account.address,
      adminDelay: 86_400,
      relayer: relayer.account.address,
      pauser: pauser.account.address,
      sgeMinted,
      usdcPayoutCap: usd("100"),
      usdcDailyCap: usd("500"),
      sgePayoutCap: sgeOf("100"),
      sgeDailyCap: sgeOf("500"),
    },
  ]);
  const source = treasury ? vault : undefined;
  const holder = source?.account.address ?? payout.address;
  const minter = await sge.read.MINTER_ROLE();
  await usdc.write.mint([holder, usd("10000")]);
  await sge.write.grantRole([minter, sgeMinted ? payout.address : admin.account.address]);
  if (!sgeMinted) await sge.write.mint([holder, sgeOf("1000")]);
  if (source) {
    const as = { account: source.account };
    await usdc.write.approve([payout.address, usd("10000")], as);
    await sge.write.approve([payout.address, sgeOf("1000")], as);
    await payout.write.setTreasury([holder]);
  }

  /** The payout id: bound to this chain, this contract and one payment. */
  const payoutId = (payment: string): Hex =>
    keccak256(
      encodeAbiParameters(
        [{ type: "uint256" }, { type: "address" }, { type: "string" }, { type: "bytes32" }],
        [31337n, payout.address, "program", keccak256(toHex(payment))],
      ),
    );
  const item = (payment: string, referrer: Address, usdcAmount: bigint, sgeAmount = 0n) => ({
    payoutId: payoutId(payment),
    child: child.account.address,
    referrer,
    usdcAmount,
    sgeAmount,
  });
  const clock = await viem.getTestClient();
  const wait = async (seconds: number) => {
    await clock.increaseTime({ seconds });
    await clock.mine({ blocks: 1 });
  };
  return {
    ...{ viem, wait, client, usdc, sge, registry, identity, payout, payoutId, item },
    ...{ admin, relayer, pauser, vault, child, ann, bob, cem, stranger },
    asRelayer: { account: relayer.account },
  };
}
