// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {IAssetRegistry} from "./interfaces/IAssetRegistry.sol";
import {ICreditLedger} from "./interfaces/ICreditLedger.sol";
import {IDeals} from "./interfaces/IDeals.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";
import {DealEffects} from "./libraries/DealEffects.sol";
import {Payout, Settlement} from "./libraries/Settlement.sol";
import {DealState, DealTerms} from "./types/Deal.sol";
import {Deployment, Parameters} from "./types/Parameters.sol";
import {SCOPE_OPERATE} from "./types/Rights.sol";

/// @title DealStore
/// @notice What {Deals} stores, how it is read, and the steps its verbs share. Decides no transition.
abstract contract DealStore is IDeals {
    using Settlement for DealTerms;

    /* IMMUTABLES */

    IMemberRegistry public immutable members;
    IAssetRegistry public immutable assets;
    address public immutable clearing;
    IVault public immutable vault;
    ICreditLedger public immutable credit;
    uint256 public immutable deliverWithin; // D [s]
    uint256 public immutable acceptWithin; //  A [s]
    uint256 public immutable answerWithin; //  O [s]
    uint256 public immutable ruleWithin; //    J [s]
    uint256 public immutable disputeRate; //   [1/10,000]

    /* STORAGE */

    mapping(uint64 deal => Progress) internal _progress;

    /// @inheritdoc IDeals
    mapping(uint16 classIndex => mapping(uint32 round => bytes32)) public rootOf;

    /// @dev What one call has looked up already, in memory; and what its final deals do.
    struct Call {
        uint256 classIndex; // of the fields below; zero: none yet
        uint256 slotLength; // S [s]
        uint256 gateLead; //   L [s]
        uint256 reference_; // [token base units per capacity unit]
        uint24 party; //       whose operate key the sender is; zero: not checked yet
        uint256 toLock; //     by the party, at the call's end
        DealEffects effects;
    }

    /* CONSTRUCTOR */

    constructor(Deployment memory d, Parameters memory p) {
        members = IMemberRegistry(d.members);
        assets = IAssetRegistry(d.assets);
        clearing = d.clearing;
        vault = IVault(d.vault);
        credit = ICreditLedger(d.credit);
        deliverWithin = p.deliverWithin;
        acceptWithin = p.acceptWithin;
        answerWithin = p.answerWithin;
        ruleWithin = p.ruleWithin;
        disputeRate = p.disputeRate;
    }

    /* VIEWS */

    /// @inheritdoc IDeals
    function progressOf(uint64 deal) external view returns (Progress memory) {
        return _progress[deal];
    }

    /// @inheritdoc IDeals
    function isProven(Reference calldata deal) external view returns (bool) {
        return _isProven(deal.terms, deal.proof);
    }

    /* INTERNAL: CHECKS */

    /// @dev `entries` and `more` are the lengths of the lists that go with the deals.
    function _requireLengths(uint256 deals, uint256 entries, uint256 more) internal pure {
        require(deals != 0, EmptyList());
        require(entries == deals, ListLengths(deals, entries));
        require(more == deals, ListLengths(deals, more));
    }

    function _requireInTime(uint64 id, uint256 deadline) internal view {
        require(block.timestamp <= deadline, DealDeadlinePassed(id, deadline));
    }

    /// @dev A key acts for one member only, so a call with deals of two parties is refused at the second.
    function _requireParty(Call memory call, uint24 party) internal view {
        if (party == call.party) return;
        members.requireScope(party, msg.sender, SCOPE_OPERATE);
        call.party = party;
    }

    function _isProven(DealTerms memory terms, bytes32[] calldata proof) internal view returns (bool) {
        bytes32 root = rootOf[uint16(terms.classIndex())][uint32(terms.round())];
        return MerkleProof.verifyCalldata(proof, root, terms.leaf());
    }

    /* INTERNAL: READING */

    /// @dev A committed deal's terms and where it stands.
    function _load(Reference calldata deal)
        internal
        view
        returns (uint64 id, DealTerms memory terms, Progress memory progress)
    {
        terms = deal.terms;
        id = terms.id();
        require(_isProven(terms, deal.proof), NotProven(id));
        progress = _progress[id];
    }

    /// @dev Looks the deal's class up, once for a run of deals of one class.
    function _readClass(Call memory call, DealTerms memory terms) internal view {
        uint256 classIndex = terms.classIndex();
        if (classIndex == call.classIndex) return;
        IAssetRegistry.Class memory class_ = assets.getClass(uint16(classIndex));
        call.classIndex = classIndex;
        call.slotLength = class_.slotLength;
        call.gateLead = class_.gateLead;
        call.reference_ = class_.reference_;
    }

    function _slotEnd(Call memory call, DealTerms memory terms) internal view returns (uint256) {
        _readClass(call, terms);
        return (terms.slot() + 1) * call.slotLength;
    }

    function _disputeBond(DealTerms memory terms, Progress memory progress) internal view returns (uint256) {
        return terms.disputeBond(progress.reported, progress.accepted, disputeRate);
    }

    /// @dev Adds the bonds that the deal's state has locked to what goes back to each side.
    function _returnBonds(Payout memory payout, DealTerms memory terms, Progress memory progress) internal view {
        if (progress.state < DealState.Contested) return;
        uint256 bond = _disputeBond(terms, progress);
        payout.refunded += bond;
        if (progress.state == DealState.Disputed) payout.returned += bond;
    }

    /* INTERNAL: FINISHING */

    /// @dev Makes the deal final; its money, credit and open value move at the call's end.
    function _finish(
        Call memory call,
        uint64 id,
        DealTerms memory terms,
        DealState state,
        uint256 quantity,
        Payout memory payout
    ) internal {
        _progress[id].state = state;

        emit DealSettled(id, state, uint32(quantity), terms);

        _readClass(call, terms);
        call.effects.add(terms, payout, terms.quantity() * call.reference_);
    }

    function _lockBonds(Call memory call) internal {
        if (call.toLock != 0) vault.lock(call.party, call.toLock);
    }

    /// @dev One call to each neighbour that is concerned. Money is freed before any is locked.
    function _carryOut(Call memory call) internal {
        DealEffects memory effects = call.effects;
        effects.close();
        if (effects.movements.length != 0) vault.release(effects.movements);
        _lockBonds(call);
        if (effects.freed.length != 0) assets.unreserve(effects.freed);
        if (effects.outcomes.length != 0) credit.record(effects.outcomes);
    }
}
