// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {Movement} from "../types/Movement.sol";

/// @title IVault
/// @notice The only holder of tokens: free and locked balance a member, in one ERC-20. Knows nothing of the market.
/// @dev Conservation: `sum(free) + sum(locked) == held <= token.balanceOf(vault)`. Trust: it obeys the book, the clearing and
/// the deals contract of its deployment, and nobody else; no key can move money except to its member's account.
interface IVault {
    event Deposited(uint24 indexed member, address indexed from, uint256 amount);
    event Withdrawn(uint24 indexed member, address indexed to, uint256 amount);
    /// @notice Free money became locked.
    event Locked(uint24 indexed member, uint256 amount);
    /// @notice Locked money became free, of the same member or (`to != from`) of another.
    event Released(Movement[] movements);

    error ZeroAmount();
    /// @notice The member's free balance is too small.
    error InsufficientFree(uint24 member, uint256 free, uint256 wanted);
    /// @notice The member's locked balance is too small; cannot happen unless a rule is broken.
    error InsufficientLocked(uint24 member, uint256 locked, uint256 wanted);
    /// @notice With this deposit the vault would owe more than 2**128 - 1, the bound that keeps every balance from overflowing.
    error BalanceTooLarge(uint24 member, uint256 amount);
    /// @notice The token moved another amount than asked: fee-on-transfer and the like are refused.
    error UnexpectedTransfer(uint256 expected, uint256 moved);
    /// @notice The token's balance fell below what the vault owes (a rebasing token): no more deposits.
    error TokenShrunk(uint256 held, uint256 balance);
    error NotAllowed(address sender);

    /// @notice Pulls tokens from the sender, the member's account or a treasury key, into its free balance.
    /// @dev Checks: {IMemberRegistry-NotSigner}, {ZeroAmount}, {TokenShrunk}, {BalanceTooLarge}, then the transfer: {UnexpectedTransfer}.
    function deposit(uint24 member, uint256 amount) external;
    /// @notice Pays free money out to the member's account; sender: the account or a treasury key.
    function withdraw(uint24 member, uint256 amount) external;

    /// @notice Locks free money. Book and Deals only.
    function lock(uint24 member, uint256 amount) external;
    /// @notice Carries out movements of locked money, in order. Book, Clearing and Deals only.
    function release(Movement[] calldata movements) external;

    function balanceOf(uint24 member) external view returns (uint256 free, uint256 locked);
    /// @notice What the vault owes in all [token base units].
    function held() external view returns (uint256);
}
