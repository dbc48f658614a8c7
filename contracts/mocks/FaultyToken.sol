// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A six-decimal token that can turn into any of the tokens a payout must survive
contract FaultyToken is ERC20 {
    enum Mode {
        Honest,
        ReturnsFalse, // moves nothing and says so
        NoReturnData, // moves, returns nothing
        FeeFromAmount, // the recipient gets one base unit less
        FeeOnTop, // the sender loses one base unit more
        SaysYesMovesNothing,
        MovesSaysNo,
        RevertsBare, // reverts without data
        Reenters // calls `target` with `payload` before moving
    }

    Mode public mode;
    address public refused;
    address public target;
    bytes public payload;
    /// The first four bytes of what the re-entrant call reverted with; zero where it went through.
    bytes4 public reentryError;
    bool public reentryFailed;

    constructor() ERC20("Faulty", "FLT") {}

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address to, uint256 amount) external {
        require(mode != Mode.RevertsBare && to != refused, "no mint");
        _mint(to, amount);
    }

    function refuse(address account) external {
        refused = account;
    }

    function burn(address from, uint256 amount) external {
        _burn(from, amount);
    }

    function setMode(Mode mode_) external {
        mode = mode_;
    }

    function setReentry(address target_, bytes calldata payload_) external {
        mode = Mode.Reenters;
        target = target_;
        payload = payload_;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return _faulty(msg.sender, to, amount);
    }

    function transferFrom(
        address from,
        address to,
        uint256 amount
    ) public override returns (bool) {
        _spendAllowance(from, msg.sender, amount);
        return _faulty(from, to, amount);
    }

    function _faulty(address from, address to, uint256 amount) private returns (bool) {
        Mode m = mode;
        if (m == Mode.ReturnsFalse) return false;
        if (m == Mode.SaysYesMovesNothing) return true;
        if (m == Mode.RevertsBare) {
            assembly ("memory-safe") {
                revert(0, 0)
            }
        }
        if (m == Mode.Reenters) _reenter();
        _transfer(from, to, amount);
        if (m == Mode.MovesSaysNo) return false;
        if (m == Mode.FeeFromAmount) _burn(to, 1);
        if (m == Mode.FeeOnTop) _burn(from, 1);
        if (m == Mode.NoReturnData) {
            assembly ("memory-safe") {
                return(0, 0)
            }
        }
        return true;
    }

    function _reenter() private {
        (bool ok, bytes memory data) = target.call(payload);
        reentryFailed = !ok;
        if (!ok) reentryError = bytes4(data);
    }
}
