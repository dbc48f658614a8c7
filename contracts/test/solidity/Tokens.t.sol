// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC5192, SGEIdentity} from "../../src/SGEIdentity.sol";
import {SGEToken} from "../../src/SGEToken.sol";
import {TestUSDC} from "../../src/TestUSDC.sol";
import {Checks, vm} from "./lib/Vm.sol";

contract SGETokenTest is Checks {
    SGEToken sge;
    address admin = account("admin");
    address minter = account("minter");

    function setUp() public {
        sge = new SGEToken(admin, 1000 ether);
        bytes32 role = sge.MINTER_ROLE();
        vm.prank(admin);
        sge.grantRole(role, minter);
    }

    function testNames() public view {
        yes(keccak256(bytes(sge.name())) == keccak256("Sluice Growth Equity"), "name");
        yes(keccak256(bytes(sge.symbol())) == keccak256("SGE"), "symbol");
        eq(sge.decimals(), 18, "decimals");
        eq(sge.cap(), 1000 ether, "cap");
    }

    function testZeroCapReverts() public {
        vm.expectRevert(abi.encodeWithSelector(ERC20Capped.ERC20InvalidCap.selector, 0));
        new SGEToken(admin, 0);
    }

    function testFuzzMintsUpToTheCap(uint256 a, uint256 b) public {
        a = bound(a, 0, 1000 ether);
        b = bound(b, 0, 2000 ether);
        expectEvent(address(sge));
        emit IERC20.Transfer(address(0), address(this), a);
        vm.prank(minter);
        sge.mint(address(this), a);
        vm.prank(minter);
        if (a + b > 1000 ether) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    ERC20Capped.ERC20ExceededCap.selector,
                    a + b,
                    uint256(1000 ether)
                )
            );
        }
        sge.mint(address(this), b);
        yes(sge.totalSupply() <= 1000 ether, "within the cap");
    }

    function testOnlyTheMinterMints() public {
        bytes32 role = sge.MINTER_ROLE();
        vm.prank(admin);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector,
                admin,
                role
            )
        );
        sge.mint(admin, 1);
    }
}

contract SGEIdentityTest is Checks {
    SGEIdentity identity;
    address admin = account("admin");
    address minter = account("minter");
    address wallet = account("wallet");

    function setUp() public {
        identity = new SGEIdentity(admin, minter);
    }

    function mint(address to) internal {
        vm.prank(minter);
        identity.mint(to);
    }

    function testDeployedAsAsked() public {
        yes(identity.hasRole(0, admin), "admin");
        yes(identity.hasRole(identity.MINTER_ROLE(), minter), "minter");
        SGEIdentity bare = new SGEIdentity(admin, address(0));
        no(bare.hasRole(bare.MINTER_ROLE(), address(0)), "zero is no minter");
        yes(identity.supportsInterface(type(IERC5192).interfaceId), "ERC-5192");
        yes(identity.supportsInterface(0xb45a3c0e), "ERC-5192 by number");
        yes(identity.supportsInterface(type(IERC721).interfaceId), "ERC-721");
        yes(identity.supportsInterface(type(IAccessControl).interfaceId), "roles");
        no(identity.supportsInterface(0xffffffff), "nothing else");
    }

    function testMints() public {
        no(identity.hasIdentity(wallet), "before");
        uint256 id = identity.tokenIdOf(wallet);
        expectEvent(address(identity));
        emit IERC721.Transfer(address(0), wallet, id);
        expectEvent(address(identity));
        emit IERC5192.Locked(id);
        mint(wallet);
        yes(identity.hasIdentity(wallet), "after");
        yes(identity.locked(id), "locked");
        eq(identity.ownerOf(id), wallet, "owner");
        eq(identity.balanceOf(wallet), 1, "one");
    }

    function testOnePerWallet() public {
        mint(wallet);
        vm.prank(minter);
        vm.expectRevert(abi.encodeWithSelector(SGEIdentity.AlreadyMinted.selector, wallet));
        identity.mint(wallet);
    }

    function testZeroReverts() public {
        vm.prank(minter);
        vm.expectRevert(abi.encodeWithSelector(SGEIdentity.ZeroAddress.selector));
        identity.mint(address(0));
    }

    function testBatchPassesOver() public {
        mint(wallet);
        address[] memory list = new address[](4);
        list[0] = wallet;
        list[2] = account("new");
        list[3] = account("new");
        vm.recordLogs();
        vm.prank(minter);
        identity.mintBatch(list);
        eq(vm.getRecordedLogs().length, 2, "one minted: Transfer and Locked");
        yes(identity.hasIdentity(account("new")), "new");
        eq(identity.balanceOf(account("new")), 1, "one");
    }

    function testBatchTooLarge() public {
        uint256 max = identity.MAX_BATCH();
        vm.prank(minter);
        vm.expectRevert(abi.encodeWithSelector(SGEIdentity.BatchTooLarge.selector, max + 1, max));
        identity.mintBatch(new address[](max + 1));
    }

    function testOnlyTheMinterMints() public {
        bytes memory refusal = abi.encodeWithSelector(
            IAccessControl.AccessControlUnauthorizedAccount.selector,
            admin,
            identity.MINTER_ROLE()
        );
        vm.prank(admin);
        vm.expectRevert(refusal);
        identity.mint(wallet);
        vm.prank(admin);
        vm.expectRevert(refusal);
        identity.mintBatch(new address[](1));
    }

    function testStaysWhereItIs() public {
        mint(wallet);
        uint256 id = identity.tokenIdOf(wallet);
        bytes memory refusal = abi.encodeWithSelector(SGEIdentity.NotTransferable.selector);
        vm.prank(wallet);
        vm.expectRevert(refusal);
        identity.transferFrom(wallet, admin, id);
        vm.prank(wallet);
        vm.expectRevert(refusal);
        identity.safeTransferFrom(wallet, admin, id);
        vm.prank(wallet);
        vm.expectRevert(refusal);
        identity.safeTransferFrom(wallet, admin, id, "");
        vm.prank(wallet);
        vm.expectRevert(refusal);
        identity.approve(admin, id);
        vm.prank(wallet);
        vm.expectRevert(refusal);
        identity.setApprovalForAll(admin, true);
        eq(identity.ownerOf(id), wallet, "owner");
    }

    function testLockedNeedsAToken() public {
        vm.expectRevert(
            abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, uint256(7))
        );
        identity.locked(7);
    }
}

