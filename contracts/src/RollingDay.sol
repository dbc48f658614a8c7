// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What left within the last day, counted so that no 24-hour window escapes
/// @notice Amounts are kept per clock hour. The sum covers the running hour and the 24 before it:
/// 25 clock hours contain every window of 24 hours that ends now, so a limit on the sum is a limit
/// on any such window. The price is that an amount is forgotten after 24 to 25 hours, never sooner.
/// @dev Within one hour a spend reads and writes a single slot. The first spend of an hour also
/// files the hour before, and reads one slot for each hour that passed, 24 at most.
library RollingDay {
    /// @dev `packed` is, from its lowest bits: the running hour (32 bits), the amount of that hour
    /// (112), and the sum, which includes it (112). The compiler would write three fields thrice.
    struct Window {
        uint256 packed;
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
        uint256 last = uint32(self.packed);
        uint256 current = uint112(self.packed >> 32);
        if (last != hour) {
            self.filed[last % HOURS] = Bucket(uint32(last), uint112(current));
            current = 0;
        }
        self.packed = hour | ((current + amount) << 32) | (sum << 144);
    }

    function _spentAt(Window storage self, uint256 hour) private view returns (uint256 sum) {
        uint256 last = uint32(self.packed);
        if (hour - last >= HOURS) return 0;
        sum = self.packed >> 144;
        // Hour h counts no more once hour h + HOURS has begun; both have the same index.
        for (uint256 h = last + 1; h <= hour; ++h) {
            Bucket memory old = self.filed[h % HOURS];
            if (old.hour + HOURS == h) sum -= old.amount;
        }
    }
}
