// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RollingDay} from "../../src/RollingDay.sol";
import {Checks, vm} from "./lib/Vm.sol";

/// In a contract of its own: within one call the compiler reads the clock only once.
contract WindowHolder {
    using RollingDay for RollingDay.Window;

    RollingDay.Window window;

    function spend(uint256 amount) external {
        window.spend(amount);
    }

    function spent() external view returns (uint256) {
        return window.spent();
    }
}

contract RollingDayTest is Checks {
    uint256 constant START = 1_800_000_000; // a whole hour
    WindowHolder window = new WindowHolder();

    function spendAt(uint256 time, uint256 amount) internal {
        vm.warp(time);
        window.spend(amount);
    }

    function spentAt(uint256 time) internal returns (uint256) {
        vm.warp(time);
        return window.spent();
    }

    function testStartsEmpty() public {
        eq(spentAt(START), 0, "nothing");
        eq(spentAt(1), 0, "nothing at the beginning of time");
    }

    function testWorksFromTheFirstHour() public {
        spendAt(1, 5);
        eq(spentAt(24 hours), 5, "counts");
        spendAt(24 hours, 1);
        eq(spentAt(25 hours - 1), 6, "counts");
        eq(spentAt(25 hours), 1, "forgotten");
    }

    function testForgottenAfter25ClockHours() public {
        spendAt(START + 10, 7);
        eq(spentAt(START + 24 hours + 10), 7, "a day later");
        eq(spentAt(START + 25 hours - 1), 7, "to the end of the hour");
        eq(spentAt(START + 25 hours), 0, "forgotten");
    }

    function testHoursAddUpAndLeaveOneByOne() public {
        for (uint256 h = 0; h < 60; ++h) {
            spendAt(START + h * 1 hours, 1 << h);
            uint256 first = h < 24 ? 0 : h - 24;
            eq(window.spent(), (1 << (h + 1)) - (1 << first), "the last 25 hours");
        }
    }

    function testGaps() public {
        spendAt(START, 1);
        spendAt(START + 3 hours, 2);
        spendAt(START + 20 hours, 4);
        eq(spentAt(START + 24 hours), 7, "all");
        eq(spentAt(START + 25 hours), 6, "the first is gone");
        eq(spentAt(START + 28 hours), 4, "the second is gone");
        spendAt(START + 44 hours, 8);
        eq(window.spent(), 12, "the last two");
        eq(spentAt(START + 45 hours), 8, "one");
        spendAt(START + 900 hours, 16);
        eq(window.spent(), 16, "long after");
        eq(spentAt(START + 925 hours), 0, "none");
    }

    /// Against a plain list: never less than the last 24 hours, never more than the last 25.
    function testFuzzCoversEveryWindow(uint24[32] calldata waits, uint64[32] calldata amounts) public {
        uint256[32] memory times;
        uint256 time = START;
        for (uint256 i = 0; i < 32; ++i) {
            time += waits[i] % 8 == 0 ? waits[i] : waits[i] % 4 hours;
            times[i] = time;
            spendAt(time, amounts[i]);
            uint256 day = 0;
            uint256 dayAndHour = 0;
            for (uint256 j = 0; j <= i; ++j) {
                if (time - times[j] < 24 hours) day += amounts[j];
                if (time - times[j] < 25 hours) dayAndHour += amounts[j];
            }
            uint256 spent = window.spent();
            yes(spent >= day, "at least the last 24 hours");
            yes(spent <= dayAndHour, "at most the last 25 hours");
        }
    }
}
