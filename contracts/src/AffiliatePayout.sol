// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {
    IERC20Metadata,
    IERC20
} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IMintable} from "./IMintable.sol";
import {RollingDay} from "./RollingDay.sol";

/// @title Pays affiliates: each payout id at most once, never above the caps
/// @notice Money is in this contract, or in a treasury that allowed this contract to spend it.
///
/// Who may do what:
/// - the relayer pays, within the caps, and nothing else;
/// - the pauser stops payouts, and nothing else;
/// - the admin unpauses, sets caps and treasury, grants roles, and while Sluice is paused may take
///   out what is not owed. A new admin needs two steps and a delay;
/// - a referrer claims what is owed to it, paused or not.
///
/// A single payment reverts on anything wrong. A batch isolates each payout: one that fails a check
/// is skipped and can be sent again; one whose token will not go to its referrer (a blacklist, for
/// one) becomes owed, and waits in this contract to be claimed. Both count as paid for the caps at
/// the moment they are decided, so a claim needs no cap.
///
/// The money side assumes an ordinary ERC-20 such as USDC. Every payment is measured: where a token
/// says yes and moves something else, the call reverts.
contract AffiliatePayout is AccessControlDefaultAdminRules, Pausable, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using RollingDay for RollingDay.Window;

    /// @notice What a deployment chooses.
    struct Config {
        address usdc; // six decimals, fixed for ever
        address sge; // fixed for ever
        address admin; // grants roles, unpauses, sets caps and treasury
        uint48 adminDelay; // seconds between proposing and accepting a new admin
        address relayer; // gets RELAYER_ROLE unless zero
        address pauser; // gets PAUSER_ROLE unless zero
        bool sgeMinted; // SGE is minted by this contract, else transferred as USDC is
        uint256 usdcPayoutCap; // base units; see setCaps
        uint256 usdcDailyCap;
        uint256 sgePayoutCap;
        uint256 sgeDailyCap;
    }

    /// @notice One payout of a batch; `sgeAmount` zero for USDC alone.
    struct Payout {
        bytes32 payoutId;
        address child;
        address referrer;
        uint256 usdcAmount;
        uint256 sgeAmount;
    }

    /// @dev Limits of one token and what counts against them.
    struct Limits {
        uint112 payoutCap;
        uint112 dailyCap;
        bool owes; // whether `totalOwed` is not zero; known here it need not be read
        RollingDay.Window day;
    }

    /// @notice May pay, within the caps.
    bytes32 public constant RELAYER_ROLE = keccak256("RELAYER_ROLE");
    /// @notice May pause; only the admin unpauses.
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");
    /// @notice Most payouts in one `payAffiliates`: to new holders of a plain token they fit the
    /// 16,777,216 gas that a transaction may use (EIP-7825).
    uint256 public constant MAX_BATCH = 256;
    /// @notice Outcome in a batch: nothing happened, and the payout may be sent again.
    uint8 public constant SKIPPED = 0;
    /// @notice Outcome in a batch: the referrer has all of it.
    uint8 public constant PAID = 1;
    /// @notice Outcome in a batch: settled for good, and part or all of it waits to be claimed.
    uint8 public constant OWED = 2;

    /// @dev Bytes of call data that one payout of a batch takes.
    uint256 private constant PAYOUT_SIZE = 0xa0;

    /// @notice The USDC token.
    IERC20 public immutable usdc;
    /// @notice The SGE token.
    IERC20 public immutable sge;
    /// @notice Whether SGE is minted, else transferred.
    bool public immutable sgeMinted;

    /// @notice Where money comes from, through its allowance; zero for this contract's own balance.
    address public treasury;
    /// @notice Whether this payout id is settled, paid or owed. Never becomes false again.
    mapping(bytes32 payoutId => bool) public referralPaid;
    /// @notice What a referrer may claim.
    mapping(address token => mapping(address referrer => uint256)) public owed;
    /// @notice What all referrers together may claim; this contract holds at least as much.
    mapping(address token => uint256) public totalOwed;

    mapping(address token => Limits) private _limits;

    /// @notice The referrer received this amount, in a payout of USDC alone. Whom it brought is in
    /// the call and in the registry; saying so a third time would cost 375 gas a payout.
    event AffiliatePaid(
        bytes32 indexed payoutId,
        address indexed referrer,
        uint256 usdcAmount
    );
    /// @notice The referrer received these amounts, in a payout with SGE. One that is owed is zero.
    event AffiliatePaidHybrid(
        bytes32 indexed payoutId,
        address indexed referrer,
        uint256 usdcAmount,
        uint256 sgeAmount
    );
    /// @notice These amounts would not go to the referrer and wait to be claimed. Where the other
    /// token of a hybrid payout went through, an `AffiliatePaidHybrid` of the same id tells it.
    event PayoutOwed(
        bytes32 indexed payoutId,
        address indexed referrer,
        uint256 usdcAmount,
        uint256 sgeAmount
    );
    /// @notice A batch passed this payout over; `reason` is the selector of the error that the
    /// single payment would have reverted with, zero where a token gave none.
    event PayoutSkipped(bytes32 indexed payoutId, bytes4 reason);
    /// @notice `referrer` took what was owed to it.
    event Claimed(
        address indexed referrer,
        address indexed to,
        address indexed token,
        uint256 amount
    );
    /// @notice The caps of `token` are these now.
    event CapsChanged(address indexed token, uint256 payoutCap, uint256 dailyCap);
    /// @notice Money comes from `current` now; zero is this contract itself.
    event TreasuryChanged(address indexed previous, address indexed current);
    /// @notice The admin took money out while payouts were stopped.
    event EmergencyWithdrawal(address indexed token, address indexed to, uint256 amount);

    /// @notice This id was settled before.
    error AlreadyPaid(bytes32 payoutId);
    /// @notice Nobody refers themselves.
    error SelfReferral(address account);
    /// @notice An address is zero.
    error ZeroAddress();
    /// @notice There is nothing to pay.
    error ZeroAmount();
    /// @notice The tokens, this contract and the treasury cannot be paid.
    error InvalidRecipient(address recipient);
    /// @notice One payout may not be this large.
    error PayoutCapExceeded(address token, uint256 amount, uint256 cap);
    /// @notice Within this day no more than `available` may leave.
    error DailyCapExceeded(address token, uint256 amount, uint256 available);
    /// @notice The source holds, or allows, no more than `available` beyond what is owed.
    error InsufficientFunds(address token, uint256 amount, uint256 available);
    /// @notice The token reported success, yet the balance moved by something else.
    error TransferMismatch(address token, uint256 expected, uint256 actual);
    /// @notice Nothing of this token is owed to the caller.
    error NothingOwed(address token);
    /// @notice More payouts than `MAX_BATCH`.
    error BatchTooLarge(uint256 length, uint256 max);
    /// @notice Caps are at most 2^112 - 1.
    error CapTooLarge(uint256 cap);
    /// @notice Neither USDC nor SGE, or not what this contract needs a token to be.
    error InvalidToken(address token);
    /// @notice Only this contract calls this.
    error OnlySelf();

    modifier onlySelf() {
        if (msg.sender != address(this)) revert OnlySelf();
        _;
    }

    constructor(Config memory c) AccessControlDefaultAdminRules(c.adminDelay, c.admin) {
        if (c.usdc == address(0) || c.sge == address(0)) revert ZeroAddress();
        if (IERC20Metadata(c.usdc).decimals() != 6) revert InvalidToken(c.usdc);
        if (c.sge == c.usdc || c.sge.code.length == 0) revert InvalidToken(c.sge);
        usdc = IERC20(c.usdc);
        sge = IERC20(c.sge);
        sgeMinted = c.sgeMinted;
        if (c.relayer != address(0)) _grantRole(RELAYER_ROLE, c.relayer);
        if (c.pauser != address(0)) _grantRole(PAUSER_ROLE, c.pauser);
        _setCaps(c.usdc, c.usdcPayoutCap, c.usdcDailyCap);
        _setCaps(c.sge, c.sgePayoutCap, c.sgeDailyCap);
    }

    // ---------------------------------------------------------------- the relayer

    /// @notice Pays `usdcAmount` to `referrer`, or reverts.
    function payAffiliateUSDC(
        bytes32 payoutId,
        address child,
        address referrer,
        uint256 usdcAmount
    ) external onlyRole(RELAYER_ROLE) whenNotPaused nonReentrant {
        _settle(Payout(payoutId, child, referrer, usdcAmount, 0), false);
    }

    /// @notice Pays both amounts to `referrer`, or reverts. One of them may be zero, not both.
    function payAffiliateHybrid(
        bytes32 payoutId,
        address child,
        address referrer,
        uint256 usdcAmount,
        uint256 sgeAmount
    ) external onlyRole(RELAYER_ROLE) whenNotPaused nonReentrant {
        _settle(Payout(payoutId, child, referrer, usdcAmount, sgeAmount), false);
    }

    /// @notice Settles each payout on its own, in order. Reverts as a whole only where the call
    /// itself is wrong: role, pause, size, malformed data, or a token that lies about transfers.
    /// @return SKIPPED, PAID or OWED for each payout
    function payAffiliates(
        Payout[] calldata payouts
    ) external onlyRole(RELAYER_ROLE) whenNotPaused returns (uint8[] memory) {
        uint8[] memory outcomes = _payAll(payouts);
        // The array is its own ABI encoding once its offset stands before it.
        assembly ("memory-safe") {
            let start := sub(outcomes, 0x20)
            mstore(start, 0x20)
            return(start, add(0x40, shl(5, mload(outcomes))))
        }
    }

    /// @notice One payout of a batch in a call frame of its own, so that it fails alone.
    /// Only this contract calls it.
    function settleApart(Payout calldata payout) external onlySelf returns (uint8) {
        return _settle(payout, true);
    }

    /// @notice One transfer in a call frame of its own, so that it fails alone.
    /// Only this contract calls it.
    function moveApart(IERC20 token, address to, uint256 amount) external onlySelf {
        _move(token, to, amount);
    }

    // ---------------------------------------------------------------- the referrer

    /// @notice Sends all that is owed to the caller in `token` to `to`. Works while Sluice is
    /// paused; the token's own pause or blacklist still applies to this contract and `to`.
    function claim(address token, address to) external nonReentrant {
        uint256 amount = owed[token][msg.sender];
        if (amount == 0) revert NothingOwed(token);
        _checkRecipient(to);
        owed[token][msg.sender] = 0;
        totalOwed[token] -= amount;
        _noteDebt(token);
        IERC20(token).safeTransfer(to, amount);
        emit Claimed(msg.sender, to, token, amount);
    }

    // ---------------------------------------------------------------- pauser and admin

    /// @notice Stops payouts; claims go on.
    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    /// @notice Lets payouts go on.
    function unpause() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _unpause();
    }

    /// @notice Sets the limits of `token` (USDC or SGE) in base units, each at most 2^112 - 1.
    /// Zero means zero: nothing may leave. What left within the last day still counts.
    /// @param payoutCap_ the most that one payout may be
    /// @param dailyCap_  the most that may leave, or become owed, within any 24 hours
    function setCaps(
        address token,
        uint256 payoutCap_,
        uint256 dailyCap_
    ) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (token != address(usdc) && token != address(sge)) revert InvalidToken(token);
        _setCaps(token, payoutCap_, dailyCap_);
    }

    /// @notice Pays from the allowance of `treasury_` from now on; zero for the own balance.
    function setTreasury(address treasury_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (
            treasury_ == address(this) || treasury_ == address(usdc) || treasury_ == address(sge)
        ) revert InvalidRecipient(treasury_);
        emit TreasuryChanged(treasury, treasury_);
        treasury = treasury_;
    }

    /// @notice Takes `amount` of any token out while Sluice is paused, never what is owed.
    function emergencyWithdraw(
        address token,
        address to,
        uint256 amount
    ) external onlyRole(DEFAULT_ADMIN_ROLE) whenPaused nonReentrant {
        if (to == address(0)) revert ZeroAddress();
        uint256 free = _unowed(token, IERC20(token).balanceOf(address(this)));
        if (amount > free) revert InsufficientFunds(token, amount, free);
        IERC20(token).safeTransfer(to, amount);
        emit EmergencyWithdrawal(token, to, amount);
    }

    // ---------------------------------------------------------------- views

    /// @notice The most that one payout of `token` may be.
    function payoutCap(address token) external view returns (uint256) {
        return _limits[token].payoutCap;
    }

    /// @notice The most of `token` that may leave, or become owed, within any 24 hours.
    function dailyCap(address token) external view returns (uint256) {
        return _limits[token].dailyCap;
    }

    /// @notice How much of `token` the daily cap lets leave now.
    function dailyRemaining(address token) public view returns (uint256) {
        Limits storage l = _limits[token];
        return Math.saturatingSub(l.dailyCap, l.day.spent());
    }

    /// @notice How much of `token` the source can give now, beyond what is owed and whatever the
    /// caps say; the largest number there is for SGE that is minted.
    function availableFunds(address token) public view returns (uint256) {
        if (_isMinted(token)) return type(uint256).max;
        address from = _source();
        return _fundsOf(token, from, IERC20(token).balanceOf(from));
    }

    // ---------------------------------------------------------------- checks

    /// @dev Reverts unless the payout may be made; caps and funds are checked when they are taken.
    function _check(Payout memory p) private view {
        if (referralPaid[p.payoutId]) revert AlreadyPaid(p.payoutId);
        if (p.child == address(0)) revert ZeroAddress();
        if (p.child == p.referrer) revert SelfReferral(p.child);
        _checkRecipient(p.referrer);
        if (p.usdcAmount == 0 && p.sgeAmount == 0) revert ZeroAmount();
    }

    function _checkRecipient(address to) private view {
        if (to == address(0)) revert ZeroAddress();
        if (to == address(usdc) || to == address(sge) || to == address(this) || to == treasury)
            revert InvalidRecipient(to);
    }

    /// @dev Takes `amount` off the caps, after checking that caps and funds allow it.
    function _take(address token, uint256 amount) private {
        Limits storage l = _limits[token];
        if (amount > l.payoutCap) revert PayoutCapExceeded(token, amount, l.payoutCap);
        uint256 room = dailyRemaining(token);
        if (amount > room) revert DailyCapExceeded(token, amount, room);
        uint256 funds = availableFunds(token);
        if (amount > funds) revert InsufficientFunds(token, amount, funds);
        l.day.spend(amount);
    }

    // ---------------------------------------------------------------- paying

    /// @dev Pays one payout with every check. Where `mayOwe`, a token that will not go to the
    /// referrer is kept for it here; without, it reverts.
    function _settle(Payout memory p, bool mayOwe) private returns (uint8 outcome) {
        _check(p);
        referralPaid[p.payoutId] = true;
        uint256 usdcOwed = _deliver(usdc, p.referrer, p.usdcAmount, mayOwe);
        uint256 sgeOwed = _deliver(sge, p.referrer, p.sgeAmount, mayOwe);
        uint256 usdcPaid = p.usdcAmount - usdcOwed;
        uint256 sgePaid = p.sgeAmount - sgeOwed;
        outcome = PAID;
        if (p.sgeAmount == 0) {
            if (usdcPaid != 0) emit AffiliatePaid(p.payoutId, p.referrer, usdcPaid);
        } else if (usdcPaid != 0 || sgePaid != 0) {
            emit AffiliatePaidHybrid(p.payoutId, p.referrer, usdcPaid, sgePaid);
        }
        if (usdcOwed != 0 || sgeOwed != 0) {
            emit PayoutOwed(p.payoutId, p.referrer, usdcOwed, sgeOwed);
            outcome = OWED;
        }
    }

    /// @dev Brings `amount` to the referrer and returns how much is owed instead: nothing or all.
    function _deliver(
        IERC20 token,
        address to,
        uint256 amount,
        bool mayOwe
    ) private returns (uint256) {
        if (amount == 0) return 0;
        _take(address(token), amount);
        if (!mayOwe) {
            _move(token, to, amount);
            return 0;
        }
        // A move that fails for want of gas leaves 1/64 of it, too little to write a debt down.
        try this.moveApart(token, to, amount) {
            return 0;
        } catch {
            _keep(token, to, amount);
            return amount;
        }
    }

    /// @dev Brings `amount` from the source to `to`, measured at `to`, or reverts.
    function _move(IERC20 token, address to, uint256 amount) private {
        uint256 before = token.balanceOf(to);
        address from = _source();
        if (_isMinted(address(token))) IMintable(address(token)).mint(to, amount);
        else if (from == address(this)) token.safeTransfer(to, amount);
        else token.safeTransferFrom(from, to, amount);
        uint256 moved = token.balanceOf(to) - before;
        if (moved != amount) revert TransferMismatch(address(token), amount, moved);
    }

    /// @dev Writes `amount` down as owed, and sees to it that this contract holds it.
    function _keep(IERC20 token, address referrer, uint256 amount) private {
        if (_isMinted(address(token)) || treasury != address(0)) {
            _move(token, address(this), amount);
        }
        owed[address(token)][referrer] += amount;
        totalOwed[address(token)] += amount;
        _noteDebt(address(token));
    }

    /// @dev Runs of plain payouts, and the others apart.
    function _payAll(
        Payout[] calldata payouts
    ) private nonReentrant returns (uint8[] memory outcomes) {
        uint256 length = payouts.length;
        if (length > MAX_BATCH) revert BatchTooLarge(length, MAX_BATCH);
        // Room for the offset that precedes the array, and the array: each outcome will be written.
        assembly ("memory-safe") {
            outcomes := add(mload(0x40), 0x20)
            mstore(outcomes, length)
            mstore(0x40, add(outcomes, shl(5, add(length, 1))))
        }
        uint256 i = 0;
        while (i < length) {
            i = _payRun(payouts, i, outcomes);
            if (i < length) {
                outcomes[i] = _payApart(payouts[i]);
                ++i;
            }
        }
    }

    /// @dev Pays the plain payouts from `payouts[first]` on: those of USDC alone that pass every
    /// check of `_check` and `_take`, and whose transfer succeeds. Returns the index of the first
    /// that is not plain, untouched; `_payApart` finds out what to do with it.
    ///
    /// A run is measured at the source, and at its first referrer, where a token that keeps a fee
    /// would show; measuring each referrer would double the work of a transfer.
    function _payRun(
        Payout[] calldata payouts,
        uint256 first,
        uint8[] memory outcomes
    ) private returns (uint256 next) {
        IERC20 token = usdc;
        address from = _source();
        Payout calldata sample = payouts[first];
        uint256 sampled = token.balanceOf(sample.referrer);
        uint256 before = token.balanceOf(from);
        Limits storage l = _limits[address(token)];
        uint256 room = Math.min(
            _fundsOf(address(token), from, before),
            Math.saturatingSub(l.dailyCap, l.day.spent())
        );
        uint256 start;
        assembly ("memory-safe") {
            start := payouts.offset
        }
        (uint256 ended, uint256 left) = _payPlain(
            start + first * PAYOUT_SIZE,
            start + payouts.length * PAYOUT_SIZE,
            from,
            room
        );
        next = (ended - start) / PAYOUT_SIZE;
        _markPaid(outcomes, first, next);
        uint256 sent = room - left;
        uint256 moved = before - token.balanceOf(from);
        if (moved != sent) revert TransferMismatch(address(token), sent, moved);
        if (sent == 0) return next;
        l.day.spend(sent);
        // Later payouts of the run may be for the same referrer: at least the first has arrived.
        uint256 arrived = token.balanceOf(sample.referrer) - sampled;
        if (arrived < sample.usdcAmount) {
            revert TransferMismatch(address(token), sample.usdcAmount, arrived);
        }
    }

    /// @dev The inner loop of a batch, in assembly because it is what a batch costs. Pays the
    /// payouts whose call data starts at `p` and ends at `end`, until one is not plain; returns
    /// where that one starts, and what is left of `room`.
    ///
    /// One area of memory, past what is allocated, serves as call data and event data:
    ///
    ///     m       selector of transferFrom, right-aligned
    ///     m + 32  `from`, or the selector of transfer where `from` is this contract
    ///     m + 64  referrer
    ///     m + 96  usdcAmount, which is the data of the event
    ///     m + 128 sgeAmount, known to be zero by then
    ///
    /// What is read from memory or assigned twice the compiler keeps on the stack; the rest it
    /// would work out anew at each use.
    function _payPlain(
        uint256 p,
        uint256 end,
        address from,
        uint256 room
    ) private returns (uint256 ended, uint256 left) {
        IERC20 token = usdc; // not made an address: the loop would mask it at each use
        IERC20 otherToken = sge;
        uint256 cap = _limits[address(token)].payoutCap;
        bytes32 topic = AffiliatePaid.selector;
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, 0x23b872dd)
            mstore(add(m, 0x20), from)
            let callAt := add(m, 0x1c)
            let callSize := 0x64
            if eq(from, address()) {
                mstore(add(m, 0x20), 0xa9059cbb)
                callAt := add(m, 0x3c)
                callSize := 0x44
            }
            mstore(0x20, referralPaid.slot) // the second half of what a mapping hashes
            for { } lt(p, end) { p := add(p, 0xa0) } {
                calldatacopy(add(m, 0x40), add(p, 0x40), 0x60) // referrer, usdcAmount, sgeAmount
                let child := calldataload(add(p, 0x20))
                let to := mload(add(m, 0x40))
                let amount := mload(add(m, 0x60))
                mstore(0x00, calldataload(p))
                let paid := keccak256(0x00, 0x40)
                // Any of these, and the payout is not plain: paid before, with SGE, to oneself, to
                // the source, a token or this contract, above caps or funds, nothing, no address.
                if or(
                    or(
                        or(sload(paid), mload(add(m, 0x80))),
                        or(or(eq(to, child), eq(to, from)), gt(amount, room))
                    ),
                    or(
                        or(or(eq(to, token), eq(to, otherToken)), eq(to, address())),
                        iszero(and(
                            lt(sub(amount, 1), cap),
                            and(
                                lt(sub(child, 1), 0xffffffffffffffffffffffffffffffffffffffff),
                                lt(sub(to, 1), 0xffffffffffffffffffffffffffffffffffffffff)
                            )
                        ))
                    )
                ) { break }
                sstore(paid, 1)
                // Success is true, or no data at all from a call that did not revert.
                let ok := call(gas(), token, 0, callAt, callSize, 0x00, 0x20)
                if iszero(and(ok, eq(mload(0x00), 1))) {
                    if or(iszero(ok), returndatasize()) {
                        sstore(paid, 0)
                        break
                    }
                }
                log3(add(m, 0x60), 0x20, topic, calldataload(p), to)
                room := sub(room, amount)
            }
            ended := p
            left := room
        }
    }

    /// @dev Sets the outcomes from `first` up to `next` to PAID, by doubling what is set.
    function _markPaid(uint8[] memory outcomes, uint256 first, uint256 next) private pure {
        if (next == first) return;
        outcomes[first] = PAID;
        assembly ("memory-safe") {
            let start := add(outcomes, shl(5, add(first, 1)))
            let size := shl(5, sub(next, first))
            for { let done := 0x20 } lt(done, size) { done := shl(1, done) } {
                let rest := sub(size, done)
                if gt(rest, done) { rest := done }
                mcopy(add(start, done), start, rest)
            }
        }
    }

    /// @dev Settles one payout on its own; where that is impossible nothing of it remains.
    function _payApart(Payout calldata p) private returns (uint8) {
        try this.settleApart(p) returns (uint8 outcome) {
            return outcome;
        } catch (bytes memory cause) {
            emit PayoutSkipped(p.payoutId, bytes4(cause));
            return SKIPPED;
        }
    }

    // ---------------------------------------------------------------- the rest

    function _setCaps(address token, uint256 payoutCap_, uint256 dailyCap_) private {
        if (payoutCap_ > type(uint112).max) revert CapTooLarge(payoutCap_);
        if (dailyCap_ > type(uint112).max) revert CapTooLarge(dailyCap_);
        _limits[token].payoutCap = uint112(payoutCap_);
        _limits[token].dailyCap = uint112(dailyCap_);
        emit CapsChanged(token, payoutCap_, dailyCap_);
    }

    /// @dev Notes beside the caps whether any of `token` is owed; due whenever `totalOwed` changed.
    function _noteDebt(address token) private {
        _limits[token].owes = totalOwed[token] != 0;
    }

    function _isMinted(address token) private view returns (bool) {
        return sgeMinted && token == address(sge);
    }

    /// @dev Whose balance payments come from.
    function _source() private view returns (address) {
        address from = treasury;
        return from == address(0) ? address(this) : from;
    }

    /// @dev What `from`, which holds `balance`, can give.
    function _fundsOf(
        address token,
        address from,
        uint256 balance
    ) private view returns (uint256) {
        if (from == address(this)) return _unowed(token, balance);
        return Math.min(balance, IERC20(token).allowance(from, address(this)));
    }

    /// @dev What of the own `balance` is free; nothing, should a token ever take money back.
    function _unowed(address token, uint256 balance) private view returns (uint256) {
        return _limits[token].owes ? Math.saturatingSub(balance, totalOwed[token]) : balance;
    }
}
