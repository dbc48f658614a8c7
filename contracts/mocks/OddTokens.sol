// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token with eighteen decimals, where six are needed
contract EighteenDecimals is ERC20 {
    constructor() ERC20("Eighteen", "E18") {}
}
