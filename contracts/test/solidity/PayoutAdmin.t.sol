// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {AffiliatePayout} from "../../src/AffiliatePayout.sol";
import {FaultyToken} from "../../mocks/FaultyToken.sol";
import {vm} from "./lib/Vm.sol";
import {PayoutBase} from "./lib/PayoutBase.sol";

contract PayoutClaimTest is PayoutBase {
    address to = account("to");

    function setUp() public {
        deploy(false);
        usdc.blacklist(referrer);
        payOne(item(1, referrer, 7e6, 0));
        payOne(item(2, referrer, 3e6, 0));
    }

    function testOwedAddsUp() public view {
        eq(payout.owed(address(usdc), referrer), 10e6, "owed");
        eq(payout.totalOwed(address(usdc)), 10e6, "total");
        eq(payout.availableFunds(address(usdc)), FUNDS - 10e6, "not free");
    }

    // fault 52: what is owed is claimed
    function testClaims() public {
        expectEvent(address(payout));
        emit AffiliatePayout.Claimed(referrer, to, address(usdc), 10e6);
        vm.prank(referrer);
        payout.claim(address(usdc), to);
        eq(usdc.balanceOf(to), 10e6, "received");
        eq(payout.owed(address(usdc), referrer), 0, "owed");
        eq(payout.totalOwed(address(usdc)), 0, "total");
        vm.prank(referrer);
        vm.expectRevert(
            abi.encodeWithSelector(AffiliatePayout.NothingOwed.selector, address(usdc))
        );
        payout.claim(address(usdc), to);
    }

    function testClaimsWhilePaused() public {
        pause();
        vm.prank(referrer);
        payout.claim(address(usdc), to);
        eq(usdc.balanceOf(to), 10e6, "received");
    }

    function testClaimNeedsATakingToken() public {
        vm.prank(referrer);
        vm.expectRevert(
            abi.encodeWithSignature("Error(string)", "Blacklistable: account is blacklisted")
        );
        payout.claim(address(usdc), referrer);
        eq(payout.owed(address(usdc), referrer), 10e6, "still owed");
    }

    function testOnlyOnesOwn() public {
        vm.prank(to);
        vm.expectRevert(
            abi.encodeWithSelector(AffiliatePayout.NothingOwed.selector, address(usdc))
        );
        payout.claim(address(usdc), to);
        vm.prank(referrer);
        vm.expectRevert(abi.encodeWithSelector(AffiliatePayout.NothingOwed.selector, address(sge)));
        payout.claim(address(sge), to);
    }

    function testRefusesBadRecipients() public {
        vm.prank(referrer);
        vm.expectRevert(abi.encodeWithSelector(AffiliatePayout.ZeroAddress.selector));
        payout.claim(address(usdc), address(0));
        vm.prank(referrer);
        vm.expectRevert(
            abi.encodeWithSelector(AffiliatePayout.InvalidRecipient.selector, address(payout))
        );
        payout.claim(address(usdc), address(payout));
    }

    /// Owed from a treasury is paid out of this contract, whatever happens to the treasury.
    function testClaimOutlivesTheTreasury() public {
        useTreasuryOfRest();
        payOne(item(3, referrer, 5e6, 0));
        eq(usdc.balanceOf(address(payout)), 15e6, "kept here");
        vm.prank(vault);
        usdc.approve(address(payout), 0);
        vm.prank(referrer);
        payout.claim(address(usdc), to);
        eq(usdc.balanceOf(to), 15e6, "received");
    }

    function useTreasuryOfRest() internal {
        vm.prank(address(payout));
        usdc.transfer(vault, FUNDS - 10e6);
        vm.prank(vault);
        usdc.approve(address(payout), FUNDS);
        vm.prank(admin);
        payout.setTreasury(vault);
    }
}

