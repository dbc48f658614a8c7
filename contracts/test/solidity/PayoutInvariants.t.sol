// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {AffiliatePayout} from "../../src/AffiliatePayout.sol";
import {PayoutHandler} from "./lib/PayoutHandler.sol";
import {Checks} from "./lib/Vm.sol";

/// What holds after any sequence of calls. Each deployment form runs all of it.
abstract contract PayoutInvariants is Checks {
    PayoutHandler handler;
    AffiliatePayout payout;
    address usdc;
    address sge;
    address vault;

    function start(bool fromTreasury, bool minted) internal {
        handler = new PayoutHandler(fromTreasury, minted);
        (payout, usdc, sge, vault) = handler.contracts();
    }

    function targetContracts() public view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    /// Money: what referrers and claimants hold is what was paid and claimed; nothing else left;
    /// what is owed is there, and is owed to somebody.
    // fault 57: whatever is called
    function invariantMoney() public view {
        money(usdc);
        money(sge);
    }

    function money(address token) internal view {
        uint256 received = 0;
        uint256 owed = 0;
        for (uint256 i = 0; i < handler.referrers(); ++i) {
            received += IERC20(token).balanceOf(handler.referrerAt(i));
            owed += payout.owed(token, handler.referrerAt(i));
        }
        uint256 sunk = IERC20(token).balanceOf(handler.SINK());
        uint256 here = IERC20(token).balanceOf(address(payout));
        eq(received, handler.paid(token), "received = paid");
        eq(sunk, handler.claimed(token) + handler.withdrawn(token), "out = claimed + withdrawn");
        eq(owed, payout.totalOwed(token), "owed one by one = total owed");
        eq(owed, handler.owing(token), "total owed = what became owed - claimed");
        yes(owed <= here, "owed <= balance");
        uint256 all = received + sunk + here + IERC20(token).balanceOf(vault);
        eq(all, IERC20(token).totalSupply(), "nothing lost, nothing from nowhere");
        if (token == sge && handler.minted()) {
            eq(all, handler.paid(sge) + handler.claimed(sge) + owed + handler.withdrawn(sge), "supply = minted");
        }
    }

    /// Ids: settled at most once, and known as settled for ever.
    function invariantIds() public view {
        uint256 settled = 0;
        for (uint256 n = 0; n < handler.ids(); ++n) {
            uint256 times = handler.settledTimes(n);
            yes(times <= 1, "at most once");
            yes(payout.referralPaid(handler.idAt(n)) == (times == 1), "monotone");
            settled += times;
        }
        eq(settled, handler.settledCount(), "all counted");
    }

    /// Power: nobody has a role that they did not start with, and nothing forbidden ever worked.
    /// `breach` also tells of caps, pause and claims; the handler checks them as they happen.
    // fault 57: random calls by everybody
    function invariantPower() public view {
        (address admin, address relayer, address pauser) = handler.people();
        yes(bytes(handler.breach()).length == 0, handler.breach());
        eq(payout.defaultAdmin(), admin, "admin");
        (address next, ) = payout.pendingDefaultAdmin();
        eq(next, address(0), "no admin to come");
        eq(payout.defaultAdminDelay(), 3 days, "delay");
        address[3] memory who = [admin, relayer, pauser];
        bytes32[3] memory role = [bytes32(0), payout.RELAYER_ROLE(), payout.PAUSER_ROLE()];
        for (uint256 i = 0; i < 9; ++i) {
            yes(payout.hasRole(role[i / 3], who[i % 3]) == (i / 3 == i % 3), "roles as deployed");
        }
        eq(payout.treasury(), handler.treasury(), "treasury");
        eq(payout.dailyCap(usdc), handler.cap(usdc), "usdc cap");
        eq(payout.dailyCap(sge), handler.cap(sge), "sge cap");
        yes(payout.paused() == handler.paused(), "paused");
    }
}

contract OwnBalanceInvariants is PayoutInvariants {
    function setUp() public {
        start(false, false);
    }
}

contract TreasuryInvariants is PayoutInvariants {
    function setUp() public {
        start(true, false);
    }
}

contract MintedInvariants is PayoutInvariants {
    function setUp() public {
        start(true, true);
    }
}
