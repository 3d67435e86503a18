// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {DealTerms} from "../types/Deal.sol";

/// @notice Where the locked money of final deals goes and what they say of the parties [token base units].
/// @dev The provider's lock is `returned + forfeited`, the consumer's `earned + refunded`: nothing is left and nothing made.
struct Payout {
    uint256 earned; //       consumer to provider
    uint256 refunded; //     consumer to consumer
    uint256 returned; //     provider to provider
    uint256 forfeited; //    provider to consumer
    uint256 providerGood; // credit
    uint256 providerBad;
    uint256 consumerGood;
    uint256 consumerBad;
}

/// @title Settlement
/// @notice Computes a deal's payouts and bonds. Pure: knows no state, no clock and no vault.
/// @dev Quantities are < 2**32 and prices < 2**72, so a deal's amounts are < 2**106 and their sums < 2**128.
library Settlement {
    // Rates are in 1/10,000.
    uint256 internal constant RATE_BASE = 10_000;

    /// @notice Pays for `quantity` delivered; the bond of the rest goes to the consumer. Zero is a default.
    function paid(DealTerms memory terms, uint256 quantity) internal pure returns (Payout memory payout) {
        uint256 missing = terms.quantity() - quantity;
        payout.earned = quantity * terms.price();
        payout.refunded = missing * terms.price();
        payout.returned = quantity * terms.bondPerUnit();
        payout.forfeited = missing * terms.bondPerUnit();
        payout.providerGood = payout.earned;
        payout.providerBad = payout.refunded;
    }

    /// @notice Pays as ruled: whose figure is farther from `quantity` loses `bond`, its dispute bond, to the other.
    function ruled(DealTerms memory terms, uint256 reported, uint256 accepted, uint256 quantity, uint256 bond)
        internal
        pure
        returns (Payout memory payout)
    {
        payout = paid(terms, quantity);
        uint256 aboveAccepted = quantity - accepted;
        uint256 belowReported = reported - quantity;
        if (aboveAccepted > belowReported) {
            payout.earned += bond;
            payout.consumerBad = aboveAccepted * terms.price();
        } else {
            payout.refunded += bond;
        }
        if (belowReported > aboveAccepted) payout.forfeited += bond;
        else payout.returned += bond;
    }

    /// @notice Half of the bond, rounded up, for a deal given up before its gate.
    function givenUp(DealTerms memory terms) internal pure returns (Payout memory payout) {
        uint256 bond = terms.quantity() * terms.bondPerUnit();
        uint256 value = terms.quantity() * terms.price();
        payout.refunded = value;
        payout.forfeited = Math.ceilDiv(bond, 2);
        payout.returned = bond - payout.forfeited;
        payout.providerBad = Math.ceilDiv(value, 2);
    }

    /// @notice Everything returned, nobody's credit touched.
    function undone(DealTerms memory terms) internal pure returns (Payout memory payout) {
        payout.refunded = terms.quantity() * terms.price();
        payout.returned = terms.quantity() * terms.bondPerUnit();
    }

    /// @notice Adds `more` to a payout between the same parties.
    function increase(Payout memory payout, Payout memory more) internal pure {
        payout.earned += more.earned;
        payout.refunded += more.refunded;
        payout.returned += more.returned;
        payout.forfeited += more.forfeited;
        payout.providerGood += more.providerGood;
        payout.providerBad += more.providerBad;
        payout.consumerGood += more.consumerGood;
        payout.consumerBad += more.consumerBad;
    }

    /// @notice What contesting or disputing locks: `rate` of the amount in question, rounded up.
    function disputeBond(DealTerms memory terms, uint256 reported, uint256 accepted, uint256 rate)
        internal
        pure
        returns (uint256)
    {
        return Math.ceilDiv((reported - accepted) * terms.price() * rate, RATE_BASE);
    }
}
