// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice A deal's full terms: the three words that a leaf of a clearing's Merkle root hashes.
/// @dev Three words a leaf and two an inner node: neither can be taken for the other.
/// ```
///          255  196 195       172 171       148 147    124 123   100 99      68 67          0
/// word 0  | id  60 | provider 24 | consumer 24 | asset 24 | slot 24 | quantity 32 | 0        68 |
///          255            184 183             112 111                                        0
/// word 1  | price        72   | bondPerUnit 72   | 0                                     112 |
///          255            216 215             176 175                                        0
/// word 2  | offer id     40   | request id  40   | 0                                     176 |
/// ```
/// id = class index 12 | round 32 | index 16 (the clearing's deals in fill order, netted fills skipped).
struct DealTerms {
    uint256 word0;
    uint256 word1;
    uint256 word2;
}

/// @notice Where a deal stands.
/// ```
///         deliver                      accept(all), or silence
///   Open ─────────▶ Delivered ───────────────────────────────────▶ Settled
///    │ │ │             │ accept(less) + bond      provider silent     ▲
///    │ │ │             ▼                                              │
///    │ │ │          Contested ────────────────────────────────────────┤
///    │ │ │             │ dispute + bond          ruling, or the middle│
///    │ │ │             ▼                                              │
///    │ │ │          Disputed ─────────────────────────────────────────┘
///    │ │ └▶ Defaulted (no report in time)
///    │ └──▶ Released (given up before the gate)
///    └────▶ Cancelled (both sign; also from Delivered, Contested, Disputed)
/// ```
enum DealState {
    Open, //      committed; the provider delivers, or releases before the gate
    Delivered, // reported; the consumer accepts or contests
    Contested, // the provider disputes, or the accepted figure stands
    Disputed, //  an arbiter rules, or the middle stands
    Settled, //   paid; final
    Defaulted, // nothing was reported in time; final
    Released, //  given up before the gate; final
    Cancelled //  undone by both; final
}

using DealLib for DealTerms global;

library DealLib {
    /// @notice Packs a deal's terms; every value must fit its field.
    function make(
        uint256 id_,
        uint256 provider_,
        uint256 consumer_,
        uint256 asset_,
        uint256 slot_,
        uint256 quantity_
    ) internal pure returns (uint256 word0) {
        word0 = id_ << 196 | provider_ << 172 | consumer_ << 148 | asset_ << 124 | slot_ << 100 | quantity_ << 68;
    }

    /// @notice A deal's id from its place: class index, round, index in the clearing.
    function idOf(uint256 classIndex_, uint256 round_, uint256 index_) internal pure returns (uint256) {
        return classIndex_ << 48 | round_ << 16 | index_;
    }

    /// @notice Merkle leaf of the terms.
    function leaf(DealTerms memory t) internal pure returns (bytes32) {
        return keccak256(abi.encode(t.word0, t.word1, t.word2));
    }

    function id(DealTerms memory t) internal pure returns (uint64) {
        return uint64(t.word0 >> 196);
    }

    function classIndex(DealTerms memory t) internal pure returns (uint256) {
        return t.word0 >> 244;
    }

    function round(DealTerms memory t) internal pure returns (uint256) {
        return (t.word0 >> 212) & type(uint32).max;
    }

    function provider(DealTerms memory t) internal pure returns (uint24) {
        return uint24(t.word0 >> 172);
    }

    function consumer(DealTerms memory t) internal pure returns (uint24) {
        return uint24(t.word0 >> 148);
    }

    function asset(DealTerms memory t) internal pure returns (uint256) {
        return (t.word0 >> 124) & type(uint24).max;
    }

    function slot(DealTerms memory t) internal pure returns (uint256) {
        return (t.word0 >> 100) & type(uint24).max;
    }

    function quantity(DealTerms memory t) internal pure returns (uint256) {
        return (t.word0 >> 68) & type(uint32).max;
    }

    function price(DealTerms memory t) internal pure returns (uint256) {
        return t.word1 >> 184;
    }

    function bondPerUnit(DealTerms memory t) internal pure returns (uint256) {
        return (t.word1 >> 112) & type(uint72).max;
    }

    function offerId(DealTerms memory t) internal pure returns (uint256) {
        return t.word2 >> 216;
    }

    function requestId(DealTerms memory t) internal pure returns (uint256) {
        return (t.word2 >> 176) & type(uint40).max;
    }
}
