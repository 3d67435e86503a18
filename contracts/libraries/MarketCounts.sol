// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {ICapacityBook} from "../interfaces/ICapacityBook.sol";
import {Batch, Side} from "../types/Batch.sol";
import {Bits} from "./Bits.sol";

/// @title MarketCounts
/// @notice How many live orders each market, owner group and member has. Knows no order.
/// @dev These bounds keep the worst book clearable in one block, and no owner group alone can crowd a market out.
library MarketCounts {
    using Bits for uint256;

    // Orders a side that an owner group may hold however full the side is.
    uint256 private constant SHARE_FLOOR = 20;

    struct Counts {
        mapping(uint256 classIndex => ICapacityBook.Market) markets;
        // Eight owner groups a word, 32 bits each: offers 16 low, requests 16 high.
        mapping(uint256 classIndex => mapping(uint256 word => uint256)) held;
        // Eight members a word, 32 bits each.
        mapping(uint256 word => uint256) live;
    }

    /// @notice Counts a batch in, if its side has room for it and the owner group's share allows.
    /// @param most Orders a side of the market.
    function countIn(Counts storage self, Batch state, uint32 class, uint256 most) internal {
        ICapacityBook.Market storage market = self.markets[state.classIndex()];
        mapping(uint256 word => uint256) storage held = self.held[state.classIndex()];
        (Side side, uint256 group, uint256 count) = (state.side(), state.group(), state.count());
        uint256 total = side == Side.Offer ? market.offers : market.requests;
        require(total + count <= most, ICapacityBook.SideFull(class, side, total, count, most));
        uint256 word = held[group >> 3];
        uint256 share = _ofSide(word.lane(group), side) + count;
        uint256 free = most - total - count;
        require(
            share <= SHARE_FLOOR || share <= free,
            ICapacityBook.ShareExceeded(class, side, uint24(group), share, free)
        );

        held[group >> 3] = word.raise(group, count << _shift(side));
        self.live[state.member() >> 3] = self.live[state.member() >> 3].raise(state.member(), count);
        if (market.freshRound != state.round()) {
            (market.freshOffers, market.freshRequests, market.freshRound) = (0, 0, uint32(state.round()));
        }
        if (side == Side.Offer) {
            market.offers += uint16(count);
            market.freshOffers += uint16(count);
        } else {
            market.requests += uint16(count);
            market.freshRequests += uint16(count);
        }
    }

    /// @notice Counts one order of a batch out.
    function countOut(Counts storage self, Batch state, uint256 currentRound) internal {
        countOutHolder(self, state, 1);
        ICapacityBook.Market storage market = self.markets[state.classIndex()];
        // A round's fresh counts are forgotten when it ends.
        bool isFresh = state.round() == currentRound;
        if (state.side() == Side.Offer) {
            --market.offers;
            if (isFresh) --market.freshOffers;
        } else {
            --market.requests;
            if (isFresh) --market.freshRequests;
        }
    }

    /// @notice Counts standing orders out of a market that was cleared in `round`, by side.
    function countOutMarket(Counts storage self, uint256 classIndex, uint256[2] memory gone, uint32 round) internal {
        ICapacityBook.Market storage market = self.markets[classIndex];
        market.offers -= uint16(gone[uint256(Side.Offer)]);
        market.requests -= uint16(gone[uint256(Side.Request)]);
        market.clearedRound = round;
    }

    /// @notice Counts `count` orders of a batch out of what its member and owner group hold, not out of the market.
    function countOutHolder(Counts storage self, Batch state, uint256 count) internal {
        (uint256 group, uint256 member) = (state.group(), state.member());
        mapping(uint256 word => uint256) storage held = self.held[state.classIndex()];
        held[group >> 3] = held[group >> 3].lower(group, count << _shift(state.side()));
        self.live[member >> 3] = self.live[member >> 3].lower(member, count);
    }

    /// @notice Live orders of an owner group on one side of a market.
    function heldBy(Counts storage self, uint256 classIndex, uint256 group, Side side)
        internal
        view
        returns (uint256)
    {
        return _ofSide(self.held[classIndex][group >> 3].lane(group), side);
    }

    function _ofSide(uint256 lane, Side side) private pure returns (uint256) {
        return (lane >> _shift(side)) & type(uint16).max;
    }

    function _shift(Side side) private pure returns (uint256) {
        return side == Side.Offer ? 0 : 16;
    }
}