contract TestUSDCTest is Checks {
    TestUSDC usdc;
    address owner = account("owner");
    address bad = account("bad");
    address other = account("other");

    function setUp() public {
        usdc = new TestUSDC(owner);
        vm.prank(owner);
        usdc.mint(address(this), 100);
        vm.prank(owner);
        usdc.mint(bad, 100);
    }

    function cutOff() internal {
        expectEvent(address(usdc));
        emit TestUSDC.Blacklisted(bad);
        vm.prank(owner);
        usdc.blacklist(bad);
    }

    function expectBlacklisted() internal {
        vm.expectRevert(
            abi.encodeWithSignature("Error(string)", "Blacklistable: account is blacklisted")
        );
    }

    function testTransfers() public {
        eq(usdc.decimals(), 6, "decimals");
        usdc.transfer(other, 40);
        usdc.approve(other, 60);
        vm.prank(other);
        usdc.transferFrom(address(this), other, 60);
        eq(usdc.balanceOf(other), 100, "balance");
    }

    function testBlacklist() public {
        cutOff();
        yes(usdc.isBlacklisted(bad), "listed");
        expectBlacklisted();
        usdc.transfer(bad, 1);
        vm.prank(bad);
        expectBlacklisted();
        usdc.transfer(other, 1);
        usdc.approve(bad, 1);
        vm.prank(bad);
        expectBlacklisted();
        usdc.transferFrom(address(this), other, 1);
        vm.prank(bad);
        usdc.approve(address(this), 1);
        expectBlacklisted();
        usdc.transferFrom(bad, other, 1);
        vm.prank(owner);
        expectBlacklisted();
        usdc.mint(bad, 1);
        expectBlacklisted();
        usdc.transfer(address(usdc), 1);
        expectEvent(address(usdc));
        emit TestUSDC.UnBlacklisted(bad);
        vm.prank(owner);
        usdc.unBlacklist(bad);
        usdc.transfer(bad, 1);
    }

    function testPause() public {
        expectEvent(address(usdc));
        emit TestUSDC.Pause();
        vm.prank(owner);
        usdc.pause();
        vm.expectRevert(abi.encodeWithSignature("Error(string)", "Pausable: paused"));
        usdc.transfer(other, 1);
        expectEvent(address(usdc));
        emit TestUSDC.Unpause();
        vm.prank(owner);
        usdc.unpause();
        usdc.transfer(other, 1);
    }

    function expectNotOwner() internal {
        vm.expectRevert(
            abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this))
        );
    }

    function testOnlyTheOwner() public {
        expectNotOwner();
        usdc.mint(bad, 1);
        expectNotOwner();
        usdc.pause();
        expectNotOwner();
        usdc.unpause();
        expectNotOwner();
        usdc.blacklist(bad);
        expectNotOwner();
        usdc.unBlacklist(bad);
    }
}
