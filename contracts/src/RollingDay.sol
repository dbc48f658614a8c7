// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What left within the last day, counted so that no 24-hour window escapes
/// @notice Amounts are kept per clock hour. The sum covers the running hour and the 24 before it:
/// 25 clock hours contain every window of 24 hours that ends now, so a limit on the sum is a limit
/// on any such window. The price is that an amount is forgotten after 24 to 25 hours, never sooner.
/// @dev Within one hour a spend reads and writes a single slot. The first spend of an hour also
/// files the hour before, and reads one slot for each hour that passed, 24 at most.
library RollingDay {
    /// @dev `sum` includes `current`, the amount of `hour` itself. Together one slot.
    struct Window {
        uint32 hour;
        uint112 current;
        uint112 sum;
        mapping(uint256 index => Bucket) filed;
    }

    /// @dev An hour that is over. It names its hour, so an old bucket needs no clearing.
    struct Bucket {
        uint32 hour;
        uint112 amount;
    }

    /// @dev Hours that count: the running one and 24 before it.
    uint256 internal constant HOURS = 25;

    /// @dev The sum over the last 25 clock hours.
    function spent(Window storage self) internal view returns (uint256) {
        return _spentAt(self, block.timestamp / 1 hours);
    }

    /// @dev Adds `amount` to the running hour. The caller has checked that the new sum is within
    /// its limit, and that the limit fits 112 bits.
    function spend(Window storage self, uint256 amount) internal {
        uint256 hour = block.timestamp / 1 hours;
        uint256 sum = _spentAt(self, hour) + amount;
        uint256 current = amount;
        if (self.hour == hour) current += self.current;
        else self.filed[self.hour % HOURS] = Bucket(self.hour, self.current);
        self.hour = uint32(hour);
        self.current = uint112(current);
        self.sum = uint112(sum);
    }

    function _spentAt(Window storage self, uint256 hour) private view returns (uint256 sum) {
        uint256 last = self.hour;
        if (hour - last >= HOURS) return 0;
        sum = self.sum;
        // Hour h counts no more once hour h + HOURS has begun; both have the same index.
        for (uint256 h = last + 1; h <= hour; ++h) {
            Bucket memory old = self.filed[h % HOURS];
            if (old.hour + HOURS == h) sum -= old.amount;
        }
    }
}
