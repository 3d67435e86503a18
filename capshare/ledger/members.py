"""MemberRegistry: who is a member, which keys sign for it, who holds which role."""

from __future__ import annotations

from dataclasses import replace

from capshare.codec import ZERO_ADDRESS, ZERO_BYTES32
from capshare.events import (
    AccountMoved,
    AccountMoveStarted,
    AccountMoveVetoed,
    Admission,
    EncryptionKeySet,
    GroupSet,
    MemberAdmitted,
    MemberReinstated,
    MemberSuspended,
    RolesSet,
    SignerSet,
    ValidatorsSet,
)
from capshare.ledger.commands import (
    Admit,
    Command,
    CompleteMove,
    Reinstate,
    SetEncryptionKey,
    SetGroup,
    SetRoles,
    SetSigner,
    SetValidators,
    StartMove,
    Suspend,
    VetoMove,
)
from capshare.ledger.core import Refused, Transaction, applies, decides, require
from capshare.ledger.state import Member, Move, State

TRADER, COUNCIL, VALIDATOR, ARBITER, AUDITOR, ATTESTOR = 1, 2, 4, 8, 16, 32
ALL_ROLES = 63
TRADE, OPERATE, TREASURY = 1, 2, 4
ALL_SCOPES = 7
MOST = 64  # seats, and arbiters
DAY = 86_400  # [s]

# -- checks that other contracts ask for ---------------------------------------------------------


def has_scope(state: State, member: int, signer: bytes, scope: int) -> bool:
    """Tell whether a key is the member's account or a signer of it with the scope."""
    if signer == ZERO_ADDRESS:
        return False
    if signer == state.members[member].account:
        return True
    stored = state.signers[signer]
    return stored.member == member and stored.scopes & scope != 0


def require_scope(state: State, member: int, signer: bytes, scope: int) -> None:
    """Refuse unless the key may act for the member in the scope."""
    require(has_scope(state, member, signer, scope), "NotSigner", member, signer, scope)


def is_active(state: State, member: int, role: int) -> bool:
    """Tell whether a member holds a role and is not suspended."""
    return state.members[member].roles & role != 0 and member not in state.suspended


def require_active(state: State, member: int, role: int) -> None:
    """Refuse unless the member holds the role and is not suspended."""
    require(is_active(state, member, role), "MemberNotActive", member, role)


def require_account(state: State, account: bytes, role: int) -> int:
    """Return the member whose account it is; refuse unless it is active with the role."""
    member = state.member_of[account]
    require(member != 0, "NotAccount", account)
    require_active(state, member, role)
    return member


def require_council(command: Command, state: State) -> None:
    """Refuse unless the council itself sends the call."""
    require(command.sender == state.deployment.council, "NotCouncilCall", command.sender)


def check_spending(state: State, member: int, signer: bytes, amount: int, now: int) -> None:
    """Refuse unless the key may post for the member and its limit of the day leaves the amount."""
    require_scope(state, member, signer, TRADE)
    require_active(state, member, TRADER)
    if signer == state.members[member].account:
        return
    stored = state.signers[signer]
    spent = stored.spent if stored.day == now // DAY else 0
    left = max(0, stored.limit - spent)
    require(amount <= left, "LimitExceeded", signer, amount, left)


def spend(state: State, member: int, signer: bytes, amount: int, now: int) -> None:
    """Count an amount against the signer's day; the account has no limit and is not counted."""
    if signer == state.members[member].account:
        return
    stored = state.signers[signer]
    today = now // DAY
    spent = stored.spent if stored.day == today else 0
    state.signers[signer] = replace(stored, day=today, spent=spent + amount)


def active_outside(
    state: State, listed: tuple[int, ...], group_a: int, group_b: int
) -> tuple[int, ...]:
    """Return the members of a list that are not suspended and of neither owner group."""
    return tuple(
        member
        for member in listed
        if state.members[member].group not in (group_a, group_b) and member not in state.suspended
    )


def council(state: State) -> tuple[int, ...]:
    """Return the members who hold a seat now."""
    return active_outside(state, state.seats, 0, 0)


# -- council only --------------------------------------------------------------------------------


@decides(Admit)
def _admit(tx: Transaction, command: Admit) -> None:
    require_council(command, tx.state)
    admit(tx, command.admission)


