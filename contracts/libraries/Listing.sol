// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {IClearing} from "../interfaces/IClearing.sol";
import {Order} from "../types/Order.sol";
import {Entry, EntryLib} from "./Entry.sol";
import {Key, KeyLib} from "./Key.sol";
import {Source} from "./Sources.sol";
import {Wire} from "./Wire.sol";
import {Words, WordsLib} from "./Words.sol";

/// @title Listing
/// @notice Reads the orders that a submission lists, by group and kind, and proves them to be all that stand. Knows no fills.
/// @dev Groups and kinds ascend strictly by key, and ids inside each: so no order is listed twice. Every order listed
/// stands. So an equal count means that every standing order is listed. Keys come from the book, never from the sender.
library Listing {
    using Wire for bytes;

    // {Side} as a number.
    uint256 private constant OFFER = 0;
    uint256 private constant REQUEST = 1;

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

    /// @notice What reading one side works with.
    struct Reading {
        uint256 side;
        Words sources;
        uint256 firstOpen; // first slot that is open in the round
        Words entries; //     read so far
        Words keys; //        read so far
    }

    /// @notice Reads the lists of orders into `listed`, whose batches are loaded.
    /// @param firstOpen First slot that is open in the round.
    /// @param standing How many orders stand in the market.
    function read(Listed memory listed, IClearing.Submission calldata s, uint256 firstOpen, uint256 standing)
        internal
        pure
    {
        (listed.offers, listed.groups) = _readSide(listed.sources, OFFER, firstOpen, s.offers, s.groups);
        (listed.requests, listed.kinds) = _readSide(listed.sources, REQUEST, firstOpen, s.requests, s.kinds);
        listed.dead = _readDead(listed.sources, firstOpen, s.dead);

        uint256 count = listed.offers.length() + listed.requests.length() + listed.dead.length();
        require(count == standing, IClearing.Incomplete(count, standing));
    }

    /// @notice Reads the living orders of one side, part by part (group or kind).
    function _readSide(
        Words sources,
        uint256 side,
        uint256 firstOpen,
        bytes memory list,
        bytes calldata counts
    ) private pure returns (Words entries, Words keys) {
        entries = WordsLib.make(list.length / Wire.PLACE);
        keys = WordsLib.make(counts.length / Wire.COUNT);
        Reading memory reading = Reading(side, sources, firstOpen, entries, keys);
        uint256 parts = keys.length();
        uint256 start;
        // Unchecked: positions and counts are far below 2**256.
        unchecked {
            for (uint256 part; part < parts; ++part) {
                uint256 end = start + counts.uint16At(part);
                require(end != start, IClearing.Malformed(side == OFFER ? bytes32("groups") : bytes32("kinds"), part));
                _readPart(reading, list, start, end, part);
                start = end;
            }
        }
    }

    /// @notice Reads the orders `start` to `end` of a list, which make up one group or kind.
    /// @dev `if` instead of `require`, which works the values out for every order; every gas here is paid 2,000 times.
    function _readPart(Reading memory reading, bytes memory list, uint256 start, uint256 end, uint256 part)
        private
        pure
    {
        Words sources = reading.sources;
        Words entries = reading.entries;
        uint256 side = reading.side;
        uint256 keyBits = side == OFFER ? KeyLib.OFFER_BITS : KeyLib.REQUEST_BITS;
        uint256 shared; // key bits of the part's orders
        uint256 previous; // id; all ids are above 0
        for (uint256 position = start; position < end; ++position) {
            uint256 place = list.uint24At(position);
            if (place >> 8 >= sources.length()) _revertMalformed(side, position);
            Source source = Source.wrap(sources.get(place >> 8));
            uint256 id = source.idAt(place & 0xff);
            if (!source.isLive(place & 0xff, side)) revert IClearing.OrderNotStanding(uint40(id));
            if (id <= previous) revert IClearing.OrdersUnsorted(uint40(id));
            previous = id;

            Order order = source.orderAt(place & 0xff);
            uint256 bits = Order.unwrap(order) & keyBits;
            if (position == start) {
                shared = bits;
                _startPart(reading, KeyLib.make(bits), part, id);
            }
            if (bits != shared) revert IClearing.WrongGroup(uint40(id));
            if (source.isSuspended()) revert IClearing.OrderDead(uint40(id));
            Entry entry = side == OFFER
                ? EntryLib.ofOffer(order, id, source.origin(), part)
                : EntryLib.ofRequest(order, id, source.origin(), part);
            entries.set(position, Entry.unwrap(entry));
        }
    }

    /// @notice Keeps the key of a group or kind: above the one before, with an open slot.
    /// @param id Of its first order.
    function _startPart(Reading memory reading, Key key, uint256 part, uint256 id) private pure {
        if (part != 0 && Key.unwrap(key) <= reading.keys.get(part - 1)) {
            if (reading.side == OFFER) revert IClearing.GroupsUnsorted(part);
            revert IClearing.KindsUnsorted(part);
        }
        require(key.lastSlot() >= reading.firstOpen, IClearing.OrderDead(uint40(id)));
        reading.keys.set(part, Key.unwrap(key));
    }

    /// @notice Reads the dead orders of both sides: no slot of theirs is open, or their member is suspended.
    function _readDead(Words sources, uint256 firstOpen, bytes memory list) private pure returns (Words dead) {
        uint256 count = list.length / Wire.PLACE;
        dead = WordsLib.make(count);
        uint256 previous;
        for (uint256 position; position < count; ++position) {
            uint256 place = list.uint24At(position);
            require(place >> 8 < sources.length(), IClearing.Malformed("dead", position));
            Source source = Source.wrap(sources.get(place >> 8));
            uint256 id = source.idAt(place & 0xff);
            require(source.isLive(place & 0xff, source.side()), IClearing.OrderNotStanding(uint40(id)));
            require(id > previous, IClearing.OrdersUnsorted(uint40(id)));
            previous = id;

            uint256 keyBits = source.side() == OFFER ? KeyLib.OFFER_BITS : KeyLib.REQUEST_BITS;
            Key key = KeyLib.make(Order.unwrap(source.orderAt(place & 0xff)) & keyBits);
            require(source.isSuspended() || key.lastSlot() < firstOpen, IClearing.OrderAlive(uint40(id)));
            dead.set(position, id);
        }
    }

    function _revertMalformed(uint256 side, uint256 position) private pure {
        revert IClearing.Malformed(side == OFFER ? bytes32("offers") : bytes32("requests"), position);
    }
}