/// SGE that will not go to its referrer: kept here where it is transferred, and where it is minted.
contract PayoutOwedSGETest is PayoutBase {
    FaultyToken equity;
    address to = account("to");

    function deployFaulty(bool minted) internal {
        deploy(minted);
        equity = new FaultyToken();
        payout = new AffiliatePayout(config(address(usdc), address(equity), minted));
        usdc.mint(address(payout), FUNDS);
        if (!minted) equity.mint(address(payout), 1000);
    }

    function testTransferred() public {
        deployFaulty(false);
        equity.setMode(FaultyToken.Mode.ReturnsFalse);
        expectPaidHybrid(1, referrer, 5e6, 0);
        expectOwed(1, referrer, 0, 30);
        eq(payOne(item(1, referrer, 5e6, 30)), 2, "owed");
        equity.setMode(FaultyToken.Mode.Honest);
        vm.prank(referrer);
        payout.claim(address(equity), to);
        eq(equity.balanceOf(to), 30, "received");
    }

    function testMinted() public {
        deployFaulty(true);
        equity.refuse(referrer);
        expectPaidHybrid(1, referrer, 5e6, 0);
        expectOwed(1, referrer, 0, 30);
        eq(payOne(item(1, referrer, 5e6, 30)), 2, "owed");
        eq(equity.balanceOf(address(payout)), 30, "minted into this contract");
        vm.prank(referrer);
        payout.claim(address(equity), to);
        eq(equity.balanceOf(to), 30, "received");
    }

    function testBothOwed() public {
        deployFaulty(true);
        equity.refuse(referrer);
        usdc.blacklist(referrer);
        vm.recordLogs();
        eq(payOne(item(1, referrer, 5e6, 30)), 2, "owed");
        eq(payout.owed(address(usdc), referrer), 5e6, "usdc");
        eq(payout.owed(address(equity), referrer), 30, "sge");
    }
}

