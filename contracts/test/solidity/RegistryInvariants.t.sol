// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AffiliateRegistry} from "../../src/AffiliateRegistry.sol";
import {Checks, vm} from "./lib/Vm.sol";

/// A relayer that registers at random among ten accounts, fewer than a ring could hide in.
contract RegistryHandler is Checks {
    uint256 public constant ACCOUNTS = 10;
    address public relayer = account("relayer");
    AffiliateRegistry public registry;
    mapping(address => address) public first;
    bool public changed;

    constructor() {
        registry = new AffiliateRegistry(account("admin"), 3 days, relayer);
    }

    function register(uint256 c, uint256 r) external {
        vm.prank(relayer);
        try registry.registerReferral(at(c), at(r)) {} catch {}
        look();
    }

    function registerBatch(uint256 seed) external {
        AffiliateRegistry.Referral[] memory list = new AffiliateRegistry.Referral[](6);
        for (uint256 i = 0; i < 6; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            list[i] = AffiliateRegistry.Referral(at(dice), at(dice >> 128));
        }
        vm.prank(relayer);
        registry.registerReferrals(list);
        look();
    }

    function look() internal {
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            address now_ = registry.referrerOf(at(i));
            if (first[at(i)] != address(0) && now_ != first[at(i)]) changed = true;
            first[at(i)] = now_;
        }
    }

    function at(uint256 i) public pure returns (address) {
        return address(uint160(i % ACCOUNTS)); // the zero address is among them
    }
}

contract RegistryInvariants is Checks {
    RegistryHandler handler = new RegistryHandler();

    function targetContracts() public view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function invariantWrittenOnceAndWithoutRings() public view {
        no(handler.changed(), "written once");
        AffiliateRegistry registry = handler.registry();
        eq(registry.referrerOf(address(0)), address(0), "nobody refers nobody");
        for (uint256 i = 1; i < handler.ACCOUNTS(); ++i) {
            address up = handler.at(i);
            for (uint256 hops = 0; up != address(0); ++hops) {
                up = registry.referrerOf(up);
                yes(up != handler.at(i), "no ring");
                yes(hops < handler.ACCOUNTS(), "an end");
            }
        }
    }
}
