// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A token whose supply a minter can grow
interface IMintable {
    /// @notice Creates `amount` new tokens for `to`; reverts where it cannot.
    function mint(address to, uint256 amount) external;
}
