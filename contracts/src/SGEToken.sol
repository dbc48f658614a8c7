// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";
import {IMintable} from "./IMintable.sol";

/// @title Sluice Growth Equity, the token of hybrid payouts
/// @notice A plain ERC-20 with 18 decimals whose supply never exceeds the cap fixed at deployment.
/// The admin decides who may mint; it holds no tokens and cannot take any.
contract SGEToken is ERC20Capped, AccessControl, IMintable {
    /// @notice May mint; meant for the payout contract, and for a distributor at launch.
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");

    /// @param admin grants and revokes MINTER_ROLE
    /// @param cap   largest supply there can ever be, in base units (1e-18 SGE), not zero
    constructor(
        address admin,
        uint256 cap
    ) ERC20("Sluice Growth Equity", "SGE") ERC20Capped(cap) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IMintable
    function mint(address to, uint256 amount) external onlyRole(MINTER_ROLE) {
        _mint(to, amount);
    }
}
