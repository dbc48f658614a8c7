// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @title ERC-5192, the minimal soulbound token
interface IERC5192 {
    /// @notice `tokenId` is bound to its holder from now on.
    event Locked(uint256 tokenId);
    /// @notice Part of the standard; this project never emits it.
    event Unlocked(uint256 tokenId);

    /// @notice Whether `tokenId` is bound to its holder; reverts for a token that does not exist.
    function locked(uint256 tokenId) external view returns (bool);
}

/// @title The identity that a wallet gets when it registers with Sluice
/// @notice One per wallet, bound to it for ever: it cannot be transferred, approved or burned.
/// The token id is the wallet's address as a number, so no lookup table is needed.
contract SGEIdentity is ERC721, AccessControl, IERC5192 {
    /// @notice May mint identities; meant for the relayer.
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");
    /// @notice Most wallets in one `mintBatch`.
    uint256 public constant MAX_BATCH = 256;

    /// @notice The wallet already has its identity.
    error AlreadyMinted(address wallet);
    /// @notice An identity stays where it is.
    error NotTransferable();
    /// @notice The zero address cannot hold an identity.
    error ZeroAddress();
    /// @notice More wallets than `MAX_BATCH`.
    error BatchTooLarge(uint256 length, uint256 max);

    /// @param admin  grants and revokes MINTER_ROLE
    /// @param minter gets MINTER_ROLE unless it is zero
    constructor(address admin, address minter) ERC721("Sluice Identity", "SGEID") {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        if (minter != address(0)) _grantRole(MINTER_ROLE, minter);
    }

    /// @notice Gives `to` its identity. Never calls `to`.
    function mint(address to) external onlyRole(MINTER_ROLE) {
        if (to == address(0)) revert ZeroAddress();
        if (hasIdentity(to)) revert AlreadyMinted(to);
        _mintLocked(to);
    }

    /// @notice Gives each wallet its identity; those that have one, and zero, are passed over.
    function mintBatch(address[] calldata wallets) external onlyRole(MINTER_ROLE) {
        if (wallets.length > MAX_BATCH) revert BatchTooLarge(wallets.length, MAX_BATCH);
        for (uint256 i = 0; i < wallets.length; ++i) {
            if (wallets[i] != address(0) && !hasIdentity(wallets[i])) _mintLocked(wallets[i]);
        }
    }

    /// @notice Whether `wallet` has its identity.
    function hasIdentity(address wallet) public view returns (bool) {
        return _ownerOf(tokenIdOf(wallet)) != address(0);
    }

    /// @notice The token id that belongs to `wallet`, minted or not.
    function tokenIdOf(address wallet) public pure returns (uint256) {
        return uint160(wallet);
    }

    /// @inheritdoc IERC5192
    function locked(uint256 tokenId) external view returns (bool) {
        _requireOwned(tokenId);
        return true;
    }

    /// @notice Always reverts: an approval would promise a transfer that cannot happen.
    function approve(address, uint256) public pure override {
        revert NotTransferable();
    }

    /// @notice Always reverts, as `approve`.
    function setApprovalForAll(address, bool) public pure override {
        revert NotTransferable();
    }

    /// @notice Always reverts; both forms of safeTransferFrom end here too.
    function transferFrom(address, address, uint256) public pure override {
        revert NotTransferable();
    }

    /// @inheritdoc IERC165
    function supportsInterface(
        bytes4 interfaceId
    ) public view override(ERC721, AccessControl) returns (bool) {
        return interfaceId == type(IERC5192).interfaceId || super.supportsInterface(interfaceId);
    }

    function _mintLocked(address to) private {
        _mint(to, tokenIdOf(to));
        emit Locked(tokenIdOf(to));
    }
}
