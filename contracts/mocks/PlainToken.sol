// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The plain ERC-20 of the gas table: what EIP-20 demands, and six decimals
/// @notice Whoever deploys it holds the supply.
contract PlainToken {
    uint8 public constant decimals = 6;

    uint256 public immutable totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address account => mapping(address spender => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor(uint256 supply) {
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    /// Scratch memory holds what is hashed, logged and returned, as in tokens written for gas.
    function transfer(address to, uint256 value) external returns (bool) {
        bytes32 topic = Transfer.selector;
        assembly ("memory-safe") {
            mstore(0x00, caller())
            mstore(0x20, balanceOf.slot)
            let source := keccak256(0x00, 0x40)
            let held := sload(source)
            if gt(value, held) { revert(0x00, 0x00) }
            sstore(source, sub(held, value))
            mstore(0x00, to)
            let target := keccak256(0x00, 0x40)
            sstore(target, add(sload(target), value)) // all balances together are the supply
            mstore(0x00, value)
            log3(0x00, 0x20, topic, caller(), to)
            mstore(0x00, 1)
            return(0x00, 0x20)
        }
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        allowance[from][msg.sender] -= value;
        balanceOf[from] -= value;
        unchecked {
            balanceOf[to] += value; // all balances together are the supply
        }
        emit Transfer(from, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }
}
