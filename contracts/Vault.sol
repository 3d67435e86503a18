// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Movement} from "./types/Movement.sol";
import {Deployment, Parameters} from "./types/Parameters.sol";
import {SCOPE_TREASURY} from "./types/Rights.sol";

/// @title Vault
/// @notice Keeps members' money, free and locked. Knows nothing of the market and pays only to members' accounts.
contract Vault is IVault, ReentrancyGuard {
    using SafeERC20 for IERC20;

    /* IMMUTABLES */

    IMemberRegistry public immutable members;
    IERC20 public immutable token;
    address public immutable book;
    address public immutable clearing;
    address public immutable deals;

    /* STORAGE */

    /// @dev One word. Their sum over all members is `held` <= 2**128 - 1, so no field can overflow.
    struct Balance {
        uint128 free; //   [token base units]
        uint128 locked; // [token base units]
    }

    mapping(uint24 member => Balance) internal _balances;

    /// @inheritdoc IVault
    uint256 public held;

    /* CONSTRUCTOR */

    constructor(Deployment memory d, Parameters memory) {
        members = IMemberRegistry(d.members);
        token = IERC20(d.token);
        book = d.book;
        clearing = d.clearing;
        deals = d.deals;
    }

    /* PAYING IN AND OUT */

    /// @inheritdoc IVault
    function deposit(uint24 member, uint256 amount) external nonReentrant {
        members.requireScope(member, msg.sender, SCOPE_TREASURY);
        require(amount != 0, ZeroAmount());
        uint256 owed = held;
        uint256 before = token.balanceOf(address(this));
        require(before >= owed, TokenShrunk(owed, before));
        require(amount <= type(uint128).max - owed, BalanceTooLarge(member, amount));

        held = owed + amount;
        _balances[member].free += uint128(amount);

        emit Deposited(member, msg.sender, amount);

        token.safeTransferFrom(msg.sender, address(this), amount);
        _requireMoved(amount, before, token.balanceOf(address(this)));
    }

    /// @inheritdoc IVault
    function withdraw(uint24 member, uint256 amount) external nonReentrant {
        members.requireScope(member, msg.sender, SCOPE_TREASURY);
        require(amount != 0, ZeroAmount());
        uint256 free = _balances[member].free;
        require(amount <= free, InsufficientFree(member, free, amount));
        address account = members.accountOf(member);

        held -= amount;
        _balances[member].free = uint128(free - amount);

        emit Withdrawn(member, account, amount);

        uint256 before = token.balanceOf(address(this));
        token.safeTransfer(account, amount);
        _requireMoved(amount, token.balanceOf(address(this)), before);
    }

    /* BY THE MARKET */

    /// @inheritdoc IVault
    function lock(uint24 member, uint256 amount) external {
        require(msg.sender == book || msg.sender == deals, NotAllowed(msg.sender));
        Balance memory balance = _balances[member];
        require(amount <= balance.free, InsufficientFree(member, balance.free, amount));

        _balances[member] = Balance(balance.free - uint128(amount), balance.locked + uint128(amount));

        emit Locked(member, amount);
    }

    /// @inheritdoc IVault
    function release(Movement[] calldata movements) external {
        require(msg.sender == book || msg.sender == clearing || msg.sender == deals, NotAllowed(msg.sender));

        for (uint256 i; i < movements.length; ++i) {
            uint128 amount = uint128(movements[i].amount());
            if (amount == 0) continue;
            uint24 from = uint24(movements[i].from());
            uint24 to = uint24(movements[i].to());
            Balance memory balance = _balances[from];
            require(amount <= balance.locked, InsufficientLocked(from, balance.locked, amount));

            balance.locked -= amount;
            if (to == from) balance.free += amount;
            else _balances[to].free += amount;
            _balances[from] = balance;
        }

        emit Released(movements);
    }

    /* VIEWS */

    /// @inheritdoc IVault
    function balanceOf(uint24 member) external view returns (uint256 free, uint256 locked) {
        Balance memory balance = _balances[member];
        return (balance.free, balance.locked);
    }

    /* INTERNAL */

    /// @dev Exactly `amount` came or went: nothing else keeps `held` true to the token.
    function _requireMoved(uint256 amount, uint256 smaller, uint256 larger) internal pure {
        uint256 moved = larger > smaller ? larger - smaller : 0;
        require(moved == amount, UnexpectedTransfer(amount, moved));
    }
}
