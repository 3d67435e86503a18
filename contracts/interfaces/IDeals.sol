// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {DealState, DealTerms} from "../types/Deal.sol";

/// @title IDeals
/// @notice One root a clearing, and the life of each deal that somebody acted on. Knows no token.
/// @dev Terms come with every call, proven against the clearing's root. An action is valid at `now <= deadline`. Every
/// deadline is executable by anyone, so money never waits for somebody's goodwill.
/// Checks of every verb: {EmptyList}, {ListLengths}, then deal by deal: {NotProven}, {WrongState}, the time, the party
/// ({IMemberRegistry-NotSigner}), the figures. Money that a call frees is free before it locks any: one release, then one lock.
/// A run of deals of one call between the same two parties moves its money and counts as one outcome: their sum.
interface IDeals {
    /// @notice A deal named by its terms and their proof.
    struct Reference {
        DealTerms terms;
        bytes32[] proof; // Merkle path, sorted pairs (OpenZeppelin MerkleProof)
    }

    /// @notice What is stored of a touched deal: one word. A final step changes `state` only and keeps the last figures.
    struct Progress {
        DealState state;
        uint32 reported; // [capacity units]
        uint32 accepted; // [capacity units]
        uint40 deadline; // last second of the current step [unix s]
        uint24 arbiter; //  member fixed at the dispute; 0: none
    }

    event DealsCommitted(uint16 indexed classIndex, uint32 indexed round, bytes32 root);
    event DeliveryReported(uint64 indexed deal, uint32 reported, uint40 deadline, bytes32 evidence);
    event DealContested(uint64 indexed deal, uint32 accepted, uint40 deadline, bytes32 evidence);
    event DealDisputed(uint64 indexed deal, uint24 arbiter, uint40 deadline, bytes32 evidence);
    /// @notice An arbiter ruled; {DealSettled} follows.
    event DealRuled(uint64 indexed deal, uint24 indexed arbiter, uint32 quantity, bytes32 reason);
    /// @notice The deal is final: `quantity` paid. `state` is Settled, Defaulted, Released or Cancelled. Carries the terms.
    event DealSettled(uint64 indexed deal, DealState state, uint32 quantity, DealTerms terms);

    error NotClearing(address sender);
    error EmptyList();
    /// @notice Each deal needs its entry in every list; `entries` is the length of the first list that differs.
    error ListLengths(uint256 deals, uint256 entries);
    /// @notice The terms are not a leaf of the clearing's root.
    error NotProven(uint64 deal);
    /// @notice The deal's state does not allow this.
    error WrongState(uint64 deal, DealState state);
    error BeforeSlotEnd(uint64 deal, uint256 slotEnd);
    error GatePassed(uint64 deal, uint256 gate);
    error DealDeadlinePassed(uint64 deal, uint256 deadline);
    /// @notice A delivery reports 0 < quantity <= the deal's.
    error BadReport(uint64 deal, uint256 reported, uint256 most);
    /// @notice The accepted figure may not exceed the reported one.
    error AcceptedAboveReported(uint64 deal, uint256 accepted, uint256 reported);
    /// @notice A ruling lies in [accepted, reported].
    error RulingOutside(uint64 deal, uint256 quantity, uint256 accepted, uint256 reported);
    /// @notice The sender may not rule this deal (now).
    error NotArbiter(uint64 deal, address sender);
    /// @notice A mutual cancel's consent is not by an operate key of the party.
    error BadConsent(uint64 deal, uint24 member, address signer);
    error ConsentExpired(uint64 deal, uint40 deadline);

    /// @notice Commits a clearing's deals. Clearing only.
    function commit(uint16 classIndex, uint32 round, bytes32 root) external;

    /// @notice Reports capacity made available; sender: an operate key of the provider; from the slot's end to D.
    function deliver(Reference[] calldata deals, uint32[] calldata quantities, bytes32[] calldata evidence) external;
    /// @notice Accepts a report in full (settles) or less (contests, locking a bond); sender: an operate key of the consumer.
    function accept(Reference[] calldata deals, uint32[] calldata quantities, bytes32[] calldata evidence) external;
    /// @notice Disputes a contest, locking a bond; sender: an operate key of the provider.
    function dispute(Reference[] calldata deals, bytes32[] calldata evidence) external;
    /// @notice Rules a dispute; sender: the account of its arbiter, after half of J of any other eligible one.
    /// @dev Eligible: active arbiter, now outside both owner groups. Late enough: `now > deadline - J + J / 2`.
    function rule(Reference calldata deal, uint32 quantity, bytes32 reason) external;
    /// @notice Gives deals up before their gates: half of the bond goes to the consumer; sender: an operate key of the provider.
    function release(Reference[] calldata deals) external;
    /// @notice Undoes a deal that both parties sign away; anyone may carry it. Everything is returned.
    /// @dev EIP-712 type: `Consent(uint64 deal,uint8 state,uint32 reported,uint32 accepted,uint40 deadline)`, domain "capshare",
    /// version "1". `deadline` ends the consent; it bounds the deal's own, which is checked first.
    /// Checks: {NotProven}, {WrongState}, {DealDeadlinePassed}, {ConsentExpired}, {BadConsent} of the provider, of the consumer.
    function cancel(
        Reference calldata deal,
        uint40 deadline,
        bytes calldata providerSignature,
        bytes calldata consumerSignature
    ) external;
    /// @notice Settles deals whose deadline has passed; skips those with nothing to do. Anyone.
    function settle(Reference[] calldata deals) external;

    function rootOf(uint16 classIndex, uint32 round) external view returns (bytes32);
    /// @notice What is stored of a deal; all zero: untouched (Open).
    function progressOf(uint64 deal) external view returns (Progress memory);
    /// @notice Whether the terms are a committed deal.
    function isProven(Reference calldata deal) external view returns (bool);
}
