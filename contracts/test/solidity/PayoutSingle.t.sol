// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {AffiliatePayout} from "../../src/AffiliatePayout.sol";
import {FaultyToken} from "../../mocks/FaultyToken.sol";
import {EighteenDecimals} from "../../mocks/OddTokens.sol";
import {vm} from "./lib/Vm.sol";
import {PayoutBase} from "./lib/PayoutBase.sol";

contract PayoutDeployTest is PayoutBase {
    function setUp() public {
        deploy(false);
    }

    function testDeployedAsAsked() public view {
        eq(address(payout.usdc()), address(usdc), "usdc");
        eq(address(payout.sge()), address(sge), "sge");
        no(payout.sgeMinted(), "transferred");
        eq(payout.defaultAdmin(), admin, "admin");
        eq(payout.defaultAdminDelay(), 3 days, "delay");
        yes(payout.hasRole(payout.RELAYER_ROLE(), relayer), "relayer");
        yes(payout.hasRole(payout.PAUSER_ROLE(), pauser), "pauser");
        eq(payout.treasury(), address(0), "own balance");
        eq(payout.payoutCap(address(usdc)), USDC_PAYOUT_CAP, "usdc payout cap");
        eq(payout.dailyCap(address(usdc)), USDC_DAILY_CAP, "usdc daily cap");
        eq(payout.payoutCap(address(sge)), SGE_PAYOUT_CAP, "sge payout cap");
        eq(payout.dailyCap(address(sge)), SGE_DAILY_CAP, "sge daily cap");
        eq(payout.dailyRemaining(address(usdc)), USDC_DAILY_CAP, "remaining");
        eq(payout.availableFunds(address(usdc)), FUNDS, "funds");
        eq(payout.SKIPPED(), 0, "skipped");
        eq(payout.PAID(), 1, "paid");
        eq(payout.OWED(), 2, "owed");
    }

    function testRolesMayBeLeftOpen() public {
        AffiliatePayout.Config memory c = config(address(usdc), address(sge), false);
        c.relayer = address(0);
        c.pauser = address(0);
        AffiliatePayout p = new AffiliatePayout(c);
        no(p.hasRole(p.RELAYER_ROLE(), address(0)), "no relayer");
        no(p.hasRole(p.PAUSER_ROLE(), address(0)), "no pauser");
    }

    function expectRefused(AffiliatePayout.Config memory c, bytes memory refusal) internal {
        vm.expectRevert(refusal);
        new AffiliatePayout(c);
    }

    function testRefusesBadConfigs() public {
        bytes memory zero = abi.encodeWithSelector(AffiliatePayout.ZeroAddress.selector);
        expectRefused(config(address(0), address(sge), false), zero);
        expectRefused(config(address(usdc), address(0), false), zero);
        address odd = address(new EighteenDecimals());
        expectRefused(
            config(odd, address(sge), false),
            abi.encodeWithSelector(AffiliatePayout.InvalidToken.selector, odd)
        );
        expectRefused(
            config(address(usdc), address(usdc), false),
            abi.encodeWithSelector(AffiliatePayout.InvalidToken.selector, address(usdc))
        );
        expectRefused(
            config(address(usdc), child, false),
            abi.encodeWithSelector(AffiliatePayout.InvalidToken.selector, child)
        );
        AffiliatePayout.Config memory c = config(address(usdc), address(sge), false);
        c.usdcDailyCap = 1 << 112;
        expectRefused(
            c,
            abi.encodeWithSelector(AffiliatePayout.CapTooLarge.selector, uint256(1 << 112))
        );
        c = config(address(usdc), address(sge), false);
        c.admin = address(0);
        expectRefused(
            c,
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector,
                address(0)
            )
        );
    }
}