def admit(tx: Transaction, admission: Admission) -> None:
    """Admit a legal entity, as the council and the constructor do."""
    state = tx.state
    member = state.member_count + 1
    _require_free(state, admission.account)
    require(admission.identity != ZERO_BYTES32, "ZeroIdentity")
    holder = state.member_by_identity[admission.identity]
    require(holder == 0, "IdentityTaken", admission.identity, holder)
    require(admission.group <= member, "UnknownGroup", admission.group)
    require(admission.roles <= ALL_ROLES, "UnknownRoles", admission.roles)
    _check_lists(state, admission.roles)
    tx.emit(MemberAdmitted(member=member, account=admission.account, admission=admission))


@decides(SetRoles)
def _set_roles(tx: Transaction, command: SetRoles) -> None:
    state, member, roles = tx.state, command.member, command.roles
    require_council(command, state)
    _require_known(state, member)
    require(roles <= ALL_ROLES, "UnknownRoles", roles)
    require(roles & COUNCIL != 0 or not _is_last_seat(state, member), "LastCouncilMember", member)
    _check_lists(state, roles & ~state.members[member].roles)
    tx.emit(RolesSet(member=member, roles=roles))


@decides(SetGroup)
def _set_group(tx: Transaction, command: SetGroup) -> None:
    state, member, group = tx.state, command.member, command.group
    require_council(command, state)
    _require_known(state, member)
    require(group != 0 and group <= state.member_count, "UnknownGroup", group)
    live = state.live[member]
    require(live == 0, "HasLiveOrders", member, live)
    tx.emit(GroupSet(member=member, group=group))


@decides(Suspend)
def _suspend(tx: Transaction, command: Suspend) -> None:
    state, member = tx.state, command.member
    require_council(command, state)
    _require_known(state, member)
    require(member not in state.suspended, "AlreadySuspended", member)
    require(not _is_last_seat(state, member), "LastCouncilMember", member)
    tx.emit(MemberSuspended(member=member))


@decides(Reinstate)
def _reinstate(tx: Transaction, command: Reinstate) -> None:
    require_council(command, tx.state)
    _require_known(tx.state, command.member)
    require(command.member in tx.state.suspended, "NotSuspended", command.member)
    tx.emit(MemberReinstated(member=command.member))


@decides(SetValidators)
def _set_validators(tx: Transaction, command: SetValidators) -> None:
    require_council(command, tx.state)
    set_validators(tx, command.validators)


def set_validators(tx: Transaction, validators: tuple[bytes, ...]) -> None:
    """Replace the validator set, as the council and the constructor do."""
    require(len(validators) != 0, "EmptyValidators")
    for position, validator in enumerate(validators):
        require(validator != ZERO_ADDRESS, "ZeroValidator", position)
        require(validator not in validators[:position], "DuplicateValidator", validator)
    tx.emit(ValidatorsSet(validators=validators))


@decides(StartMove)
def _start_move(tx: Transaction, command: StartMove) -> None:
    require_council(command, tx.state)
    _require_known(tx.state, command.member)
    _require_free(tx.state, command.account)
    tx.emit(
        AccountMoveStarted(
            member=command.member,
            account=command.account,
            effective_at=tx.now + tx.state.parameters.move_delay,
        )
    )


# -- by the account, and by anyone ---------------------------------------------------------------


@decides(VetoMove)
def _veto_move(tx: Transaction, command: VetoMove) -> None:
    state, member = tx.state, command.member
    is_own = member != 0 and state.member_of[command.sender] == member
    require(is_own, "NotAccount", command.sender)
    account = state.moves[member].account
    require(account != ZERO_ADDRESS, "NoMovePending", member)
    tx.emit(AccountMoveVetoed(member=member, account=account))


@decides(SetSigner)
def _set_signer(tx: Transaction, command: SetSigner) -> None:
    state, signer = tx.state, command.signer
    member = _require_member(state, command.sender)
    require(signer != ZERO_ADDRESS, "ZeroAccount")
    require(command.scopes <= ALL_SCOPES, "UnknownScopes", command.scopes)
    require(state.member_of[signer] == 0, "AddressTaken", signer, state.member_of[signer])
    holder = state.signers[signer].member
    require(holder in (0, member), "AddressTaken", signer, holder)
    tx.emit(SignerSet(member=member, signer=signer, scopes=command.scopes, limit=command.limit))


@decides(SetEncryptionKey)
def _set_encryption_key(tx: Transaction, command: SetEncryptionKey) -> None:
    member = _require_member(tx.state, command.sender)
    tx.emit(EncryptionKeySet(member=member, key=command.key, valid_until=command.valid_until))


