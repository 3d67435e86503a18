// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice Every number of a deployment that is not a class's. Fixed for ever at construction; emitted once by {ICapacityBook}.
struct Parameters {
    uint32 round; //           R, length of a round [s]
    uint32 lock; //            W, how long standing orders are locked after a round's start [s], W < R
    uint32 horizon; //         how far ahead a slot may be posted [s]
    uint32 moveDelay; //       from the vote on an account's move to its effect [s]
    uint32 proposalLife; //    how long a council proposal can be voted on and executed [s]
    uint32 deliverWithin; //   D, from the slot's end [s]
    uint32 acceptWithin; //    A, from the report [s]
    uint32 answerWithin; //    O, from the contest [s]
    uint32 ruleWithin; //      J, from the dispute [s]
    uint32 goodHalfLife; //    H [s]
    uint32 badHalfLife; //     Hbad [s]
    uint16 disputeRate; //     bond of a contest or dispute [1/10,000 of the amount in question]
    uint16[8] bondRates; //    bond of an offer by declared credit [1/10,000]
    uint16[8] ratios; //       good needed per bad, by band
    uint112[8] thresholds; //  good needed, by band [token base units]
    uint112 counterpartyCap; // C, most good that one counterparty's owner group adds [token base units]
    uint112 newcomerCap; //    most open value in band 0 [token base units]
}

/// @notice Addresses of one deployment; each contract keeps the ones it calls or obeys.
struct Deployment {
    address council;
    address members;
    address assets;
    address book;
    address clearing;
    address deals;
    address vault;
    address credit;
    address token;
}