/// What both single payments have in common, and what a batch must agree with.
contract PayoutSingleTest is PayoutBase {
    function setUp() public {
        deploy(false);
    }

    function testPaysUSDC() public {
        expectPaid(1, referrer, 5e6, 0);
        pay(1, referrer, 5e6);
        eq(usdc.balanceOf(referrer), 5e6, "received");
        eq(usdc.balanceOf(address(payout)), FUNDS - 5e6, "left");
        yes(payout.referralPaid(id(1)), "paid");
        no(payout.referralPaid(id(2)), "other id");
        eq(payout.dailyRemaining(address(usdc)), USDC_DAILY_CAP - 5e6, "remaining");
    }

    function testPaysHybridTransferred() public {
        expectPaid(1, referrer, 5e6, 3 ether);
        payHybrid(1, referrer, 5e6, 3 ether);
        eq(usdc.balanceOf(referrer), 5e6, "usdc");
        eq(sge.balanceOf(referrer), 3 ether, "sge");
        eq(sge.balanceOf(address(payout)), SGE_FUNDS - 3 ether, "left");
        eq(payout.dailyRemaining(address(sge)), SGE_DAILY_CAP - 3 ether, "remaining");
    }

    function testPaysHybridMinted() public {
        deploy(true);
        eq(payout.availableFunds(address(sge)), type(uint256).max, "minted on demand");
        expectPaid(1, referrer, 5e6, 3 ether);
        payHybrid(1, referrer, 5e6, 3 ether);
        eq(sge.balanceOf(referrer), 3 ether, "sge");
        eq(sge.totalSupply(), 3 ether, "minted");
    }

    function testHybridMayBeOneToken() public {
        expectPaid(1, referrer, 0, 3 ether);
        payHybrid(1, referrer, 0, 3 ether);
        expectPaid(2, referrer, 5e6, 0);
        payHybrid(2, referrer, 5e6, 0);
    }

    function testHybridIsAtomic() public {
        deploy(true);
        sge.revokeRole(sge.MINTER_ROLE(), address(payout));
        bytes memory refusal = abi.encodeWithSelector(
            IAccessControl.AccessControlUnauthorizedAccount.selector,
            address(payout),
            sge.MINTER_ROLE()
        );
        vm.prank(relayer);
        vm.expectRevert(refusal);
        payout.payAffiliateHybrid(id(1), child, referrer, 5e6, 3 ether);
        eq(usdc.balanceOf(referrer), 0, "no usdc without sge");
        no(payout.referralPaid(id(1)), "not paid");
    }

    function testPaysFromTreasury() public {
        useTreasury(FUNDS);
        eq(payout.availableFunds(address(usdc)), FUNDS, "funds");
        expectPaid(1, referrer, 5e6, 0);
        pay(1, referrer, 5e6);
        eq(usdc.balanceOf(vault), FUNDS - 5e6, "vault");
        eq(usdc.balanceOf(referrer), 5e6, "received");
    }

    // ---- refusals: the same in both single payments and, as a reason, in a batch

    function expectAll(
        bytes32 payoutId,
        address c,
        address to,
        uint256 amount,
        bytes memory refusal
    ) internal {
        vm.prank(relayer);
        vm.expectRevert(refusal);
        payout.payAffiliateUSDC(payoutId, c, to, amount);
        vm.prank(relayer);
        vm.expectRevert(refusal);
        payout.payAffiliateHybrid(payoutId, c, to, amount, 0);
        expectEvent(address(payout));
        emit AffiliatePayout.PayoutSkipped(payoutId, bytes4(refusal));
        eq(payOne(AffiliatePayout.Payout(payoutId, c, to, amount, 0)), 0, "skipped");
    }

    function testRefusesAlreadyPaid() public {
        pay(1, referrer, 5e6);
        expectAll(
            id(1),
            child,
            referrer,
            5e6,
            abi.encodeWithSelector(AffiliatePayout.AlreadyPaid.selector, id(1))
        );
    }

    function testRefusesSelfReferral() public {
        bytes memory refusal = abi.encodeWithSelector(
            AffiliatePayout.SelfReferral.selector,
            referrer
        );
        expectAll(id(1), referrer, referrer, 5e6, refusal);
    }

    function testRefusesZeroAddress() public {
        bytes memory refusal = abi.encodeWithSelector(AffiliatePayout.ZeroAddress.selector);
        expectAll(id(1), address(0), referrer, 5e6, refusal);
        expectAll(id(1), child, address(0), 5e6, refusal);
    }

    function testRefusesZeroAmount() public {
        bytes memory refusal = abi.encodeWithSelector(AffiliatePayout.ZeroAmount.selector);
        expectAll(id(1), child, referrer, 0, refusal);
    }

    function expectInvalid(address to) internal {
        expectAll(
            id(1),
            child,
            to,
            5e6,
            abi.encodeWithSelector(AffiliatePayout.InvalidRecipient.selector, to)
        );
    }

    function testRefusesInvalidRecipients() public {
        expectInvalid(address(usdc));
        expectInvalid(address(sge));
        expectInvalid(address(payout));
        useTreasury(FUNDS);
        expectInvalid(address(payout));
        expectInvalid(vault);
    }

    function testRefusesAboveThePayoutCap() public {
        pay(1, referrer, USDC_PAYOUT_CAP);
        expectAll(
            id(2),
            child,
            referrer,
            USDC_PAYOUT_CAP + 1,
            abi.encodeWithSelector(
                AffiliatePayout.PayoutCapExceeded.selector,
                address(usdc),
                USDC_PAYOUT_CAP + 1,
                USDC_PAYOUT_CAP
            )
        );
    }

    function testRefusesAboveTheDailyCap() public {
        for (uint256 n = 0; n < 4; ++n) pay(n, referrer, USDC_PAYOUT_CAP - 1);
        pay(4, referrer, 3);
        expectAll(
            id(5),
            child,
            referrer,
            2,
            abi.encodeWithSelector(
                AffiliatePayout.DailyCapExceeded.selector,
                address(usdc),
                uint256(2),
                uint256(1)
            )
        );
        pay(5, referrer, 1);
        eq(payout.dailyRemaining(address(usdc)), 0, "remaining");
    }

    function expectNoFunds(uint256 amount, uint256 available) internal {
        expectAll(
            id(99),
            child,
            referrer,
            amount,
            abi.encodeWithSelector(
                AffiliatePayout.InsufficientFunds.selector,
                address(usdc),
                amount,
                available
            )
        );
    }

    function testRefusesWithoutFunds() public {
        vm.prank(address(payout));
        usdc.transfer(vault, FUNDS - 10);
        expectNoFunds(11, 10);
        pay(1, referrer, 10);
        expectNoFunds(1, 0);
    }

    function testWhatIsOwedIsNoFunds() public {
        usdc.blacklist(referrer);
        eq(payOne(item(1, referrer, 7, 0)), 2, "owed");
        usdc.unBlacklist(referrer);
        vm.prank(address(payout));
        usdc.transfer(vault, FUNDS - 10);
        expectNoFunds(4, 3);
        // A token that takes money back leaves nothing to pay, and no arithmetic to fail.
        vm.prank(address(payout));
        usdc.transfer(vault, 5);
        expectNoFunds(4, 0);
    }

    function testTreasuryLimitsFunds() public {
        useTreasury(10);
        expectNoFunds(11, 10);
        vm.prank(vault);
        usdc.approve(address(payout), type(uint256).max);
        vm.prank(vault);
        usdc.transfer(account("elsewhere"), FUNDS - 5);
        expectNoFunds(6, 5);
        pay(1, referrer, 5);
    }

    function testSGEHasItsOwnLimits() public {
        vm.prank(relayer);
        vm.expectRevert(
            abi.encodeWithSelector(
                AffiliatePayout.PayoutCapExceeded.selector,
                address(sge),
                SGE_PAYOUT_CAP + 1,
                SGE_PAYOUT_CAP
            )
        );
        payout.payAffiliateHybrid(id(1), child, referrer, 5e6, SGE_PAYOUT_CAP + 1);
        for (uint256 n = 0; n < 4; ++n) payHybrid(n, referrer, 0, SGE_PAYOUT_CAP);
        vm.prank(relayer);
        vm.expectRevert(
            abi.encodeWithSelector(
                AffiliatePayout.DailyCapExceeded.selector,
                address(sge),
                uint256(1),
                uint256(0)
            )
        );
        payout.payAffiliateHybrid(id(9), child, referrer, 5e6, 1);
        no(payout.referralPaid(id(9)), "atomic");
        vm.warp(START + 25 hours);
        vm.prank(address(payout));
        sge.transfer(vault, SGE_FUNDS - 4 * SGE_PAYOUT_CAP);
        vm.prank(relayer);
        vm.expectRevert(
            abi.encodeWithSelector(
                AffiliatePayout.InsufficientFunds.selector,
                address(sge),
                uint256(1),
                uint256(0)
            )
        );
        payout.payAffiliateHybrid(id(9), child, referrer, 5e6, 1);
    }

    function testZeroCapsLetNothingLeave() public {
        vm.prank(admin);
        payout.setCaps(address(usdc), 0, USDC_DAILY_CAP);
        vm.prank(relayer);
        vm.expectRevert(
            abi.encodeWithSelector(
                AffiliatePayout.PayoutCapExceeded.selector,
                address(usdc),
                uint256(1),
                uint256(0)
            )
        );
        payout.payAffiliateUSDC(id(1), child, referrer, 1);
        vm.prank(admin);
        payout.setCaps(address(usdc), USDC_PAYOUT_CAP, 0);
        vm.prank(relayer);
        vm.expectRevert(
            abi.encodeWithSelector(
                AffiliatePayout.DailyCapExceeded.selector,
                address(usdc),
                uint256(1),
                uint256(0)
            )
        );
        payout.payAffiliateUSDC(id(1), child, referrer, 1);
    }

    // ---- what the token says is passed on

    function expectTokenSays(string memory message) internal {
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSignature("Error(string)", message));
        payout.payAffiliateUSDC(id(1), child, referrer, 5e6);
        no(payout.referralPaid(id(1)), "not paid");
    }

    // fault 53, 54: the token paused, the contract blacklisted
    function testTokenErrorsBubble() public {
        usdc.blacklist(referrer);
        expectTokenSays("Blacklistable: account is blacklisted");
        usdc.unBlacklist(referrer);
        usdc.blacklist(address(payout));
        expectTokenSays("Blacklistable: account is blacklisted");
        usdc.pause();
        expectTokenSays("Pausable: paused");
    }

    function testTreasuryTokenErrorsBubble() public {
        useTreasury(FUNDS);
        usdc.blacklist(referrer);
        expectTokenSays("Blacklistable: account is blacklisted");
    }

    function testMintErrorsBubble() public {
        deploy(true);
        sge.mint(vault, 10 * SGE_FUNDS);
        vm.prank(relayer);
        vm.expectRevert(
            abi.encodeWithSelector(
                ERC20Capped.ERC20ExceededCap.selector,
                10 * SGE_FUNDS + 1,
                10 * SGE_FUNDS
            )
        );
        payout.payAffiliateHybrid(id(1), child, referrer, 0, 1);
    }

    function testOnlyTheRelayerPays() public {
        bytes memory refusal = abi.encodeWithSelector(
            IAccessControl.AccessControlUnauthorizedAccount.selector,
            admin,
            payout.RELAYER_ROLE()
        );
        vm.prank(admin);
        vm.expectRevert(refusal);
        payout.payAffiliateUSDC(id(1), child, referrer, 1);
        vm.prank(admin);
        vm.expectRevert(refusal);
        payout.payAffiliateHybrid(id(1), child, referrer, 1, 1);
        vm.prank(admin);
        vm.expectRevert(refusal);
        payout.payAffiliates(new AffiliatePayout.Payout[](0));
    }

    function testPauseStopsPayments() public {
        pause();
        bytes memory refusal = abi.encodeWithSelector(Pausable.EnforcedPause.selector);
        vm.prank(relayer);
        vm.expectRevert(refusal);
        payout.payAffiliateUSDC(id(1), child, referrer, 1);
        vm.prank(relayer);
        vm.expectRevert(refusal);
        payout.payAffiliateHybrid(id(1), child, referrer, 1, 1);
        vm.prank(relayer);
        vm.expectRevert(refusal);
        payout.payAffiliates(new AffiliatePayout.Payout[](0));
    }

    function testInnerCallsAreForItselfAlone() public {
        bytes memory refusal = abi.encodeWithSelector(AffiliatePayout.OnlySelf.selector);
        vm.prank(relayer);
        vm.expectRevert(refusal);
        payout.settleApart(item(1, referrer, 1, 0));
        vm.prank(relayer);
        vm.expectRevert(refusal);
        payout.moveApart(IERC20(address(usdc)), referrer, 1);
    }

    /// A single payment and a batch of one agree on everything, whatever the payout looks like.
    function testFuzzSingleAndBatchAgree(uint256 seed, uint96 usdcAmount, uint96 sgeAmount) public {
        if (seed & 1 == 0) useTreasury(100e6);
        address[6] memory who = [
            child,
            referrer,
            address(0),
            address(usdc),
            address(payout),
            vault
        ];
        AffiliatePayout.Payout memory p = AffiliatePayout.Payout({
            payoutId: id(7),
            child: who[(seed >> 8) % 6],
            referrer: who[(seed >> 16) % 6],
            usdcAmount: seed & 2 == 0 ? bound(usdcAmount, 0, 600e6) : usdcAmount,
            sgeAmount: seed & 4 == 0 ? 0 : bound(sgeAmount, 0, 60 ether)
        });
        try this.trySingle(p) {
            revert("unreachable");
        } catch (bytes memory single) {
            uint8 outcome = payOne(p);
            bool paid = bytes4(single) == Worked.selector;
            eq(outcome, paid ? 1 : 0, "outcome");
            yes(payout.referralPaid(p.payoutId) == paid, "paid flag");
            if (paid && p.referrer != vault) {
                eq(usdc.balanceOf(p.referrer), p.usdcAmount, "usdc");
                eq(sge.balanceOf(p.referrer), p.sgeAmount, "sge");
            }
        }
    }

    error Worked();

    /// Pays singly and undoes it: the revert says whether it worked.
    function trySingle(AffiliatePayout.Payout memory p) external {
        vm.prank(relayer);
        payout.payAffiliateHybrid(
            p.payoutId,
            p.child,
            p.referrer,
            p.usdcAmount,
            p.sgeAmount
        );
        revert Worked();
    }
}

