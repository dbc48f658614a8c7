// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AffiliatePayout} from "../../../src/AffiliatePayout.sol";
import {SGEToken} from "../../../src/SGEToken.sol";
import {TestUSDC} from "../../../src/TestUSDC.sol";
import {Checks, vm} from "./Vm.sol";

/// A funded payout contract, and short forms of what tests do with it.
abstract contract PayoutBase is Checks {
    uint256 constant FUNDS = 1_000_000e6;
    uint256 constant USDC_PAYOUT_CAP = 500e6;
    uint256 constant USDC_DAILY_CAP = 2_000e6;
    uint256 constant SGE_FUNDS = 1_000_000 ether;
    uint256 constant SGE_PAYOUT_CAP = 50 ether;
    uint256 constant SGE_DAILY_CAP = 200 ether;
    uint256 constant START = 1_800_000_000; // a whole hour

    address admin = account("admin");
    address relayer = account("relayer");
    address pauser = account("pauser");
    address child = account("child");
    address referrer = account("referrer");
    address vault = account("vault");

    TestUSDC usdc;
    SGEToken sge;
    AffiliatePayout payout;

    function deploy(bool minted) internal {
        vm.warp(START);
        usdc = new TestUSDC(address(this));
        sge = new SGEToken(address(this), 10 * SGE_FUNDS);
        sge.grantRole(sge.MINTER_ROLE(), address(this));
        payout = new AffiliatePayout(config(address(usdc), address(sge), minted));
        usdc.mint(address(payout), FUNDS);
        if (minted) sge.grantRole(sge.MINTER_ROLE(), address(payout));
        else sge.mint(address(payout), SGE_FUNDS);
    }

    function config(
        address usdc_,
        address sge_,
        bool minted
    ) internal view returns (AffiliatePayout.Config memory) {
        return
            AffiliatePayout.Config({
                usdc: usdc_,
                sge: sge_,
                admin: admin,
                adminDelay: 3 days,
                relayer: relayer,
                pauser: pauser,
                sgeMinted: minted,
                usdcPayoutCap: USDC_PAYOUT_CAP,
                usdcDailyCap: USDC_DAILY_CAP,
                sgePayoutCap: SGE_PAYOUT_CAP,
                sgeDailyCap: SGE_DAILY_CAP
            });
    }

    /// Moves all USDC to a treasury that allows `allowance`.
    function useTreasury(uint256 allowance) internal {
        vm.prank(address(payout));
        usdc.transfer(vault, FUNDS);
        vm.prank(vault);
        usdc.approve(address(payout), allowance);
        vm.prank(admin);
        payout.setTreasury(vault);
    }

    function id(uint256 n) internal pure returns (bytes32) {
        return keccak256(abi.encode(n));
    }

    function pay(uint256 n, address to, uint256 amount) internal {
        vm.prank(relayer);
        payout.payAffiliateUSDC(id(n), child, to, amount);
    }

    function payHybrid(uint256 n, address to, uint256 amount, uint256 sgeAmount) internal {
        vm.prank(relayer);
        payout.payAffiliateHybrid(id(n), child, to, amount, sgeAmount);
    }

    function item(
        uint256 n,
        address to,
        uint256 amount,
        uint256 sgeAmount
    ) internal view returns (AffiliatePayout.Payout memory) {
        return AffiliatePayout.Payout(id(n), child, to, amount, sgeAmount);
    }

    function payBatch(AffiliatePayout.Payout[] memory list) internal returns (uint8[] memory) {
        vm.prank(relayer);
        return payout.payAffiliates(list);
    }

    function payOne(AffiliatePayout.Payout memory p) internal returns (uint8) {
        AffiliatePayout.Payout[] memory list = new AffiliatePayout.Payout[](1);
        list[0] = p;
        uint8[] memory outcomes = payBatch(list);
        eq(outcomes.length, 1, "one outcome");
        return outcomes[0];
    }

    function pause() internal {
        vm.prank(pauser);
        payout.pause();
    }

    function expectPaid(uint256 n, address to, uint256 amount, uint256 sgeAmount) internal {
        if (sgeAmount != 0) return expectPaidHybrid(n, to, amount, sgeAmount);
        expectEvent(address(payout));
        emit AffiliatePayout.AffiliatePaid(id(n), to, amount);
    }

    function expectPaidHybrid(uint256 n, address to, uint256 amount, uint256 sgeAmount) internal {
        expectEvent(address(payout));
        emit AffiliatePayout.AffiliatePaidHybrid(id(n), to, amount, sgeAmount);
    }

    function expectOwed(uint256 n, address to, uint256 amount, uint256 sgeAmount) internal {
        expectEvent(address(payout));
        emit AffiliatePayout.PayoutOwed(id(n), to, amount, sgeAmount);
    }

    function expectSkipped(uint256 n, bytes4 reason) internal {
        expectEvent(address(payout));
        emit AffiliatePayout.PayoutSkipped(id(n), reason);
    }
}
