// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {IClearing} from "../interfaces/IClearing.sol";
import {Side} from "../types/Batch.sol";
import {Order} from "../types/Order.sol";
import {Entry, EntryLib} from "./Entry.sol";
import {Key, KeyLib} from "./Key.sol";
import {Source} from "./Sources.sol";
import {Wire} from "./Wire.sol";
import {Words, WordsLib} from "./Words.sol";

/// @title Listing
/// @notice Reads the orders that a submission lists, by group and by kind, and proves them to be all that stand. Knows no fills.
/// @dev Groups and kinds ascend strictly by key, and ids inside each: so no order is listed twice. Every order listed stands.
/// So an equal count means that every standing order is listed. Keys are read from the book, never taken from the sender.
library Listing {
    using Wire for bytes;

    /// @notice All standing orders of a market, in the order of the submission's lists.
    struct Listed {
        Words numbers; //  of the listed batches
        Words states; //   {Batch} of each listed batch
        Words sources; //  {Source} of each listed batch
        Words offers; //   {Entry} each, by group
        Words groups; //   {Key} each, ascending
        Words requests; // {Entry} each, by kind
        Words kinds; //    {Key} each, ascending
        Words dead; //     ids, ascending
    }

    /// @notice Reads the lists of orders into `listed`, whose batches are loaded.
    /// @param firstOpen First slot that is open in the round.
    /// @param standing How many orders stand in the market.
    function read(Listed memory listed, IClearing.Submission calldata s, uint256 firstOpen, uint256 standing)
        internal
        pure
    {
        Words sources = listed.sources;
        (listed.offers, listed.groups) = _readSide(sources, Side.Offer, s.offers, s.groups, firstOpen);
        (listed.requests, listed.kinds) = _readSide(sources, Side.Request, s.requests, s.kinds, firstOpen);
        listed.dead = _readDead(sources, s.dead, firstOpen);

        uint256 count = listed.offers.length() + listed.requests.length() + listed.dead.length();
        require(count == standing, IClearing.Incomplete(count, standing));
    }

    /// @notice Reads the living orders of one side, part by part (group or kind).
    function _readSide(
        Words sources,
        Side side,
        bytes calldata list,
        bytes calldata counts,
        uint256 firstOpen
    ) private pure returns (Words entries, Words keys) {
        entries = WordsLib.make(list.length / Wire.PLACE);
        keys = WordsLib.make(counts.length / Wire.COUNT);
        uint256 parts = keys.length();
        uint256 start;
        // Unchecked: positions and counts are far below 2**256.
        unchecked {
            for (uint256 part; part < parts; ++part) {
                uint256 end = start + counts.uint16At(part);
                require(end != start, IClearing.Malformed(side == Side.Offer ? bytes32("groups") : bytes32("kinds"), part));
                _readPart(sources, side, list, start, end, firstOpen, part, entries, keys);
                start = end;
            }
        }
    }

    /// @notice Reads the orders `start` to `end` of a list, which make up one group or kind.
    function _readPart(
        Words sources,
        Side side,
        bytes calldata list,
        uint256 start,
        uint256 end,
        uint256 firstOpen,
        uint256 part,
        Words entries,
        Words keys
    ) private pure {
        uint256 first;
        uint256 previous;
        for (uint256 position = start; position < end; ++position) {
            uint256 place = list.uint24At(position);
            Source source = _sourceOf(sources, place, side, position);
            uint256 id = source.idAt(place & 0xff);
            require(source.isLive(place & 0xff, uint256(side)), IClearing.OrderNotStanding(uint40(id)));
            require(position == start || id > previous, IClearing.OrdersUnsorted(uint40(id)));
            previous = id;

            Order order = source.orderAt(place & 0xff);
            Key key = KeyLib.make(order, side);
            if (position == start) {
                first = Key.unwrap(key);
                _setKey(keys, side, part, first);
                require(key.lastSlot() >= firstOpen, IClearing.OrderDead(uint40(id)));
            }
            require(Key.unwrap(key) == first, IClearing.WrongGroup(uint40(id)));
            require(!source.isSuspended(), IClearing.OrderDead(uint40(id)));
            entries.set(position, Entry.unwrap(EntryLib.make(order, side, id, source.member(), place >> 8, part)));
        }
    }

    function _readDead(Words sources, bytes calldata list, uint256 firstOpen) private pure returns (Words dead) {
        uint256 count = list.length / Wire.PLACE;
        dead = WordsLib.make(count);
        uint256 previous;
        for (uint256 position; position < count; ++position) {
            uint256 place = list.uint24At(position);
            require(place >> 8 < sources.length(), IClearing.Malformed("dead", position));
            Source source = Source.wrap(sources.get(place >> 8));
            uint256 id = source.idAt(place & 0xff);
            require(source.isLive(place & 0xff, source.side()), IClearing.OrderNotStanding(uint40(id)));
            require(position == 0 || id > previous, IClearing.OrdersUnsorted(uint40(id)));
            previous = id;

            Key key = KeyLib.make(source.orderAt(place & 0xff), Side(source.side()));
            require(source.isSuspended() || key.lastSlot() < firstOpen, IClearing.OrderAlive(uint40(id)));
            dead.set(position, id);
        }
    }

    function _sourceOf(Words sources, uint256 place, Side side, uint256 position) private pure returns (Source) {
        if (place >> 8 >= sources.length()) {
            revert IClearing.Malformed(side == Side.Offer ? bytes32("offers") : bytes32("requests"), position);
        }
        return Source.wrap(sources.get(place >> 8));
    }

    /// @notice Keeps the key of a group or kind, which must be above the one before.
    function _setKey(Words keys, Side side, uint256 part, uint256 key) private pure {
        if (part != 0 && key <= keys.get(part - 1)) {
            if (side == Side.Offer) revert IClearing.GroupsUnsorted(part);
            revert IClearing.KindsUnsorted(part);
        }
        keys.set(part, key);
    }
}