@decides(CompleteMove)
def _complete_move(tx: Transaction, command: CompleteMove) -> None:
    state, member = tx.state, command.member
    move = state.moves[member]
    require(move.account != ZERO_ADDRESS, "NoMovePending", member)
    require(tx.now >= move.effective_at, "MoveNotDue", member, move.effective_at)
    _require_free(state, move.account)
    tx.emit(AccountMoved(member=member, from_=state.members[member].account, to=move.account))


def _require_known(state: State, member: int) -> None:
    require(0 < member <= state.member_count, "UnknownMember", member)


def _require_member(state: State, account: bytes) -> int:
    member = state.member_of[account]
    require(member != 0, "NotAccount", account)
    return member


def _require_free(state: State, account: bytes) -> None:
    """Refuse unless the address acts for nobody yet."""
    require(account != ZERO_ADDRESS, "ZeroAccount")
    holder = state.member_of[account] or state.signers[account].member
    require(holder == 0, "AddressTaken", account, holder)


def _is_last_seat(state: State, member: int) -> bool:
    return is_active(state, member, COUNCIL) and len(council(state)) == 1


def _check_lists(state: State, added: int) -> None:
    if added & COUNCIL and len(state.seats) >= MOST:
        raise Refused("TooManyCouncilMembers", MOST)
    if added & ARBITER and len(state.arbiters) >= MOST:
        raise Refused("TooManyArbiters", MOST)


# -- events --------------------------------------------------------------------------------------


@applies(MemberAdmitted)
def _member_admitted(state: State, event: MemberAdmitted, now: int) -> None:
    member, admission = event.member, event.admission
    state.member_count = member
    state.member_of[event.account] = member
    state.member_by_identity[admission.identity] = member
    state.members[member] = Member(
        account=event.account,
        group=admission.group or member,
        key_valid_until=admission.key_valid_until,
        identity=admission.identity,
        encryption_key=admission.encryption_key,
    )
    _change_roles(state, member, admission.roles)


@applies(RolesSet)
def _roles_set(state: State, event: RolesSet, now: int) -> None:
    _change_roles(state, event.member, event.roles)


def _change_roles(state: State, member: int, roles: int) -> None:
    stored = state.members[member]
    added, removed = roles & ~stored.roles, stored.roles & ~roles
    state.members[member] = replace(stored, roles=roles)
    if added & COUNCIL:
        state.seats += (member,)
    if added & ARBITER:
        state.arbiters += (member,)
    if removed & COUNCIL:
        state.seats = _without(state.seats, member)
    if removed & ARBITER:
        state.arbiters = _without(state.arbiters, member)


def _without(listed: tuple[int, ...], member: int) -> tuple[int, ...]:
    """Return the list without a member: its last entry takes the place, as in storage."""
    last = listed[-1]
    return tuple(last if entry == member else entry for entry in listed[:-1])


@applies(GroupSet)
def _group_set(state: State, event: GroupSet, now: int) -> None:
    state.members[event.member] = replace(state.members[event.member], group=event.group)


@applies(MemberSuspended)
def _member_suspended(state: State, event: MemberSuspended, now: int) -> None:
    state.suspended |= {event.member}


@applies(MemberReinstated)
def _member_reinstated(state: State, event: MemberReinstated, now: int) -> None:
    state.suspended -= {event.member}


@applies(EncryptionKeySet)
def _encryption_key_set(state: State, event: EncryptionKeySet, now: int) -> None:
    state.members[event.member] = replace(
        state.members[event.member],
        encryption_key=event.key,
        key_valid_until=event.valid_until,
    )


@applies(SignerSet)
def _signer_set(state: State, event: SignerSet, now: int) -> None:
    if event.scopes == 0:
        state.signers.drop(event.signer)
        return
    state.signers[event.signer] = replace(
        state.signers[event.signer],
        member=event.member,
        scopes=event.scopes,
        limit=event.limit,
    )


@applies(AccountMoveStarted)
def _account_move_started(state: State, event: AccountMoveStarted, now: int) -> None:
    state.moves[event.member] = Move(account=event.account, effective_at=event.effective_at)


@applies(AccountMoveVetoed)
def _account_move_vetoed(state: State, event: AccountMoveVetoed, now: int) -> None:
    state.moves.drop(event.member)


@applies(AccountMoved)
def _account_moved(state: State, event: AccountMoved, now: int) -> None:
    state.moves.drop(event.member)
    state.member_of.drop(event.from_)
    state.member_of[event.to] = event.member
    state.members[event.member] = replace(state.members[event.member], account=event.to)


@applies(ValidatorsSet)
def _validators_set(state: State, event: ValidatorsSet, now: int) -> None:
    state.validators = event.validators
