// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseEventLogs, toFunctionSelector, zeroAddress } from "viem";
import { deployment, sgeOf, usd } from "../lib/deployment.ts";

const selector = (error: string) => toFunctionSelector(`function ${error}`);

describe("deployment", () => {
  it("gives each role to whom it belongs, and to nobody else", async () => {
    const d = await deployment();
    const roles = [
      [await d.payout.read.DEFAULT_ADMIN_ROLE(), d.admin],
      [await d.payout.read.RELAYER_ROLE(), d.relayer],
      [await d.payout.read.PAUSER_ROLE(), d.pauser],
    ] as const;
    for (const [role, holder] of roles) {
      for (const wallet of [d.admin, d.relayer, d.pauser, d.stranger]) {
        const has = await d.payout.read.hasRole([role, wallet.account.address]);
        assert.equal(has, wallet === holder);
      }
    }
    assert.equal(await d.payout.read.defaultAdminDelay(), 86_400);
    assert.equal(await d.payout.read.availableFunds([d.usdc.address]), usd("10000"));
  });

  it("keeps the relayer away from everything but paying", async () => {
    const d = await deployment();
    const admin = await d.payout.read.DEFAULT_ADMIN_ROLE();
    const pauser = await d.payout.read.PAUSER_ROLE();
    const me = d.relayer.account.address;
    const as = d.asRelayer;
    const tries = [
      [admin, d.payout.write.setCaps([d.usdc.address, 1n, 1n], as)],
      [admin, d.payout.write.setTreasury([me], as)],
      [admin, d.payout.write.grantRole([pauser, me], as)],
      [admin, d.payout.write.unpause(as)],
      [admin, d.payout.write.beginDefaultAdminTransfer([me], as)],
      [pauser, d.payout.write.pause(as)],
    ] as const;
    for (const [role, attempt] of tries) {
      await d.viem.assertions.revertWithCustomErrorWithArgs(
        attempt,
        d.payout,
        "AccessControlUnauthorizedAccount",
        [(value: string) => value.toLowerCase() === me.toLowerCase(), role],
      );
    }
  });
});

describe("registration", () => {
  it("records the referral and mints the identity", async () => {
    const d = await deployment();
    const [child, ann] = [d.child.account.address, d.ann.account.address];
    await d.viem.assertions.emitWithArgs(
      d.registry.write.registerReferral([child, ann], d.asRelayer),
      d.registry,
      "ReferralRegistered",
      [child, ann].map((a) => (v: string) => v.toLowerCase() === a.toLowerCase()),
    );
    await d.identity.write.mint([child], d.asRelayer);
    assert.equal(await d.identity.read.hasIdentity([child]), true);
    await d.viem.assertions.revertWithCustomError(
      d.registry.write.registerReferral([child, d.bob.account.address], d.asRelayer),
      d.registry,
      "AlreadyReferred",
    );
    await d.viem.assertions.revertWithCustomError(
      d.identity.write.mint([child], d.asRelayer),
      d.identity,
      "AlreadyMinted",
    );
  });
});

describe("payAffiliateUSDC", () => {
  it("pays once, whatever is sent again", async () => {
    const d = await deployment();
    const to = d.ann.account.address;
    const id = d.payoutId("pi_1");
    const args = [id, d.child.account.address, to, usd("12.5")] as const;
    const hash = await d.payout.write.payAffiliateUSDC(args, d.asRelayer);
    const receipt = await d.client.getTransactionReceipt({ hash });
    const [event] = parseEventLogs({
      abi: d.payout.abi,
      eventName: "AffiliatePaid",
      logs: receipt.logs,
    });
    assert.equal(event.args.payoutId, id);
    assert.equal(event.args.referrer.toLowerCase(), to);
    assert.equal(event.args.usdcAmount, usd("12.5"));
    assert.equal(event.topics.length, 3);
    assert.equal(event.data.length, 2 + 64);
    assert.equal(await d.usdc.read.balanceOf([to]), usd("12.5"));
    assert.equal(await d.payout.read.referralPaid([id]), true);
    await d.viem.assertions.revertWithCustomErrorWithArgs(
      d.payout.write.payAffiliateUSDC(args, d.asRelayer),
      d.payout,
      "AlreadyPaid",
      [id],
    );
    assert.equal(await d.usdc.read.balanceOf([to]), usd("12.5"));
  });

  it("stops at the daily cap and goes on a day later", async () => {
    const d = await deployment();
    const pay = (n: number) => {
      const { payoutId, child, referrer } = d.item(`pi_${n}`, d.ann.account.address, 0n);
      return d.payout.write.payAffiliateUSDC(
        [payoutId, child, referrer, usd("100")],
        d.asRelayer,
      );
    };
    for (let n = 0; n < 5; ++n) await pay(n);
    assert.equal(await d.payout.read.dailyRemaining([d.usdc.address]), 0n);
    await d.viem.assertions.revertWithCustomError(pay(5), d.payout, "DailyCapExceeded");
    await d.wait(23 * 3600);
    await d.viem.assertions.revertWithCustomError(pay(5), d.payout, "DailyCapExceeded");
    await d.wait(2 * 3600);
    await pay(5);
  });
});

