// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {ICreditLedger} from "../interfaces/ICreditLedger.sol";
import {DealTerms} from "../types/Deal.sol";
import {Movement, MovementLib} from "../types/Movement.sol";
import {Payout, Settlement} from "./Settlement.sol";

/// @notice What a call's final deals do to the vault, the credit ledger and the asset registry, gathered for one call each.
/// @dev A run of deals between the same two parties is one outcome and at most four movements: sums of what its deals would
/// do one by one. Credit is capped and rounded alike either way, since all of it happens in one block.
struct DealEffects {
    Movement[] movements; // at most four a run
    uint256 movementCount;
    ICreditLedger.Outcome[] outcomes; // one a run
    uint256 outcomeCount;
    uint256[] freed; // capacity given back: asset 24 << 56 | slot 24 << 32 | quantity 32
    uint256 freedCount;
    uint24 provider; // of the run being added up; zero: none
    uint24 consumer;
    uint256 openValue; // falls from the provider's
    Payout run;
}

using DealEffectsLib for DealEffects global;

/// @title DealEffectsLib
/// @notice Gathers effects in memory. Calls nobody.
library DealEffectsLib {
    using Settlement for Payout;

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
        if (effects.provider != terms.provider() || effects.consumer != terms.consumer()) {
            _endRun(effects);
            effects.provider = terms.provider();
            effects.consumer = terms.consumer();
            effects.openValue = openValue;
            effects.run = payout;
        } else {
            effects.openValue += openValue;
            effects.run.increase(payout);
        }
    }

    /// @notice Gives the deal's capacity back.
    function free(DealEffects memory effects, DealTerms memory terms) internal pure {
        effects.freed[effects.freedCount++] = terms.asset() << 56 | terms.slot() << 32 | terms.quantity();
    }

    /// @notice Completes the lists and cuts them to what was added.
    function close(DealEffects memory effects) internal pure {
        _endRun(effects);
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

    function _endRun(DealEffects memory effects) private pure {
        (uint24 provider, uint24 consumer, Payout memory run) = (effects.provider, effects.consumer, effects.run);
        if (provider == 0) return;
        _move(effects, consumer, provider, run.earned);
        _move(effects, consumer, consumer, run.refunded);
        _move(effects, provider, provider, run.returned);
        _move(effects, provider, consumer, run.forfeited);
        effects.outcomes[effects.outcomeCount++] = ICreditLedger.Outcome({
            provider: provider,
            consumer: consumer,
            providerGood: uint128(run.providerGood),
            providerBad: uint128(run.providerBad),
            consumerGood: uint128(run.consumerGood),
            consumerBad: uint128(run.consumerBad),
            openValue: uint128(effects.openValue)
        });
    }

    function _move(DealEffects memory effects, uint256 from, uint256 to, uint256 amount) private pure {
        if (amount != 0) effects.movements[effects.movementCount++] = MovementLib.make(from, to, amount);
    }
}
