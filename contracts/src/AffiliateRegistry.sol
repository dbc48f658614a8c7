// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

/// @title Who was referred by whom, written once
/// @notice The relayer records referrals; nobody, the admin included, can change or erase one.
/// The registry holds no money and pays nothing: it is the public record behind the payouts.
contract AffiliateRegistry is AccessControlDefaultAdminRules, Pausable {
    /// @notice One referral: `referrer` brought `child`.
    struct Referral {
        address child;
        address referrer;
    }

    /// @notice May record referrals.
    bytes32 public constant RELAYER_ROLE = keccak256("RELAYER_ROLE");
    /// @notice May pause; only the admin unpauses.
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");
    /// @notice Most referrals in one `registerReferrals`.
    uint256 public constant MAX_BATCH = 256;
    /// @notice How many referrers up the line are searched for the child. A longer ring is not
    /// seen; it harms nothing here, since no payout ever follows the line upwards.
    uint256 public constant CYCLE_DEPTH = 8;

    /// @notice Who referred `child`; zero where nobody did.
    mapping(address child => address referrer) public referrerOf;

    /// @notice `child` is bound to `referrer` for ever.
    event ReferralRegistered(address indexed child, address indexed referrer);
    /// @notice A batch passed this pair over; `reason` is the selector of the error that the
    /// single call would have reverted with.
    event ReferralSkipped(address indexed child, address indexed referrer, bytes4 reason);

    /// @notice `child` is bound to another referrer, named here.
    error AlreadyReferred(address child, address referrer);
    /// @notice Nobody refers themselves.
    error SelfReferral(address account);
    /// @notice An address is zero.
    error ZeroAddress();
    /// @notice `child` is among the referrers of `referrer`.
    error ReferralCycle(address child, address referrer);
    /// @notice More referrals than `MAX_BATCH`.
    error BatchTooLarge(uint256 length, uint256 max);

    /// @param admin      grants roles and unpauses; handed over in two steps
    /// @param adminDelay seconds between proposing and accepting a new admin
    /// @param relayer    gets RELAYER_ROLE unless it is zero
    constructor(
        address admin,
        uint48 adminDelay,
        address relayer
    ) AccessControlDefaultAdminRules(adminDelay, admin) {
        if (relayer != address(0)) _grantRole(RELAYER_ROLE, relayer);
    }

    /// @notice Records that `referrer` brought `child`. Repeating a recorded pair does nothing.
    function registerReferral(
        address child,
        address referrer
    ) external onlyRole(RELAYER_ROLE) whenNotPaused {
        bytes4 reason = _register(child, referrer);
        if (reason == 0) return;
        if (reason == ZeroAddress.selector) revert ZeroAddress();
        if (reason == SelfReferral.selector) revert SelfReferral(child);
        if (reason == AlreadyReferred.selector) revert AlreadyReferred(child, referrerOf[child]);
        revert ReferralCycle(child, referrer);
    }

    /// @notice Records each pair on its own: a bad one is passed over with an event.
    function registerReferrals(
        Referral[] calldata referrals
    ) external onlyRole(RELAYER_ROLE) whenNotPaused {
        if (referrals.length > MAX_BATCH) revert BatchTooLarge(referrals.length, MAX_BATCH);
        for (uint256 i = 0; i < referrals.length; ++i) {
            Referral calldata r = referrals[i];
            bytes4 reason = _register(r.child, r.referrer);
            if (reason != 0) emit ReferralSkipped(r.child, r.referrer, reason);
        }
    }

    /// @notice Stops new referrals.
    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    /// @notice Lets referrals in again.
    function unpause() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _unpause();
    }

    /// @dev Records the pair, or returns the selector of the error that forbids it.
    function _register(address child, address referrer) private returns (bytes4) {
        if (child == address(0) || referrer == address(0)) return ZeroAddress.selector;
        if (child == referrer) return SelfReferral.selector;
        address known = referrerOf[child];
        if (known == referrer) return 0;
        if (known != address(0)) return AlreadyReferred.selector;
        if (_isAbove(child, referrer)) return ReferralCycle.selector;
        referrerOf[child] = referrer;
        emit ReferralRegistered(child, referrer);
        return 0;
    }

    /// @dev Whether `child` is found among the nearest referrers of `account`.
    function _isAbove(address child, address account) private view returns (bool) {
        for (uint256 i = 0; i < CYCLE_DEPTH; ++i) {
            account = referrerOf[account];
            if (account == child) return true;
            if (account == address(0)) return false;
        }
        return false;
    }
}
