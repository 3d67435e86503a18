// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAssetRegistry} from "./interfaces/IAssetRegistry.sol";
import {ICapacityBook} from "./interfaces/ICapacityBook.sol";
import {IClearing} from "./interfaces/IClearing.sol";
import {ICreditLedger} from "./interfaces/ICreditLedger.sol";
import {IDeals} from "./interfaces/IDeals.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Allocation} from "./libraries/Allocation.sol";
import {Bond} from "./libraries/Bond.sol";
import {Certificate} from "./libraries/Certificate.sol";
import {Effects} from "./libraries/Effects.sol";
import {Listing} from "./libraries/Listing.sol";
import {SourceLib} from "./libraries/Sources.sol";
import {Wire} from "./libraries/Wire.sol";
import {Words} from "./libraries/Words.sol";
import {Deployment, Parameters} from "./types/Parameters.sol";

/// @title Clearing
/// @notice Takes an allocation of a market's standing orders, has it proven optimal and carries it out. Holds no state and no money.
/// @dev Trusts the other contracts of its deployment for what stands, who is suspended and what the class says; nothing of the
/// submission. It calls the others last, in one pass: the book, the vault, the credit ledger, the deals.
contract Clearing is IClearing {
    using Listing for Listing.Listed;

    /* IMMUTABLES */

    IMemberRegistry public immutable members;
    IAssetRegistry public immutable assets;
    ICapacityBook public immutable book;
    IDeals public immutable deals;
    IVault public immutable vault;
    ICreditLedger public immutable credit;
    uint256 public immutable roundLength; // R [s]
    uint256 public immutable bondRates; //   {Bond.pack}

    /* CONSTRUCTOR */

    constructor(Deployment memory d, Parameters memory p) {
        members = IMemberRegistry(d.members);
        assets = IAssetRegistry(d.assets);
        book = ICapacityBook(d.book);
        deals = IDeals(d.deals);
        vault = IVault(d.vault);
        credit = ICreditLedger(d.credit);
        roundLength = p.round;
        bondRates = Bond.pack(p.bondRates);
    }

    /* CLEARING */

    /// @inheritdoc IClearing
    function clear(uint32 class, uint32 round, Submission calldata submission) external returns (bytes32 root) {
        uint16 classIndex = assets.indexOf(class);
        uint256 standing = _requireOpen(class, classIndex, round);
        IAssetRegistry.Class memory terms = assets.getClass(classIndex);

        Listing.Listed memory listed = _list(submission, classIndex, round, terms, standing);
        bytes memory fills = submission.fills;
        Allocation.Bounds memory bounds = Allocation.bound(listed, fills);
        Words prices = Certificate.check(listed, bounds, submission, fills);
        Effects.Result memory result = Effects.ofFills(
            listed, prices, fills, Effects.Terms(classIndex, round, terms.reference_, bondRates)
        );
        root = result.root;

        _record(listed, bounds.partly, classIndex, round);
        _free(result);
        if (result.deals != 0) deals.commit(classIndex, round, root);

        emit MarketCleared(class, round, msg.sender, root, result.deals, listed.dead.toUint40Array());
        if (result.matched.length() == 0) return root;
        emit PricesSet(class, round, Effects.ofGroups(listed, bounds, prices).toArray());
        emit OrdersMatched(class, round, result.matched.toArray());
    }

    /* INTERNAL */

    /// @notice Requires the market to be clearable now.
    /// @return standing How many orders stand in it.
    function _requireOpen(uint32 class, uint16 classIndex, uint32 round) private view returns (uint256 standing) {
        ICapacityBook.Market memory market = book.marketOf(classIndex);
        require(classIndex == 0 || market.clearedRound != round, AlreadyCleared(class, round));
        require(classIndex != 0, UnknownClass(class));
        uint256 current = block.timestamp / roundLength;
        require(round == current, WrongRound(round, current));
        require(!book.isPaused(), ClearingPaused());
        standing = uint256(market.offers) + market.requests;
        if (market.freshRound == round) standing -= uint256(market.freshOffers) + market.freshRequests;
        require(standing != 0, NothingStanding(class));
    }

    /// @notice Reads all standing orders of the market as the submission lists them.
    function _list(
        Submission calldata submission,
        uint16 classIndex,
        uint32 round,
        IAssetRegistry.Class memory terms,
        uint256 standing
    ) private view returns (Listing.Listed memory listed) {
        Wire.requireWhole(submission);
        (listed.numbers, listed.states, listed.sources) =
            SourceLib.load(book, members, submission.batches, classIndex, round);
        // First slot k with (round + 1) * R + L <= k * S.
        uint256 opens = (uint256(round) + 1) * roundLength + terms.gateLead;
        uint256 firstOpen = (opens + terms.slotLength - 1) / terms.slotLength;
        listed.read(submission, firstOpen, standing);
    }

    /// @notice Has the book write what remains of the orders.
    function _record(Listing.Listed memory listed, uint256 partly, uint16 classIndex, uint32 round) private {
        (Words partlyIds, Words partlyLeft) = Effects.ofOrders(listed, partly);
        book.recordClearing(
            ICapacityBook.Cleared({
                classIndex: classIndex,
                round: round,
                batches: listed.numbers.toUint32Array(),
                states: listed.states.toArray(),
                partlyIds: partlyIds.toUint40Array(),
                partlyLeft: partlyLeft.toUint32Array(),
                dead: listed.dead.toUint40Array()
            })
        );
    }

    /// @notice Frees the consumers' money beyond the prices, and the money and open value of netted fills.
    function _free(Effects.Result memory result) private {
        if (result.movements.length() != 0) vault.release(result.movements.toMovements());
        if (result.closed.length() != 0) {
            credit.close(result.closed.toUint24Array(), result.closedValues.toArray());
        }
    }
}