/// Tokens that are not what they seem.
contract PayoutFaultySingleTest is PayoutBase {
    FaultyToken token;

    function setUp() public {
        deploy(false);
        token = new FaultyToken();
        payout = new AffiliatePayout(config(address(token), address(sge), false));
        token.mint(address(payout), FUNDS);
    }

    function expectRefused(FaultyToken.Mode mode, bytes memory refusal) internal {
        token.setMode(mode);
        vm.prank(relayer);
        vm.expectRevert(refusal);
        payout.payAffiliateUSDC(id(1), child, referrer, 100);
        eq(token.balanceOf(address(payout)), FUNDS, "nothing moved");
        no(payout.referralPaid(id(1)), "not paid");
    }

    function mismatch(uint256 actual) internal view returns (bytes memory) {
        return
            abi.encodeWithSelector(
                AffiliatePayout.TransferMismatch.selector,
                address(token),
                uint256(100),
                actual
            );
    }

    // fault 55: false, a fee, or nothing moved
    function testFaults() public {
        bytes memory failed = abi.encodeWithSelector(
            SafeERC20.SafeERC20FailedOperation.selector,
            address(token)
        );
        expectRefused(FaultyToken.Mode.ReturnsFalse, failed);
        expectRefused(FaultyToken.Mode.MovesSaysNo, failed);
        expectRefused(FaultyToken.Mode.FeeFromAmount, mismatch(99));
        expectRefused(FaultyToken.Mode.SaysYesMovesNothing, mismatch(0));
        expectRefused(FaultyToken.Mode.RevertsBare, "");
    }

    function testNoReturnDataIsFine() public {
        token.setMode(FaultyToken.Mode.NoReturnData);
        expectPaid(1, referrer, 100, 0);
        pay(1, referrer, 100);
        eq(token.balanceOf(referrer), 100, "received");
    }

    /// The token itself is the relayer and pays again from inside a payment.
    // fault 55: a token that calls back
    function testReentryIsRefused() public {
        bytes32 role = payout.RELAYER_ROLE();
        vm.prank(admin);
        payout.grantRole(role, address(token));
        bytes4 refusal = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        AffiliatePayout.Payout[] memory list = new AffiliatePayout.Payout[](1);
        list[0] = item(2, referrer, 1, 0);
        bytes[3] memory calls = [
            abi.encodeCall(payout.payAffiliateUSDC, (id(2), child, referrer, 1)),
            abi.encodeCall(payout.payAffiliateHybrid, (id(2), child, referrer, 1, 0)),
            abi.encodeCall(payout.payAffiliates, (list))
        ];
        for (uint256 n = 0; n < 3; ++n) {
            token.setReentry(address(payout), calls[n]);
            pay(10 + n, referrer, 100);
            yes(token.reentryFailed(), "refused");
            yes(token.reentryError() == refusal, "by the guard");
        }
        no(payout.referralPaid(id(2)), "not paid");
    }

    function testReentryIntoClaimIsRefused() public {
        token.setMode(FaultyToken.Mode.ReturnsFalse);
        eq(payOne(item(1, address(this), 50, 0)), 2, "owed");
        token.setReentry(address(payout), abi.encodeCall(payout.claim, (address(token), child)));
        payout.claim(address(token), referrer);
        yes(token.reentryFailed(), "refused");
        eq(token.balanceOf(referrer), 50, "once");
    }
}
