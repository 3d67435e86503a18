// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title ICreditLedger
/// @notice Outcomes of deals to credit bands, and open value. Holds no money; takes no rating from anybody.
/// @dev `good` and `bad` halve at each multiple of a half-life: `x >> (now/H - last/H)`, evaluated when touched or read.
interface ICreditLedger {
    /// @notice A final outcome of a deal, valued at its price.
    struct Outcome {
        uint24 provider;
        uint24 consumer;
        uint128 providerGood; // [token base units]
        uint128 providerBad;
        uint128 consumerGood;
        uint128 consumerBad;
        uint128 openValue; //    falls from the provider's open value
    }

    /// @notice What is stored of a member's record: one word.
    struct Record {
        uint112 good; //  [token base units], as of `touched`
        uint112 bad;
        uint32 touched; // [unix s]
    }

    /// @notice A member's credit changed by `good` (after the cap of the counterparty's owner group) and `bad`.
    event CreditRecorded(uint24 indexed member, uint24 indexed counterpartyGroup, uint256 good, uint256 bad);

    error NotAllowed(address sender);
    /// @notice The offer declares more credit than the member has.
    error CreditAboveBand(uint24 member, uint256 declared, uint256 band);
    /// @notice In band 0 the open value may not exceed the cap.
    error NewcomerCapExceeded(uint24 member, uint256 wanted, uint256 cap);

    /// @notice Checks the highest credit declared in a batch of offers and raises the open value. Book only.
    function open(uint24 member, uint256 declared, uint256 value) external;
    /// @notice Lowers open value: `members[i]` by `values[i]`. Book and Clearing only.
    function close(uint24[] calldata members, uint256[] calldata values) external;
    /// @notice Records outcomes. Deals only. Inside one owner group nothing is recorded but the open value falls.
    function record(Outcome[] calldata outcomes) external;

    function bandOf(uint24 member) external view returns (uint256);
    /// @notice Good and bad, decayed to now [token base units].
    function creditOf(uint24 member) external view returns (uint256 good, uint256 bad);
    function recordOf(uint24 member) external view returns (Record memory);
    /// @notice What the owner group has added to the member's good, decayed to now.
    function addedBy(uint24 member, uint24 group) external view returns (uint256);
    function openValueOf(uint24 member) external view returns (uint256);
}
