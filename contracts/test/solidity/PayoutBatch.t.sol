// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {AffiliatePayout} from "../../src/AffiliatePayout.sol";
import {FaultyToken} from "../../mocks/FaultyToken.sol";
import {vm} from "./lib/Vm.sol";
import {PayoutBase} from "./lib/PayoutBase.sol";

contract PayoutBatchTest is PayoutBase {
    address a = account("a");
    address b = account("b");
    address c = account("c");

    function setUp() public {
        deploy(false);
    }

    function testEmptyBatch() public {
        eq(payBatch(new AffiliatePayout.Payout[](0)).length, 0, "outcomes");
    }

    function testBatchTooLarge() public {
        uint256 max = payout.MAX_BATCH();
        AffiliatePayout.Payout[] memory list = new AffiliatePayout.Payout[](max + 1);
        vm.prank(relayer);
        vm.expectRevert(
            abi.encodeWithSelector(AffiliatePayout.BatchTooLarge.selector, max + 1, max)
        );
        payout.payAffiliates(list);
    }

    function testLargestBatch() public {
        uint256 max = payout.MAX_BATCH();
        AffiliatePayout.Payout[] memory list = new AffiliatePayout.Payout[](max);
        for (uint256 n = 0; n < max; ++n) {
            list[n] = item(n, address(uint160(uint256(id(n)))), 1e6, 0);
        }
        uint256 gasBefore = gasleft();
        uint8[] memory outcomes = payBatch(list);
        yes(gasBefore - gasleft() < 16_000_000, "fits a transaction");
        for (uint256 n = 0; n < max; ++n) {
            eq(outcomes[n], 1, "outcome");
            eq(usdc.balanceOf(list[n].referrer), 1e6, "received");
        }
        eq(payout.dailyRemaining(address(usdc)), USDC_DAILY_CAP - max * 1e6, "remaining");
    }

    /// Every kind of payout in one batch, in an order where each interrupts a run.
    // fault 52, 56: blacklisted in the middle, one id twice
    function testIsolates() public {
        usdc.blacklist(b);
        pay(1, a, 1e6);
        AffiliatePayout.Payout[] memory list = new AffiliatePayout.Payout[](9);
        list[0] = item(10, a, 1e6, 0);
        list[1] = item(1, a, 1e6, 0); // paid before
        list[2] = item(11, b, 2e6, 0); // blacklisted
        list[3] = item(12, c, 3e6, 4 ether); // hybrid
        list[4] = item(10, c, 1e6, 0); // twice in this batch
        list[5] = item(13, a, USDC_PAYOUT_CAP + 1, 0);
        list[6] = item(14, c, 5e6, 0);
        list[7] = item(15, child, 6e6, 0); // self
        list[8] = item(16, a, 7e6, 0);
        expectPaid(10, a, 1e6, 0);
        expectSkipped(1, AffiliatePayout.AlreadyPaid.selector);
        expectOwed(11, b, 2e6, 0);
        expectPaid(12, c, 3e6, 4 ether);
        expectSkipped(10, AffiliatePayout.AlreadyPaid.selector);
        expectSkipped(13, AffiliatePayout.PayoutCapExceeded.selector);
        expectPaid(14, c, 5e6, 0);
        expectSkipped(15, AffiliatePayout.SelfReferral.selector);
        expectPaid(16, a, 7e6, 0);
        uint8[] memory outcomes = payBatch(list);
        uint8[9] memory wanted = [1, 0, 2, 1, 0, 0, 1, 0, 1];
        for (uint256 n = 0; n < 9; ++n) eq(outcomes[n], wanted[n], "outcome");
        eq(usdc.balanceOf(a), 9e6, "a");
        eq(usdc.balanceOf(b), 0, "b");
        eq(usdc.balanceOf(c), 8e6, "c");
        eq(sge.balanceOf(c), 4 ether, "c sge");
        eq(payout.owed(address(usdc), b), 2e6, "owed");
        eq(payout.totalOwed(address(usdc)), 2e6, "total owed");
        yes(payout.referralPaid(id(11)), "owed counts as paid");
        no(payout.referralPaid(id(13)), "skipped may be sent again");
        eq(payout.dailyRemaining(address(usdc)), USDC_DAILY_CAP - 19e6, "remaining");
    }

    function testSameReferrerTwice() public {
        AffiliatePayout.Payout[] memory list = new AffiliatePayout.Payout[](2);
        list[0] = item(1, a, 1e6, 0);
        list[1] = item(2, a, 2e6, 0);
        payBatch(list);
        eq(usdc.balanceOf(a), 3e6, "both");
    }

    function testFundsRunOutInTheMiddle() public {
        vm.prank(address(payout));
        usdc.transfer(vault, FUNDS - 5e6);
        AffiliatePayout.Payout[] memory list = new AffiliatePayout.Payout[](3);
        list[0] = item(1, a, 4e6, 0);
        list[1] = item(2, b, 2e6, 0);
        list[2] = item(3, c, 1e6, 0);
        expectSkipped(2, AffiliatePayout.InsufficientFunds.selector);
        uint8[] memory outcomes = payBatch(list);
        eq(outcomes[0], 1, "first");
        eq(outcomes[1], 0, "second");
        eq(outcomes[2], 1, "third, smaller");
        eq(usdc.balanceOf(address(payout)), 0, "all spent");
    }

    /// What is owed to one stays held back after another claimed, and is free once all have.
    function testDebtsAreHeldBackUntilTheLastIsClaimed() public {
        vm.prank(address(payout));
        usdc.transfer(vault, FUNDS - 5e6);
        usdc.blacklist(a);
        usdc.blacklist(b);
        eq(payOne(item(1, a, 2e6, 0)), 2, "owed to a");
        eq(payOne(item(2, b, 1e6, 0)), 2, "owed to b");
        eq(payout.availableFunds(address(usdc)), 2e6, "both held back");
        vm.prank(a);
        payout.claim(address(usdc), vault);
        eq(payout.availableFunds(address(usdc)), 2e6, "b's held back");
        expectSkipped(3, AffiliatePayout.InsufficientFunds.selector);
        eq(payOne(item(3, c, 2e6 + 1, 0)), 0, "into b's");
        vm.prank(b);
        payout.claim(address(usdc), vault);
        eq(payout.availableFunds(address(usdc)), 2e6, "all of the balance");
        eq(payOne(item(4, c, 2e6, 0)), 1, "to the last unit");
    }

    function testDailyCapInTheMiddle() public {
        AffiliatePayout.Payout[] memory list = new AffiliatePayout.Payout[](6);
        for (uint256 n = 0; n < 5; ++n) list[n] = item(n, a, USDC_PAYOUT_CAP - 1, 0);
        list[5] = item(5, b, 4, 0);
        expectSkipped(4, AffiliatePayout.DailyCapExceeded.selector);
        uint8[] memory outcomes = payBatch(list);
        eq(outcomes[4], 0, "above");
        eq(outcomes[5], 1, "the rest fits");
        eq(payout.dailyRemaining(address(usdc)), 0, "exactly");
    }

    function testTreasuryBatch() public {
        useTreasury(9e6);
        usdc.blacklist(b);
        AffiliatePayout.Payout[] memory list = new AffiliatePayout.Payout[](5);
        list[0] = item(1, a, 1e6, 0);
        list[1] = item(2, b, 2e6, 0);
        list[2] = item(3, vault, 1e6, 0);
        list[3] = item(4, c, 6e6, 0);
        list[4] = item(5, a, 1, 0);
        expectPaid(1, a, 1e6, 0);
        expectOwed(2, b, 2e6, 0);
        expectSkipped(3, AffiliatePayout.InvalidRecipient.selector);
        expectPaid(4, c, 6e6, 0);
        expectSkipped(5, AffiliatePayout.InsufficientFunds.selector);
        payBatch(list);
        eq(usdc.balanceOf(address(payout)), 2e6, "holds what is owed");
        eq(usdc.balanceOf(vault), FUNDS - 9e6, "vault");
    }

    /// Where the treasury itself is cut off the money can be neither sent nor kept.
    function testTreasuryCutOff() public {
        useTreasury(FUNDS);
        usdc.blacklist(vault);
        bytes4 reason = bytes4(keccak256("Error(string)"));
        expectSkipped(1, reason);
        eq(payOne(item(1, a, 1e6, 0)), 0, "skipped");
        no(payout.referralPaid(id(1)), "not paid");
        eq(payout.dailyRemaining(address(usdc)), USDC_DAILY_CAP, "caps untouched");
        usdc.unBlacklist(vault);
        eq(payOne(item(1, a, 1e6, 0)), 1, "again");
    }

    // fault 53: a batch that meets the pause
    function testPausedTokenOwesFromOwnBalance() public {
        usdc.pause();
        expectOwed(1, a, 1e6, 0);
        eq(payOne(item(1, a, 1e6, 0)), 2, "owed");
    }

    function testHybridPartlyOwed() public {
        usdc.blacklist(a);
        expectPaid(1, a, 0, 2 ether);
        expectOwed(1, a, 1e6, 0);
        eq(payOne(item(1, a, 1e6, 2 ether)), 2, "owed");
        eq(sge.balanceOf(a), 2 ether, "sge");
        eq(payout.owed(address(usdc), a), 1e6, "usdc owed");
        eq(payout.owed(address(sge), a), 0, "sge not owed");
    }

    /// SGE that cannot be minted can be neither sent nor kept: the whole payout waits.
    function testHybridWithoutMinter() public {
        deploy(true);
        sge.mint(vault, 10 * SGE_FUNDS);
        expectSkipped(1, ERC20Capped.ERC20ExceededCap.selector);
        eq(payOne(item(1, a, 1e6, 1)), 0, "skipped");
        eq(usdc.balanceOf(a), 0, "no usdc without sge");
        eq(payout.dailyRemaining(address(usdc)), USDC_DAILY_CAP, "caps untouched");
    }

    /// Malformed data is nobody's payout: the call reverts instead of guessing.
    function testDirtyAddressReverts() public {
        AffiliatePayout.Payout[] memory list = new AffiliatePayout.Payout[](1);
        list[0] = item(1, a, 1e6, 0);
        bytes memory data = abi.encodeCall(payout.payAffiliates, (list));
        for (uint256 word = 3; word <= 4; ++word) {
            bytes memory dirty = bytes.concat(data);
            dirty[4 + 32 * word] = 0x01;
            vm.prank(relayer);
            (bool ok, ) = address(payout).call(dirty);
            no(ok, "refused");
        }
        vm.prank(relayer);
        (bool fine, ) = address(payout).call(data);
        yes(fine, "clean data");
    }

    /// Any mixture: every base unit is paid, owed or still there, and outcomes tell the truth.
    // fault 56: random batches with ids twice
    function testFuzzMixture(uint256 seed, uint8 length, bool fromTreasury) public {
        if (fromTreasury) useTreasury(bound(seed, 0, 3_000e6));
        usdc.blacklist(b);
        uint256 n = bound(length, 1, 24);
        AffiliatePayout.Payout[] memory list = new AffiliatePayout.Payout[](n);
        address[6] memory who = [a, b, c, child, address(payout), address(0)];
        for (uint256 i = 0; i < n; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            uint256 pick = r % 16 < 6 ? r % 6 : r % 3;
            list[i] = item(
                (r >> 8) % 20,
                who[pick],
                (r >> 16) % 520e6,
                (r >> 64) % 4 == 0 ? (r >> 72) % 52 ether : 0
            );
        }
        uint8[] memory outcomes = payBatch(list);
        uint256 settled = 0;
        uint256 settledSge = 0;
        for (uint256 i = 0; i < n; ++i) {
            if (outcomes[i] == 0) continue;
            settled += list[i].usdcAmount;
            settledSge += list[i].sgeAmount;
            yes(payout.referralPaid(list[i].payoutId), "paid flag");
            for (uint256 j = 0; j < i; ++j) {
                no(outcomes[j] != 0 && list[j].payoutId == list[i].payoutId, "at most once");
            }
        }
        uint256 paid = usdc.balanceOf(a) + usdc.balanceOf(c);
        uint256 debt = payout.totalOwed(address(usdc));
        eq(paid + debt, settled, "settled = paid + owed");
        eq(payout.owed(address(usdc), b), debt, "owed to b alone");
        eq(sge.balanceOf(a) + sge.balanceOf(b) + sge.balanceOf(c), settledSge, "sge");
        yes(usdc.balanceOf(address(payout)) >= debt, "owed <= balance");
        yes(settled <= USDC_DAILY_CAP && settledSge <= SGE_DAILY_CAP, "within the caps");
        eq(payout.dailyRemaining(address(usdc)), USDC_DAILY_CAP - settled, "remaining");
        eq(usdc.balanceOf(address(payout)) + usdc.balanceOf(vault) + paid, FUNDS, "nothing lost");
    }
}