describe("payAffiliateHybrid", () => {
  for (const sgeMinted of [true, false]) {
    for (const treasury of [true, false]) {
      const how = `SGE ${sgeMinted ? "minted" : "transferred"}`;
      it(`${how}, ${treasury ? "from a treasury" : "from the own balance"}`, async () => {
        const d = await deployment({ sgeMinted, treasury });
        const to = d.ann.account.address;
        const supply = await d.sge.read.totalSupply();
        const { payoutId, child } = d.item("pi_1", to, 0n);
        const args = [payoutId, child, to, usd("3"), sgeOf("2")] as const;
        await d.payout.write.payAffiliateHybrid(args, d.asRelayer);
        assert.equal(await d.usdc.read.balanceOf([to]), usd("3"));
        assert.equal(await d.sge.read.balanceOf([to]), sgeOf("2"));
        const minted = (await d.sge.read.totalSupply()) - supply;
        assert.equal(minted, sgeMinted ? sgeOf("2") : 0n);
        assert.equal(await d.payout.read.availableFunds([d.usdc.address]), usd("9997"));
      });
    }
  }
});

describe("payAffiliates", () => {
  for (const treasury of [true, false]) {
    it(`isolates, ${treasury ? "from a treasury" : "from the own balance"}`, async () => {
      const d = await deployment({ treasury });
      const [ann, bob, cem] = [d.ann, d.bob, d.cem].map((w) => w.account.address);
      await d.usdc.write.blacklist([bob]);
      const list = [
        d.item("pi_1", ann, usd("1")),
        d.item("pi_2", bob, usd("2")),
        d.item("pi_1", ann, usd("1")),
        d.item("pi_3", zeroAddress, usd("1")),
        d.item("pi_4", cem, usd("3"), sgeOf("4")),
        d.item("pi_5", cem, usd("101")),
        d.item("pi_6", cem, usd("5")),
      ];
      const { result } = await d.payout.simulate.payAffiliates([list], d.asRelayer);
      assert.deepEqual([...result], [1, 2, 0, 0, 1, 0, 1]);
      const hash = await d.payout.write.payAffiliates([list], d.asRelayer);
      const { logs } = await d.client.getTransactionReceipt({ hash });
      const events = parseEventLogs({ abi: d.payout.abi, logs }).map((e) => [
        e.eventName,
        "reason" in e.args ? e.args.reason : undefined,
      ]);
      assert.deepEqual(events, [
        ["AffiliatePaid", undefined],
        ["PayoutOwed", undefined],
        ["PayoutSkipped", selector("AlreadyPaid(bytes32)")],
        ["PayoutSkipped", selector("ZeroAddress()")],
        ["AffiliatePaidHybrid", undefined],
        ["PayoutSkipped", selector("PayoutCapExceeded(address,uint256,uint256)")],
        ["AffiliatePaid", undefined],
      ]);
      assert.equal(await d.usdc.read.balanceOf([ann]), usd("1"));
      assert.equal(await d.usdc.read.balanceOf([bob]), 0n);
      assert.equal(await d.usdc.read.balanceOf([cem]), usd("8"));
      assert.equal(await d.sge.read.balanceOf([cem]), sgeOf("4"));
      assert.equal(await d.payout.read.totalOwed([d.usdc.address]), usd("2"));
    });
  }

  it("leaves what is owed to be claimed, even while paused", async () => {
    const d = await deployment({ treasury: true });
    const bob = d.bob.account.address;
    const to = d.stranger.account.address;
    await d.usdc.write.blacklist([bob]);
    await d.payout.write.payAffiliates([[d.item("pi_1", bob, usd("2"))]], d.asRelayer);
    assert.equal(await d.payout.read.owed([d.usdc.address, bob]), usd("2"));
    assert.equal(await d.usdc.read.balanceOf([d.payout.address]), usd("2"));
    await d.payout.write.pause({ account: d.pauser.account });
    const claim = () => d.payout.write.claim([d.usdc.address, to], { account: d.bob.account });
    await d.viem.assertions.emit(claim(), d.payout, "Claimed");
    assert.equal(await d.usdc.read.balanceOf([to]), usd("2"));
    await d.viem.assertions.revertWithCustomError(claim(), d.payout, "NothingOwed");
  });
});

describe("stopping", () => {
  it("pauser stops, admin withdraws what is not owed, admin resumes", async () => {
    const d = await deployment();
    const bob = d.bob.account.address;
    await d.usdc.write.blacklist([bob]);
    await d.payout.write.payAffiliates([[d.item("pi_1", bob, usd("2"))]], d.asRelayer);
    const safe = d.vault.account.address;
    const withdraw = (amount: bigint) =>
      d.payout.write.emergencyWithdraw([d.usdc.address, safe, amount]);
    await d.viem.assertions.revertWithCustomError(withdraw(1n), d.payout, "ExpectedPause");
    await d.payout.write.pause({ account: d.pauser.account });
    await d.viem.assertions.revertWithCustomError(
      d.payout.write.payAffiliates([[d.item("pi_2", safe, 1n)]], d.asRelayer),
      d.payout,
      "EnforcedPause",
    );
    await d.viem.assertions.revertWithCustomErrorWithArgs(
      withdraw(usd("10000")),
      d.payout,
      "InsufficientFunds",
      [
        (value: string) => value.toLowerCase() === d.usdc.address,
        usd("10000"),
        usd("9998"),
      ],
    );
    await d.viem.assertions.emit(withdraw(usd("9998")), d.payout, "EmergencyWithdrawal");
    assert.equal(await d.usdc.read.balanceOf([safe]), usd("9998"));
    assert.equal(await d.usdc.read.balanceOf([d.payout.address]), usd("2"));
    await d.payout.write.unpause();
    assert.equal(await d.payout.read.paused(), false);
  });

  it("a paused USDC refuses single payments in its own words", async () => {
    const d = await deployment();
    await d.usdc.write.pause();
    const { payoutId, child, referrer } = d.item("pi_1", d.ann.account.address, 0n);
    await d.viem.assertions.revertWith(
      d.payout.write.payAffiliateUSDC([payoutId, child, referrer, 1n], d.asRelayer),
      "Pausable: paused",
    );
  });
});