contract PayoutAdminTest is PayoutBase {
    address to = account("to");

    function setUp() public {
        deploy(false);
    }

    function testSetCaps() public {
        expectEvent(address(payout));
        emit AffiliatePayout.CapsChanged(address(sge), 11, 22);
        vm.prank(admin);
        payout.setCaps(address(sge), 11, 22);
        eq(payout.payoutCap(address(sge)), 11, "payout cap");
        eq(payout.dailyCap(address(sge)), 22, "daily cap");
        eq(payout.payoutCap(address(usdc)), USDC_PAYOUT_CAP, "the other token");
    }

    function testLoweredCapCountsWhatLeft() public {
        pay(1, referrer, 100e6);
        vm.prank(admin);
        payout.setCaps(address(usdc), 100e6, 50e6);
        eq(payout.dailyRemaining(address(usdc)), 0, "nothing remains");
    }

    function testSetCapsRefuses() public {
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(AffiliatePayout.InvalidToken.selector, to));
        payout.setCaps(to, 1, 1);
        bytes memory large = abi.encodeWithSelector(
            AffiliatePayout.CapTooLarge.selector,
            uint256(1 << 112)
        );
        vm.prank(admin);
        vm.expectRevert(large);
        payout.setCaps(address(usdc), 1 << 112, 1);
        vm.prank(admin);
        vm.expectRevert(large);
        payout.setCaps(address(usdc), 1, 1 << 112);
        vm.prank(admin);
        payout.setCaps(address(usdc), (1 << 112) - 1, (1 << 112) - 1);
    }

    function testSetTreasury() public {
        expectEvent(address(payout));
        emit AffiliatePayout.TreasuryChanged(address(0), vault);
        vm.prank(admin);
        payout.setTreasury(vault);
        eq(payout.treasury(), vault, "treasury");
        expectEvent(address(payout));
        emit AffiliatePayout.TreasuryChanged(vault, address(0));
        vm.prank(admin);
        payout.setTreasury(address(0));
        eq(payout.availableFunds(address(usdc)), FUNDS, "own balance again");
    }

    function testSetTreasuryRefuses() public {
        address[3] memory bad = [address(payout), address(usdc), address(sge)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(admin);
            vm.expectRevert(
                abi.encodeWithSelector(AffiliatePayout.InvalidRecipient.selector, bad[i])
            );
            payout.setTreasury(bad[i]);
        }
    }

    function testEmergencyWithdraw() public {
        usdc.blacklist(referrer);
        payOne(item(1, referrer, 10e6, 0));
        pause();
        vm.prank(admin);
        vm.expectRevert(
            abi.encodeWithSelector(
                AffiliatePayout.InsufficientFunds.selector,
                address(usdc),
                FUNDS,
                FUNDS - 10e6
            )
        );
        payout.emergencyWithdraw(address(usdc), to, FUNDS);
        expectEvent(address(payout));
        emit AffiliatePayout.EmergencyWithdrawal(address(usdc), to, FUNDS - 10e6);
        vm.prank(admin);
        payout.emergencyWithdraw(address(usdc), to, FUNDS - 10e6);
        eq(usdc.balanceOf(to), FUNDS - 10e6, "received");
        vm.prank(referrer);
        payout.claim(address(usdc), to);
        eq(usdc.balanceOf(to), FUNDS, "the claim was covered");
    }

    function testEmergencyWithdrawRefuses() public {
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(Pausable.ExpectedPause.selector));
        payout.emergencyWithdraw(address(usdc), to, 1);
        pause();
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(AffiliatePayout.ZeroAddress.selector));
        payout.emergencyWithdraw(address(usdc), address(0), 1);
    }

    function testEmergencyReentryIsRefused() public {
        FaultyToken token = new FaultyToken();
        token.mint(address(payout), 5);
        token.setReentry(address(payout), abi.encodeCall(payout.claim, (address(token), to)));
        pause();
        vm.prank(admin);
        payout.emergencyWithdraw(address(token), to, 5);
        yes(
            token.reentryError() ==
                ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector,
            "by the guard"
        );
    }

    function testPauseAndUnpause() public {
        expectEvent(address(payout));
        emit Pausable.Paused(pauser);
        pause();
        vm.prank(pauser);
        vm.expectRevert(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        payout.pause();
        expectEvent(address(payout));
        emit Pausable.Unpaused(admin);
        vm.prank(admin);
        payout.unpause();
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(Pausable.ExpectedPause.selector));
        payout.unpause();
        pay(1, referrer, 1);
    }

    function expectMissing(address who, bytes32 role) internal {
        vm.prank(who);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector,
                who,
                role
            )
        );
    }

    // fault 57: the relayer is no admin
    function testOnlyRoles() public {
        bytes32 pauserRole = payout.PAUSER_ROLE();
        bytes32 relayerRole = payout.RELAYER_ROLE();
        expectMissing(admin, pauserRole);
        payout.pause();
        pause();
        expectMissing(pauser, 0);
        payout.unpause();
        expectMissing(pauser, 0);
        payout.emergencyWithdraw(address(usdc), pauser, 1);
        expectMissing(relayer, 0);
        payout.emergencyWithdraw(address(usdc), relayer, 1);
        expectMissing(relayer, 0);
        payout.setCaps(address(usdc), 1, 1);
        expectMissing(relayer, 0);
        payout.setTreasury(relayer);
        expectMissing(relayer, 0);
        payout.grantRole(relayerRole, to);
        expectMissing(relayer, 0);
        payout.beginDefaultAdminTransfer(relayer);
    }

    function testAdminMovesInTwoStepsAndWaits() public {
        vm.prank(admin);
        payout.beginDefaultAdminTransfer(to);
        vm.prank(to);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector,
                START + 3 days
            )
        );
        payout.acceptDefaultAdminTransfer();
        vm.warp(START + 3 days + 1);
        vm.prank(to);
        payout.acceptDefaultAdminTransfer();
        eq(payout.defaultAdmin(), to, "moved");
        no(payout.hasRole(0, admin), "the old one is out");
    }
}
