// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {AffiliateRegistry} from "../../src/AffiliateRegistry.sol";
import {Checks, vm} from "./lib/Vm.sol";

contract AffiliateRegistryTest is Checks {
    AffiliateRegistry registry;
    address admin = account("admin");
    address relayer = account("relayer");
    address pauser = account("pauser");
    address child = account("child");
    address referrer = account("referrer");

    function setUp() public {
        registry = new AffiliateRegistry(admin, 3 days, relayer);
        bytes32 role = registry.PAUSER_ROLE();
        vm.prank(admin);
        registry.grantRole(role, pauser);
    }

    function register(address c, address r) internal {
        vm.prank(relayer);
        registry.registerReferral(c, r);
    }

    function testDeployedAsAsked() public {
        yes(registry.hasRole(registry.RELAYER_ROLE(), relayer), "relayer");
        eq(registry.defaultAdmin(), admin, "admin");
        eq(registry.defaultAdminDelay(), 3 days, "delay");
        AffiliateRegistry bare = new AffiliateRegistry(admin, 0, address(0));
        no(bare.hasRole(bare.RELAYER_ROLE(), address(0)), "zero is no relayer");
    }

    function testRegisters() public {
        expectEvent(address(registry));
        emit AffiliateRegistry.ReferralRegistered(child, referrer);
        register(child, referrer);
        eq(registry.referrerOf(child), referrer, "referrer");
    }

    function testSamePairAgainDoesNothing() public {
        register(child, referrer);
        vm.recordLogs();
        register(child, referrer);
        eq(vm.getRecordedLogs().length, 0, "events");
    }

    // fault 58: another referrer later
    function testAnotherReferrerReverts() public {
        register(child, referrer);
        vm.prank(relayer);
        vm.expectRevert(
            abi.encodeWithSelector(AffiliateRegistry.AlreadyReferred.selector, child, referrer)
        );
        registry.registerReferral(child, account("other"));
    }

    // fault 58: self-referral
    function testSelfReverts() public {
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(AffiliateRegistry.SelfReferral.selector, child));
        registry.registerReferral(child, child);
    }

    function testZeroReverts() public {
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(AffiliateRegistry.ZeroAddress.selector));
        registry.registerReferral(address(0), referrer);
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(AffiliateRegistry.ZeroAddress.selector));
        registry.registerReferral(child, address(0));
    }

    /// A ring of 2 to CYCLE_DEPTH + 1 accounts is refused, a longer one is not seen.
    // fault 58: rings
    function testCycles() public {
        uint256 depth = registry.CYCLE_DEPTH();
        for (uint256 i = 0; i <= depth; ++i) {
            register(address(uint160(1000 + i)), address(uint160(1001 + i)));
            address top = address(uint160(1001 + i));
            vm.prank(relayer);
            if (i < depth) {
                vm.expectRevert(
                    abi.encodeWithSelector(
                        AffiliateRegistry.ReferralCycle.selector,
                        top,
                        address(uint160(1000))
                    )
                );
            }
            registry.registerReferral(top, address(uint160(1000)));
        }
    }

    function testBatchIsolates() public {
        register(child, referrer);
        address b = account("b");
        address d = account("d");
        AffiliateRegistry.Referral[] memory list = new AffiliateRegistry.Referral[](7);
        list[0] = AffiliateRegistry.Referral(child, referrer); // known: nothing
        list[1] = AffiliateRegistry.Referral(address(0), referrer);
        list[2] = AffiliateRegistry.Referral(b, b);
        list[3] = AffiliateRegistry.Referral(child, d);
        list[4] = AffiliateRegistry.Referral(referrer, child);
        list[5] = AffiliateRegistry.Referral(b, d);
        list[6] = AffiliateRegistry.Referral(d, b); // a ring with the one before
        expectSkip(address(0), referrer, AffiliateRegistry.ZeroAddress.selector);
        expectSkip(b, b, AffiliateRegistry.SelfReferral.selector);
        expectSkip(child, d, AffiliateRegistry.AlreadyReferred.selector);
        expectSkip(referrer, child, AffiliateRegistry.ReferralCycle.selector);
        expectEvent(address(registry));
        emit AffiliateRegistry.ReferralRegistered(b, d);
        expectSkip(d, b, AffiliateRegistry.ReferralCycle.selector);
        vm.prank(relayer);
        registry.registerReferrals(list);
        eq(registry.referrerOf(child), referrer, "unchanged");
        eq(registry.referrerOf(b), d, "registered");
        eq(registry.referrerOf(d), address(0), "skipped");
    }

    function expectSkip(address c, address r, bytes4 reason) internal {
        expectEvent(address(registry));
        emit AffiliateRegistry.ReferralSkipped(c, r, reason);
    }

    function testBatchTooLarge() public {
        uint256 max = registry.MAX_BATCH();
        vm.prank(relayer);
        registry.registerReferrals(new AffiliateRegistry.Referral[](max));
        vm.prank(relayer);
        vm.expectRevert(
            abi.encodeWithSelector(AffiliateRegistry.BatchTooLarge.selector, max + 1, max)
        );
        registry.registerReferrals(new AffiliateRegistry.Referral[](max + 1));
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

    function testOnlyRoles() public {
        bytes32 relayerRole = registry.RELAYER_ROLE();
        bytes32 pauserRole = registry.PAUSER_ROLE();
        expectMissing(admin, relayerRole);
        registry.registerReferral(child, referrer);
        expectMissing(pauser, relayerRole);
        registry.registerReferrals(new AffiliateRegistry.Referral[](1));
        expectMissing(relayer, pauserRole);
        registry.pause();
        expectMissing(pauser, bytes32(0));
        registry.unpause();
    }

    function testPause() public {
        expectEvent(address(registry));
        emit Pausable.Paused(pauser);
        vm.prank(pauser);
        registry.pause();
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        registry.registerReferral(child, referrer);
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        registry.registerReferrals(new AffiliateRegistry.Referral[](1));
        expectEvent(address(registry));
        emit Pausable.Unpaused(admin);
        vm.prank(admin);
        registry.unpause();
        register(child, referrer);
    }

    /// The first referrer of a child stays, whatever follows.
    // fault 58: random registrations
    function testFuzzWriteOnce(uint8[24] calldata children, uint8[24] calldata referrers) public {
        address[8] memory first;
        for (uint256 i = 0; i < 24; ++i) {
            uint256 c = children[i] % 8;
            AffiliateRegistry.Referral[] memory one = new AffiliateRegistry.Referral[](1);
            one[0].child = address(uint160(1 + c));
            one[0].referrer = address(uint160(1 + (referrers[i] % 8)));
            vm.prank(relayer);
            registry.registerReferrals(one);
            if (first[c] == address(0)) first[c] = registry.referrerOf(one[0].child);
            eq(registry.referrerOf(one[0].child), first[c], "written once");
        }
        // Eight accounts are fewer than CYCLE_DEPTH + 2: no ring can have formed.
        for (uint256 c = 1; c <= 8; ++c) {
            address up = address(uint160(c));
            for (uint256 hops = 0; up != address(0); ++hops) {
                up = registry.referrerOf(up);
                yes(hops < 8, "no ring");
            }
        }
    }
}
