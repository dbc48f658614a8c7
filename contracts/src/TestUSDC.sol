// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IMintable} from "./IMintable.sol";

/// @title A stand-in for USDC on test chains: six decimals, pause, blacklist
/// @notice Refuses with the same revert strings as Circle's token, so that whoever decodes them
/// meets the real thing. Worth nothing; never deploy it where money is.
contract TestUSDC is ERC20, Ownable, IMintable {
    /// @notice No transfer succeeds while this is true.
    bool public paused;
    /// @notice Accounts that can neither send nor receive.
    mapping(address account => bool) public isBlacklisted;

    /// @notice Transfers stopped.
    event Pause();
    /// @notice Transfers work again.
    event Unpause();
    /// @notice `account` was cut off.
    event Blacklisted(address indexed account);
    /// @notice `account` was let in again.
    event UnBlacklisted(address indexed account);

    constructor(address owner) ERC20("Test USD Coin", "USDC") Ownable(owner) {
        _setBlacklisted(address(this), true);
    }

    /// @notice As USDC: 1 USDC is 1,000,000 base units.
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// @inheritdoc IMintable
    function mint(address to, uint256 amount) external onlyOwner {
        _mint(to, amount);
    }

    /// @notice Stops every transfer and mint.
    function pause() external onlyOwner {
        paused = true;
        emit Pause();
    }

    /// @notice Ends the pause.
    function unpause() external onlyOwner {
        paused = false;
        emit Unpause();
    }

    /// @notice Cuts `account` off.
    function blacklist(address account) external onlyOwner {
        _setBlacklisted(account, true);
    }

    /// @notice Lets `account` in again.
    function unBlacklist(address account) external onlyOwner {
        _setBlacklisted(account, false);
    }

    /// @inheritdoc ERC20
    function transfer(address to, uint256 amount) public override returns (bool) {
        _requireAllowed(msg.sender);
        return super.transfer(to, amount);
    }

    /// @inheritdoc ERC20
    function transferFrom(
        address from,
        address to,
        uint256 amount
    ) public override returns (bool) {
        _requireAllowed(msg.sender);
        _requireAllowed(from);
        return super.transferFrom(from, to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        _requireAllowed(to);
        super._update(from, to, amount);
    }

    function _requireAllowed(address account) private view {
        require(!paused, "Pausable: paused");
        require(!isBlacklisted[account], "Blacklistable: account is blacklisted");
    }

    function _setBlacklisted(address account, bool cut) private {
        isBlacklisted[account] = cut;
        if (cut) emit Blacklisted(account);
        else emit UnBlacklisted(account);
    }
}
