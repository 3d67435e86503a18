// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title HostileToken
/// @notice A token that misbehaves as told, to test that the vault refuses it or comes to no harm. Never for use.
contract HostileToken is ERC20 {
    /// @notice What the token does beside a plain transfer.
    enum Habit {
        None,
        Fee, //    keeps one base unit of each transfer
        Refuse, // returns false and moves nothing
        Skip, //   returns true and moves nothing
        Reenter // calls `target` with `data` first, and passes its revert on
    }

    Habit public habit;
    address public target;
    bytes public data;

    constructor() ERC20("Hostile", "HOST") {}

    /// @notice Makes `amount` new base units for anyone.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Takes `amount` base units from anyone, as a token does that rebases down.
    function burn(address from, uint256 amount) external {
        _burn(from, amount);
    }

    /// @notice Sets what the token does at its next transfers.
    function behave(Habit habit_, address target_, bytes calldata data_) external {
        (habit, target, data) = (habit_, target_, data_);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return _misbehave() && (habit == Habit.Skip || super.transfer(to, amount));
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return _misbehave() && (habit == Habit.Skip || super.transferFrom(from, to, amount));
    }

    /// @dev The fee is burnt from what the receiver got.
    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (habit == Habit.Fee && from != address(0) && to != address(0)) super._update(to, address(0), 1);
    }

    /// @dev False: the token refuses.
    function _misbehave() private returns (bool) {
        if (habit != Habit.Reenter) return habit != Habit.Refuse;
        (bool success, bytes memory returned) = target.call(data);
        if (success) return true;
        assembly ("memory-safe") {
            revert(add(returned, 32), mload(returned))
        }
    }
}
