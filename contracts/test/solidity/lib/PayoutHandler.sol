// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AffiliatePayout} from "../../../src/AffiliatePayout.sol";
import {vm} from "./Vm.sol";
import {PayoutBase} from "./PayoutBase.sol";

/// Does at random what relayer, pauser, admin, referrers, token owner and a thief may try, and
/// keeps books of its own. What must never be seen is noted in `breach`.
contract PayoutHandler is PayoutBase {
    struct Outflow {
        uint256 time;
        uint256 amount;
    }

    uint256 constant IDS = 120;
    uint256 constant REFERRERS = 5;

    address public constant SINK = address(0x51);
    bool public fromTreasury;
    bool public minted;
    string public breach;

    mapping(address token => uint256) public paid;
    mapping(address token => uint256) public owing;
    mapping(address token => uint256) public claimed;
    mapping(address token => uint256) public withdrawn;
    mapping(uint256 n => uint256) public settledTimes;
    mapping(address token => Outflow[]) outflows;
    mapping(address token => uint256) public cap;
    address public treasury;
    bool public paused;
    uint256 public settledCount;
    uint256 public owedCount;
    uint256 public claimCount;

    constructor(bool fromTreasury_, bool minted_) {
        fromTreasury = fromTreasury_;
        minted = minted_;
        deploy(minted_);
        if (fromTreasury_) {
            useTreasury(type(uint256).max);
            treasury = vault;
            if (!minted_) {
                vm.prank(address(payout));
                sge.transfer(vault, SGE_FUNDS);
                vm.prank(vault);
                sge.approve(address(payout), type(uint256).max);
            }
        }
        cap[address(usdc)] = USDC_DAILY_CAP;
        cap[address(sge)] = SGE_DAILY_CAP;
    }

    // ---- what happens

    function paySingle(uint256 n, uint256 who, uint256 amount, uint256 sgeAmount) external {
        AffiliatePayout.Payout memory p = made(n, who, amount, sgeAmount);
        vm.prank(relayer);
        try
            payout.payAffiliateHybrid(
                p.payoutId,
                p.child,
                p.referrer,
                p.usdcAmount,
                p.sgeAmount
            )
        {
            settled(n, p.usdcAmount, p.sgeAmount);
            paid[address(usdc)] += p.usdcAmount;
            paid[address(sge)] += p.sgeAmount;
        } catch {}
    }

    function payMany(uint256 seed, uint256 length) external {
        length = bound(length, 1, 12);
        AffiliatePayout.Payout[] memory list = new AffiliatePayout.Payout[](length);
        uint256[] memory ids = new uint256[](length);
        for (uint256 i = 0; i < length; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            ids[i] = r;
            list[i] = made(r, r >> 16, r >> 32, (r >> 128) & 3 == 0 ? r >> 136 : 0);
        }
        uint256 usdcOwed = payout.totalOwed(address(usdc));
        uint256 sgeOwed = payout.totalOwed(address(sge));
        vm.prank(relayer);
        try payout.payAffiliates(list) returns (uint8[] memory outcomes) {
            uint256 usdcSettled = 0;
            uint256 sgeSettled = 0;
            for (uint256 i = 0; i < length; ++i) {
                if (outcomes[i] == 0) continue;
                settled(ids[i], list[i].usdcAmount, list[i].sgeAmount);
                usdcSettled += list[i].usdcAmount;
                sgeSettled += list[i].sgeAmount;
                if (outcomes[i] == 2) owedCount++;
            }
            usdcOwed = payout.totalOwed(address(usdc)) - usdcOwed;
            sgeOwed = payout.totalOwed(address(sge)) - sgeOwed;
            owing[address(usdc)] += usdcOwed;
            owing[address(sge)] += sgeOwed;
            paid[address(usdc)] += usdcSettled - usdcOwed;
            paid[address(sge)] += sgeSettled - sgeOwed;
        } catch {}
    }

    function claim(uint256 who, bool inSge) external {
        address token = inSge ? address(sge) : address(usdc);
        address to = owedFrom(token, who);
        uint256 amount = payout.owed(token, to);
        vm.prank(to);
        try payout.claim(token, SINK) {
            claimed[token] += amount;
            owing[token] -= amount;
            claimCount++;
        } catch {
            // Only a paused or blacklisting token may keep somebody from what is owed.
            if (amount != 0 && (inSge || !usdc.paused())) breach = "a claim failed";
        }
    }

    /// The first from `who` on who is owed something: most claims should have something to claim.
    function owedFrom(address token, uint256 who) internal view returns (address) {
        for (uint256 i = 0; i < REFERRERS; ++i) {
            address to = referrerAt((who % REFERRERS) + i);
            if (payout.owed(token, to) != 0) return to;
        }
        return referrerAt(who);
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 9 hours));
    }

    function blacklist(uint256 who, bool listed) external {
        if (listed) usdc.blacklist(referrerAt(who));
        else usdc.unBlacklist(referrerAt(who));
    }

    function pauseToken(uint256 dice) external {
        if (dice % 4 == 0) usdc.pause();
        else usdc.unpause();
    }

    function switchPause(uint256 dice) external {
        if (!paused && dice % 4 == 0) {
            pause();
            paused = true;
        } else if (paused && dice % 4 != 0) {
            vm.prank(admin);
            payout.unpause();
            paused = false;
        }
    }

    function changeCap(bool ofSge, uint256 amount) external {
        address token = ofSge ? address(sge) : address(usdc);
        uint256 most = ofSge ? SGE_DAILY_CAP : USDC_DAILY_CAP;
        cap[token] = bound(amount, most / 2, most);
        uint256 perPayout = ofSge ? SGE_PAYOUT_CAP : USDC_PAYOUT_CAP;
        vm.prank(admin);
        payout.setCaps(token, perPayout, cap[token]);
    }

    function withdraw(uint256 amount, bool inSge) external {
        address token = inSge ? address(sge) : address(usdc);
        uint256 held = inSge ? sge.balanceOf(address(payout)) : usdc.balanceOf(address(payout));
        // Every other time one base unit more than is free.
        if (amount % 2 == 0) amount = held - payout.totalOwed(token) + 1;
        else amount = bound(amount, 0, 10e6);
        vm.prank(admin);
        try payout.emergencyWithdraw(token, SINK, amount) {
            withdrawn[token] += amount;
            if (!paused) breach = "withdrawn while running";
        } catch {}
    }

    /// The relayer's key is stolen: whatever the thief calls that is not a payment must fail.
    function steal(uint256 dice, address to) external {
        bytes32 relayerRole = payout.RELAYER_ROLE();
        bytes[12] memory tries = [
            abi.encodeCall(payout.grantRole, (relayerRole, to)),
            abi.encodeCall(payout.grantRole, (bytes32(0), relayer)),
            abi.encodeCall(payout.revokeRole, (payout.PAUSER_ROLE(), pauser)),
            abi.encodeCall(payout.beginDefaultAdminTransfer, (relayer)),
            abi.encodeCall(payout.acceptDefaultAdminTransfer, ()),
            abi.encodeCall(payout.changeDefaultAdminDelay, (0)),
            abi.encodeCall(payout.setCaps, (address(usdc), type(uint112).max, type(uint112).max)),
            abi.encodeCall(payout.setTreasury, (relayer)),
            abi.encodeCall(payout.emergencyWithdraw, (address(usdc), relayer, 1)),
            abi.encodeCall(payout.pause, ()),
            abi.encodeCall(payout.unpause, ()),
            abi.encodeCall(payout.claim, (address(usdc), relayer))
        ];
        vm.prank(relayer);
        (bool ok, ) = address(payout).call(tries[dice % 12]);
        if (ok) breach = "the relayer did what it may not";
    }

    // ---- books

    function made(
        uint256 n,
        uint256 who,
        uint256 amount,
        uint256 sgeAmount
    ) internal view returns (AffiliatePayout.Payout memory) {
        return
            item(
                n % IDS,
                referrerAt(who),
                bound(amount, 1, USDC_PAYOUT_CAP + USDC_PAYOUT_CAP / 10),
                bound(sgeAmount, 0, SGE_PAYOUT_CAP)
            );
    }

    function settled(uint256 n, uint256 amount, uint256 sgeAmount) internal {
        settledTimes[n % IDS]++;
        settledCount++;
        if (paused) breach = "paid while paused";
        if (amount > USDC_PAYOUT_CAP || sgeAmount > SGE_PAYOUT_CAP) breach = "above a payout cap";
        flow(address(usdc), amount);
        flow(address(sge), sgeAmount);
    }

    /// Notes the outflow and looks back a day: this window ends now, and every window ends somewhere.
    function flow(address token, uint256 amount) internal {
        if (amount == 0) return;
        Outflow[] storage list = outflows[token];
        list.push(Outflow(block.timestamp, amount));
        uint256 sum = 0;
        for (uint256 i = list.length; i > 0; --i) {
            if (block.timestamp - list[i - 1].time >= 24 hours) break;
            sum += list[i - 1].amount;
        }
        if (sum > cap[token]) breach = "above a daily cap";
    }

    // ---- for the invariants

    function referrerAt(uint256 who) public pure returns (address) {
        return address(uint160(0x1000 + (who % REFERRERS)));
    }

    function contracts() external view returns (AffiliatePayout, address, address, address) {
        return (payout, address(usdc), address(sge), vault);
    }

    function referrers() external pure returns (uint256) {
        return REFERRERS;
    }

    function ids() external pure returns (uint256) {
        return IDS;
    }

    function idAt(uint256 n) external pure returns (bytes32) {
        return id(n);
    }

    function people() external view returns (address, address, address) {
        return (admin, relayer, pauser);
    }
}