/// A batch of plain payouts over tokens that are not what they seem.
contract PayoutFaultyBatchTest is PayoutBase {
    FaultyToken token;
    address a = account("a");
    address b = account("b");

    function setUp() public {
        deploy(false);
        token = new FaultyToken();
        payout = new AffiliatePayout(config(address(token), address(sge), false));
        token.mint(address(payout), FUNDS);
    }

    function two() internal view returns (AffiliatePayout.Payout[] memory list) {
        list = new AffiliatePayout.Payout[](2);
        list[0] = item(1, a, 100, 0);
        list[1] = item(2, b, 100, 0);
    }

    function expectMismatch(FaultyToken.Mode mode, uint256 expected, uint256 actual) internal {
        token.setMode(mode);
        vm.prank(relayer);
        vm.expectRevert(
            abi.encodeWithSelector(
                AffiliatePayout.TransferMismatch.selector,
                address(token),
                expected,
                actual
            )
        );
        payout.payAffiliates(two());
        no(payout.referralPaid(id(1)), "nothing paid");
        eq(token.balanceOf(address(payout)), FUNDS, "nothing moved");
    }

    // fault 55: a batch over a token that lies
    function testLiesStopTheBatch() public {
        expectMismatch(FaultyToken.Mode.FeeOnTop, 200, 202);
        expectMismatch(FaultyToken.Mode.SaysYesMovesNothing, 200, 0);
        expectMismatch(FaultyToken.Mode.FeeFromAmount, 100, 99);
    }

    function testNoReturnDataIsFine() public {
        token.setMode(FaultyToken.Mode.NoReturnData);
        uint8[] memory outcomes = payBatch(two());
        eq(outcomes[0] + outcomes[1], 2, "paid");
        eq(token.balanceOf(b), 100, "received");
    }

    function testRefusalsBecomeOwed() public {
        FaultyToken.Mode[2] memory modes = [
            FaultyToken.Mode.ReturnsFalse,
            FaultyToken.Mode.RevertsBare
        ];
        for (uint256 i = 0; i < 2; ++i) {
            token.setMode(modes[i]);
            expectOwed(i, a, 100, 0);
            eq(payOne(item(i, a, 100, 0)), 2, "owed");
            eq(token.balanceOf(address(payout)), FUNDS, "kept");
        }
        eq(payout.owed(address(token), a), 200, "owed");
    }

    /// It moves the money and denies it: owing it as well would pay twice.
    // fault 55: it moves the money and denies it
    function testDenialStopsTheBatch() public {
        expectMismatch(FaultyToken.Mode.MovesSaysNo, 0, 100);
    }

    // fault 55: called back within a batch
    function testReentryIsRefused() public {
        bytes32 role = payout.RELAYER_ROLE();
        vm.prank(admin);
        payout.grantRole(role, address(token));
        AffiliatePayout.Payout[] memory inner = new AffiliatePayout.Payout[](1);
        inner[0] = item(2, b, 1, 0);
        token.setReentry(address(payout), abi.encodeCall(payout.payAffiliates, (inner)));
        eq(payOne(item(1, a, 100, 0)), 1, "paid");
        yes(
            token.reentryError() ==
                ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector,
            "by the guard"
        );
        token.setReentry(address(payout), abi.encodeCall(payout.settleApart, (inner[0])));
        eq(payOne(item(3, a, 100, 0)), 1, "paid");
        yes(token.reentryError() == AffiliatePayout.OnlySelf.selector, "not for tokens");
        token.setReentry(
            address(payout),
            abi.encodeCall(payout.moveApart, (IERC20(address(token)), b, 1))
        );
        eq(payOne(item(4, a, 100, 0)), 1, "paid");
        yes(token.reentryError() == AffiliatePayout.OnlySelf.selector, "not for tokens");
        eq(token.balanceOf(b), 0, "nothing by the back door");
    }

    /// A mintable SGE that refuses without a word: skipped, with no reason to name.
    function testBareRevertHasNoReason() public {
        FaultyToken minted = new FaultyToken();
        payout = new AffiliatePayout(config(address(token), address(minted), true));
        token.mint(address(payout), FUNDS);
        minted.setMode(FaultyToken.Mode.RevertsBare);
        expectSkipped(1, bytes4(keccak256("Error(string)")));
        eq(payOne(item(1, a, 100, 1)), 0, "skipped");
        vm.prank(admin);
        payout.setTreasury(vault);
        token.mint(vault, FUNDS);
        vm.prank(vault);
        token.approve(address(payout), FUNDS);
        token.setMode(FaultyToken.Mode.RevertsBare);
        expectSkipped(2, bytes4(0));
        eq(payOne(item(2, a, 100, 0)), 0, "skipped");
    }
}
