// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {DealStore} from "./DealStore.sol";
import {IDeals} from "./interfaces/IDeals.sol";
import {DealEffectsLib} from "./libraries/DealEffects.sol";
import {Payout, Settlement} from "./libraries/Settlement.sol";
import {DealState, DealTerms} from "./types/Deal.sol";
import {Deployment, Parameters} from "./types/Parameters.sol";
import {ROLE_ARBITER, SCOPE_OPERATE} from "./types/Rights.sol";

/// @title Deals
/// @notice Leads each deal from its clearing to its settlement. Holds no money and knows no token.
contract Deals is DealStore, EIP712 {
    using Settlement for DealTerms;

    /* CONSTANTS */

    bytes32 internal constant CONSENT_TYPEHASH =
        keccak256("Consent(uint64 deal,uint8 state,uint32 reported,uint32 accepted,uint40 deadline)");

    /* CONSTRUCTOR */

    constructor(Deployment memory d, Parameters memory p) DealStore(d, p) EIP712("capshare", "1") {}

    /* COMMITTING */

    /// @inheritdoc IDeals
    function commit(uint16 classIndex, uint32 round, bytes32 root) external {
        require(msg.sender == clearing, NotClearing(msg.sender));

        rootOf[classIndex][round] = root;

        emit DealsCommitted(classIndex, round, root);
    }

    /* DELIVERING */

    /// @inheritdoc IDeals
    function deliver(Reference[] calldata deals, uint32[] calldata quantities, bytes32[] calldata evidence) external {
        _requireLengths(deals.length, quantities.length, evidence.length);
        Call memory call;
        uint40 deadline = uint40(block.timestamp + acceptWithin);
        for (uint256 i; i < deals.length; ++i) {
            (uint64 id, DealTerms memory terms, Progress memory progress) = _load(deals[i]);
            require(progress.state == DealState.Open, WrongState(id, progress.state));
            uint256 end = _slotEnd(call, terms);
            require(block.timestamp >= end, BeforeSlotEnd(id, end));
            _requireInTime(id, end + deliverWithin);
            _requireParty(call, terms.provider());
            uint32 reported = quantities[i];
            require(reported != 0 && reported <= terms.quantity(), BadReport(id, reported, terms.quantity()));

            Progress storage stored = _progress[id];
            (stored.state, stored.reported, stored.deadline) = (DealState.Delivered, reported, deadline);

            emit DeliveryReported(id, reported, deadline, evidence[i]);
        }
    }

    /// @inheritdoc IDeals
    function accept(Reference[] calldata deals, uint32[] calldata quantities, bytes32[] calldata evidence) external {
        _requireLengths(deals.length, quantities.length, evidence.length);
        Call memory call;
        call.effects = DealEffectsLib.make(deals.length);
        for (uint256 i; i < deals.length; ++i) {
            (uint64 id, DealTerms memory terms, Progress memory progress) = _load(deals[i]);
            require(progress.state == DealState.Delivered, WrongState(id, progress.state));
            _requireInTime(id, progress.deadline);
            _requireParty(call, terms.consumer());
            uint32 accepted = quantities[i];
            require(accepted <= progress.reported, AcceptedAboveReported(id, accepted, progress.reported));
            if (accepted == progress.reported) {
                Payout memory payout = terms.paid(accepted);
                payout.consumerGood = payout.earned;
                _finish(call, id, terms, DealState.Settled, accepted, payout);
                continue;
            }

            progress.state = DealState.Contested;
            progress.accepted = accepted;
            progress.deadline = uint40(block.timestamp + answerWithin);
            _progress[id] = progress;
            call.toLock += _disputeBond(terms, progress);

            emit DealContested(id, accepted, progress.deadline, evidence[i]);
        }
        _carryOut(call);
    }

    /* DISPUTING */

    /// @inheritdoc IDeals
    function dispute(Reference[] calldata deals, bytes32[] calldata evidence) external {
        _requireLengths(deals.length, deals.length, evidence.length);
        Call memory call;
        for (uint256 i; i < deals.length; ++i) {
            (uint64 id, DealTerms memory terms, Progress memory progress) = _load(deals[i]);
            require(progress.state == DealState.Contested, WrongState(id, progress.state));
            _requireInTime(id, progress.deadline);
            _requireParty(call, terms.provider());

            progress.state = DealState.Disputed;
            progress.deadline = uint40(block.timestamp + ruleWithin);
            progress.arbiter = _drawArbiter(terms);
            _progress[id] = progress;
            call.toLock += _disputeBond(terms, progress);

            emit DealDisputed(id, progress.arbiter, progress.deadline, evidence[i]);
        }
        _lockBonds(call);
    }

    /// @inheritdoc IDeals
    function rule(Reference calldata deal, uint32 quantity, bytes32 reason) external {
        (uint64 id, DealTerms memory terms, Progress memory progress) = _load(deal);
        require(progress.state == DealState.Disputed, WrongState(id, progress.state));
        _requireInTime(id, progress.deadline);
        uint24 arbiter = members.memberOf(msg.sender);
        require(_mayRule(arbiter, terms, progress), NotArbiter(id, msg.sender));
        (uint256 accepted, uint256 reported) = (progress.accepted, progress.reported);
        require(accepted <= quantity && quantity <= reported, RulingOutside(id, quantity, accepted, reported));

        emit DealRuled(id, arbiter, quantity, reason);

        Call memory call;
        call.effects = DealEffectsLib.make(1);
        Payout memory payout = terms.ruled(reported, accepted, quantity, _disputeBond(terms, progress));
        _finish(call, id, terms, DealState.Settled, quantity, payout);
        _carryOut(call);
    }

    /* UNDOING */

    /// @inheritdoc IDeals
    function release(Reference[] calldata deals) external {
        require(deals.length != 0, EmptyList());
        Call memory call;
        call.effects = DealEffectsLib.make(deals.length);
        for (uint256 i; i < deals.length; ++i) {
            (uint64 id, DealTerms memory terms, Progress memory progress) = _load(deals[i]);
            require(progress.state == DealState.Open, WrongState(id, progress.state));
            uint256 gate = _slotEnd(call, terms) - call.slotLength - call.gateLead;
            require(block.timestamp < gate, GatePassed(id, gate));
            _requireParty(call, terms.provider());

            call.effects.free(terms);
            _finish(call, id, terms, DealState.Released, 0, terms.givenUp());
        }
        _carryOut(call);
    }

    /// @inheritdoc IDeals
    function cancel(
        Reference calldata deal,
        uint40 deadline,
        bytes calldata providerSignature,
        bytes calldata consumerSignature
    ) external {
        (uint64 id, DealTerms memory terms, Progress memory progress) = _load(deal);
        require(progress.state <= DealState.Disputed, WrongState(id, progress.state));
        Call memory call;
        uint256 end = _slotEnd(call, terms);
        _requireInTime(id, progress.state == DealState.Open ? end + deliverWithin : progress.deadline);
        require(block.timestamp <= deadline, ConsentExpired(id, deadline));
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(CONSENT_TYPEHASH, id, progress.state, progress.reported, progress.accepted, deadline)
            )
        );
        _requireConsent(id, terms.provider(), digest, providerSignature);
        _requireConsent(id, terms.consumer(), digest, consumerSignature);

        Payout memory payout = terms.undone();
        _returnBonds(payout, terms, progress);
        call.effects = DealEffectsLib.make(1);
        call.effects.free(terms);
        _finish(call, id, terms, DealState.Cancelled, 0, payout);
        _carryOut(call);
    }

    /* SETTLING */

    /// @inheritdoc IDeals
    function settle(Reference[] calldata deals) external {
        require(deals.length != 0, EmptyList());
        Call memory call;
        call.effects = DealEffectsLib.make(deals.length);
        for (uint256 i; i < deals.length; ++i) {
            (uint64 id, DealTerms memory terms, Progress memory progress) = _load(deals[i]);
            if (progress.state > DealState.Disputed) continue;
            bool isOpen = progress.state == DealState.Open;
            uint256 deadline = isOpen ? _slotEnd(call, terms) + deliverWithin : progress.deadline;
            if (block.timestamp <= deadline) continue;

            uint256 quantity = _undisturbed(progress);
            Payout memory payout = terms.paid(quantity);
            _returnBonds(payout, terms, progress);
            DealState state = isOpen ? DealState.Defaulted : DealState.Settled;
            _finish(call, id, terms, state, quantity, payout);
        }
        _carryOut(call);
    }

    /* INTERNAL */

    /// @dev Draws among the active arbiters outside both owner groups by the ids of the orders; 0: there is none.
    function _drawArbiter(DealTerms memory terms) internal view returns (uint24) {
        uint24[] memory arbiters =
            members.arbitersOutside(members.groupOf(terms.provider()), members.groupOf(terms.consumer()));
        if (arbiters.length == 0) return 0;
        return arbiters[uint256(keccak256(abi.encode(terms.offerId(), terms.requestId()))) % arbiters.length];
    }

    /// @dev An active arbiter outside both owner groups: the one drawn, or any after half of the time to rule.
    function _mayRule(uint24 arbiter, DealTerms memory terms, Progress memory progress) internal view returns (bool) {
        bool isDrawn = arbiter == progress.arbiter;
        if (!isDrawn && block.timestamp <= progress.deadline - ruleWithin + ruleWithin / 2) return false;
        if (members.getMember(arbiter).roles & ROLE_ARBITER == 0 || members.isSuspended(arbiter)) return false;
        uint24 group = members.groupOf(arbiter);
        return group != members.groupOf(terms.provider()) && group != members.groupOf(terms.consumer());
    }

    /// @dev The signature over `digest` is by an operate key of the member.
    function _requireConsent(uint64 id, uint24 member, bytes32 digest, bytes calldata signature) internal view {
        (address signer,,) = ECDSA.tryRecover(digest, signature);
        require(members.hasScope(member, signer, SCOPE_OPERATE), BadConsent(id, member, signer));
    }

    /// @dev What a deal settles at when nobody acted in time: as reported, as accepted, or their middle.
    function _undisturbed(Progress memory progress) internal pure returns (uint256) {
        if (progress.state == DealState.Disputed) return (uint256(progress.accepted) + progress.reported) / 2;
        return progress.state == DealState.Contested ? progress.accepted : progress.reported;
    }
}
