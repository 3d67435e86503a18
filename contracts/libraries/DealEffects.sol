// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {ICreditLedger} from "../interfaces/ICreditLedger.sol";
import {DealTerms} from "../types/Deal.sol";
import {Movement, MovementLib} from "../types/Movement.sol";
import {Payout} from "./Settlement.sol";

/// @notice What a call's final deals do to the vault, the credit ledger and the asset registry, gathered for one call each.
struct DealEffects {
    Movement[] movements; // at most four a deal
    uint256 movementCount;
    ICreditLedger.Outcome[] outcomes; // one a deal
    uint256 outcomeCount;
    uint256[] freed; // capacity given back: asset 24 << 56 | slot 24 << 32 | quantity 32
    uint256 freedCount;
}

using DealEffectsLib for DealEffects global;

/// @title DealEffectsLib
/// @notice Gathers effects in memory. Calls nobody.
library DealEffectsLib {
    /// @notice Room for `deals` final deals.
    function make(uint256 deals) internal pure returns (DealEffects memory effects) {
        effects.movements = new Movement[](deals * 4);
        effects.outcomes = new ICreditLedger.Outcome[](deals);
        effects.freed = new uint256[](deals);
    }

    /// @notice Adds one deal's payout; `openValue` falls from the provider's open value.
    function add(DealEffects memory effects, DealTerms memory terms, Payout memory payout, uint256 openValue)
        internal
        pure
    {
        uint24 provider = terms.provider();
        uint24 consumer = terms.consumer();
        _move(effects, consumer, provider, payout.earned);
        _move(effects, consumer, consumer, payout.refunded);
        _move(effects, provider, provider, payout.returned);
        _move(effects, provider, consumer, payout.forfeited);
        effects.outcomes[effects.outcomeCount++] = ICreditLedger.Outcome({
            provider: provider,
            consumer: consumer,
            providerGood: uint128(payout.providerGood),
            providerBad: uint128(payout.providerBad),
            consumerGood: uint128(payout.consumerGood),
            consumerBad: uint128(payout.consumerBad),
            openValue: uint128(openValue)
        });
    }

    /// @notice Gives the deal's capacity back.
    function free(DealEffects memory effects, DealTerms memory terms) internal pure {
        effects.freed[effects.freedCount++] = terms.asset() << 56 | terms.slot() << 32 | terms.quantity();
    }

    /// @notice Cuts the lists to what was added.
    function trim(DealEffects memory effects) internal pure {
        Movement[] memory movements = effects.movements;
        ICreditLedger.Outcome[] memory outcomes = effects.outcomes;
        uint256[] memory freed = effects.freed;
        (uint256 m, uint256 o, uint256 f) = (effects.movementCount, effects.outcomeCount, effects.freedCount);
        // Shortens the arrays that {make} reserved, in place; Solidity has no other way.
        assembly ("memory-safe") {
            mstore(movements, m)
            mstore(outcomes, o)
            mstore(freed, f)
        }
    }

    function _move(DealEffects memory effects, uint256 from, uint256 to, uint256 amount) private pure {
        if (amount != 0) effects.movements[effects.movementCount++] = MovementLib.make(from, to, amount);
    }
}
