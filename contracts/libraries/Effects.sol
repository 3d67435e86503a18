// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {Batch} from "../types/Batch.sol";
import {DealLib} from "../types/Deal.sol";
import {Movement, MovementLib} from "../types/Movement.sol";
import {Allocation} from "./Allocation.sol";
import {Bond} from "./Bond.sol";
import {Commitment} from "./Commitment.sol";
import {Entry} from "./Entry.sol";
import {Key} from "./Key.sol";
import {Listing} from "./Listing.sol";
import {Wire} from "./Wire.sol";
import {Words, WordsLib} from "./Words.sol";

/// @title Effects
/// @notice What a proven allocation does: deals, money and open value to free, what is left of orders. Pure: does none of it.
library Effects {
    using Wire for bytes;

    /// @notice What the fills are valued with.
    struct Terms {
        uint256 classIndex;
        uint256 round;
        uint256 reference_; // [token base units per capacity unit]
        uint256 rates; //      {Bond.pack}
    }

    /// @notice What the fills come to. Money and value are summed over each run of fills of one consumer.
    struct Result {
        Words matched; //      one word a fill, as in {IClearing.OrdersMatched}
        uint256 deals; //      how many
        bytes32 root; //       {Commitment} over them, zero if none
        Words movements; //    {Movement} each: the consumers' money that comes free
        Words closed; //       members whose open value falls
        Words closedValues; // by how much [token base units]
    }

    /// @notice A run of fills of one consumer.
    struct Run {
        uint256 member;
        uint256 amount; //    [token base units]
        uint256 value; //     [token base units]
        uint256 movements; // written so far
        uint256 closed; //    written so far
    }

    /// @notice Values the fills, first to last.
    function ofFills(Listing.Listed memory listed, Words prices, bytes memory fills, Terms memory terms)
        internal
        pure
        returns (Result memory result)
    {
        uint256 count = fills.length / Wire.FILL;
        Run memory run;
        result.matched = WordsLib.make(count);
        result.movements = WordsLib.make(count);
        result.closed = WordsLib.make(count);
        result.closedValues = WordsLib.make(count);
        Words leaves = WordsLib.make(count); // of the deals, in fill order
        // Unchecked: an amount has 104 bits, and there are at most 65,536 fills.
        unchecked {
            for (uint256 k; k < count; ++k) {
                uint256 fill = fills.uint64At(k);
                Entry offer = Entry.wrap(listed.offers.get((fill >> 32) & type(uint16).max));
                Entry request = Entry.wrap(listed.requests.get(fill >> 48));
                uint256 quantity = fill & type(uint32).max;
                uint256 price = prices.get(offer.group());
                result.matched.set(k, offer.offerId() << 144 | request.requestId() << 104 | quantity << 72 | price);

                uint256 consumer = request.member();
                if (consumer != run.member) _endRun(result, run, consumer);
                Key group = Key.wrap(listed.groups.get(offer.group()));
                uint256 bond = Bond.perUnit(offer.price(), terms.reference_, terms.rates, group.credit());
                if (offer.member() == consumer) {
                    run.amount += quantity * (request.price() + bond);
                    run.value += quantity * terms.reference_;
                } else {
                    run.amount += quantity * (request.price() - price);
                    leaves.set(
                        result.deals, _leafOf(offer, request, terms, result.deals, group.slot(), quantity, price, bond)
                    );
                    ++result.deals;
                }
            }
        }
        _endRun(result, run, 0);
        result.root = Commitment.root(leaves, result.deals);
        // Last taken first, so that what is not used is free again.
        leaves.discard();
        result.closedValues.truncate(run.closed);
        result.closed.truncate(run.closed);
        result.movements.truncate(run.movements);
    }

    /// @notice Prices of the groups that traded, as {IClearing.PricesSet} lists them.
    function ofGroups(Listing.Listed memory listed, Allocation.Bounds memory bounds, Words prices)
        internal
        pure
        returns (Words words)
    {
        uint256 groups = listed.groups.length();
        Words traded = WordsLib.make(groups);
        uint256 count = listed.offers.length();
        for (uint256 i; i < count; ++i) {
            Entry offer = Entry.wrap(listed.offers.get(i));
            if (offer.isFilled()) traded.set(offer.group(), 1);
        }
        words = WordsLib.make(2 * groups);
        uint256 used;
        unchecked {
            for (uint256 g; g < groups; ++g) {
                if (traded.get(g) == 0) continue;
                Key key = Key.wrap(listed.groups.get(g));
                words.set(used++, key.slot() << 144 | key.attributes() << 80 | key.credit() << 72 | prices.get(g));
                words.set(used++, bounds.low.get(g) << 128 | bounds.high.get(g));
            }
        }
        words.truncate(used);
    }

    /// @notice What the fills leave of the orders: marks gone and partly filled ones in the states of their batches.
    /// @param partly How many are partly filled.
    function ofOrders(Listing.Listed memory listed, uint256 partly)
        internal
        pure
        returns (Words partlyIds, Words partlyLeft)
    {
        partlyIds = WordsLib.make(partly);
        partlyLeft = WordsLib.make(partly);
        uint256 used = _retire(listed.offers, true, listed.states, partlyIds, partlyLeft, 0);
        _retire(listed.requests, false, listed.states, partlyIds, partlyLeft, used);
    }

    function _retire(Words entries, bool areOffers, Words states, Words ids, Words left, uint256 used)
        private
        pure
        returns (uint256)
    {
        uint256 count = entries.length();
        for (uint256 x; x < count; ++x) {
            Entry entry = Entry.wrap(entries.get(x));
            if (!entry.isFilled()) continue;
            uint256 id = areOffers ? entry.offerId() : entry.requestId();
            Batch state = Batch.wrap(states.get(entry.batch()));
            if (entry.left() == 0) {
                state = state.withGone(id & 63);
            } else {
                state = state.withPartly(id & 63);
                ids.set(used, id);
                left.set(used, entry.left());
                ++used;
            }
            states.set(entry.batch(), Batch.unwrap(state));
        }
        return used;
    }

    /// @notice Writes what a run came to, if anything, and starts the next member's.
    function _endRun(Result memory result, Run memory run, uint256 next) private pure {
        if (run.amount != 0) {
            result.movements.set(
                run.movements++, uint256(Movement.unwrap(MovementLib.make(run.member, run.member, run.amount)))
            );
        }
        if (run.value != 0) {
            result.closed.set(run.closed, run.member);
            result.closedValues.set(run.closed++, run.value);
        }
        run.member = next;
        run.amount = 0;
        run.value = 0;
    }

    function _leafOf(
        Entry offer,
        Entry request,
        Terms memory terms,
        uint256 index,
        uint256 slot,
        uint256 quantity,
        uint256 price,
        uint256 bond
    ) private pure returns (uint256) {
        uint256 id = DealLib.idOf(terms.classIndex, terms.round, index);
        return Commitment.leaf(
            DealLib.make(id, offer.member(), request.member(), offer.asset(), slot, quantity),
            price << 184 | bond << 112,
            offer.offerId() << 216 | request.requestId() << 176
        );
    }
}
