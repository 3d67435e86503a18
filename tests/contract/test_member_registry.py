"""MemberRegistry: admission, roles, groups, suspension, keys, moves, validators."""

from __future__ import annotations

import pytest
from eth_utils import keccak

ZERO = "0x" + "00" * 20
TRADER, COUNCIL, ARBITER = 1, 2, 8
TRADE, OPERATE, TREASURY = 1, 2, 4
# Ids in the order of admission.
COUNCILLOR, SECOND, THIRD, PROVIDER, CONSUMER, ARBITER_ID, OTHER, SUSPENDED, ATTESTOR = range(1, 10)
NEWCOMER = 10
DAY = 86_400


@pytest.fixture
def refused(stage, refused_by_council):
    """Run a method through the council of `stage` and expect the error that it passes on."""

    def check(method, *arguments, error, **values):
        call = (method.contract, method.encode_input(*arguments))
        refused_by_council(stage, call, error=error, **values)

    return check


# CONSTRUCTION


def test_constructor_admits_founders_and_sets_validators(stage, people):
    assert stage.members.memberCount() == 9
    assert stage.members.council() == [COUNCILLOR, SECOND, THIRD]
    assert stage.members.getValidators() == [people["councillor"].address]
    assert stage.members.councilContract() == stage.council.address
    assert stage.members.moveDelay() == 60


def test_constructor_reverts_without_council(project, people, kit, reverts, outsider):
    founders = [kit.admission(outsider.address)]
    with reverts(project.MemberRegistry.LastCouncilMember, member=0):
        kit.deploy(project, people, founders=founders)


def test_constructor_reverts_without_validators(project, people, kit, reverts):
    with reverts(project.MemberRegistry.EmptyValidators):
        kit.deploy(project, people, validators=[])


# ADMISSION


def test_admit_stores_member_in_group_of_its_own(stage, kit, outsider):
    given = kit.admission(
        outsider.address, roles=TRADER | ARBITER, encryptionKey=b"\x07" * 32, keyValidUntil=99
    )
    receipt = stage.govern(stage.members.admit, given)
    assert stage.emitted(receipt)[1:] == [
        stage.event("members", "MemberAdmitted", member=NEWCOMER, account=outsider, admission=given)
    ]
    stored = stage.members.getMember(NEWCOMER)
    assert (stored.account, stored.group, stored.roles) == (outsider.address, NEWCOMER, 9)
    assert (stored.keyValidUntil, stored.identity) == (99, given[1])
    assert stored.encryptionKey == b"\x07" * 32
    assert stage.members.memberOf(outsider) == NEWCOMER
    assert stage.members.memberByIdentity(given[1]) == NEWCOMER
    assert stage.members.accountOf(NEWCOMER) == outsider.address
    assert stage.members.memberCount() == NEWCOMER
    assert stage.members.arbitersOutside(0, 0) == [ARBITER_ID, OTHER, NEWCOMER]


def test_admit_takes_named_group(stage, kit, outsider):
    stage.govern(stage.members.admit, kit.admission(outsider.address, group=PROVIDER))
    assert stage.members.groupOf(NEWCOMER) == PROVIDER


def test_admit_takes_itself_as_group(stage, kit, outsider):
    stage.govern(stage.members.admit, kit.admission(outsider.address, group=NEWCOMER))
    assert stage.members.groupOf(NEWCOMER) == NEWCOMER


def test_admit_reverts_for_group_not_admitted(stage, kit, refused, outsider):
    refused(
        stage.members.admit,
        kit.admission(outsider.address, group=NEWCOMER + 1),
        error=stage.members.UnknownGroup,
        group=NEWCOMER + 1,
    )


def test_admit_reverts_for_outsider(stage, kit, reverts, outsider, councillor):
    for sender in (outsider, councillor):
        with reverts(stage.members.NotCouncilCall, sender=sender):
            stage.members.admit(kit.admission(outsider.address), sender=sender)


def test_admit_reverts_for_zero_account(stage, kit, refused):
    refused(stage.members.admit, kit.admission(ZERO), error=stage.members.ZeroAccount)


def test_admit_reverts_for_account_of_member(stage, kit, refused, provider):
    refused(
        stage.members.admit,
        kit.admission(provider.address, identity=b"\x01" * 32),
        error=stage.members.AddressTaken,
        account=provider,
        member=PROVIDER,
    )


def test_admit_reverts_for_signer_of_member(stage, kit, refused, operator):
    refused(
        stage.members.admit,
        kit.admission(operator.address),
        error=stage.members.AddressTaken,
        account=operator,
        member=PROVIDER,
    )


def test_admit_reverts_for_zero_identity(stage, kit, refused, outsider):
    given = kit.admission(outsider.address, identity=b"\x00" * 32)
    refused(stage.members.admit, given, error=stage.members.ZeroIdentity)


def test_admit_reverts_for_known_identity(stage, kit, refused, outsider, provider):
    identity = kit.admission(provider.address)[1]
    refused(
        stage.members.admit,
        kit.admission(outsider.address, identity=identity),
        error=stage.members.IdentityTaken,
        identity=identity,
        member=PROVIDER,
    )


def test_admit_takes_all_roles_and_refuses_unknown(stage, kit, refused, outsider):
    refused(
        stage.members.admit,
        kit.admission(outsider.address, roles=64),
        error=stage.members.UnknownRoles,
        roles=64,
    )
    stage.govern(stage.members.admit, kit.admission(outsider.address, roles=63))
    assert stage.members.council() == [COUNCILLOR, SECOND, THIRD, NEWCOMER]


# ROLES


def test_set_roles_changes_lists(stage):
    receipt = stage.govern(stage.members.setRoles, PROVIDER, TRADER | COUNCIL | ARBITER)
    assert stage.emitted(receipt)[1:] == [
        stage.event("members", "RolesSet", member=PROVIDER, roles=TRADER | COUNCIL | ARBITER)
    ]
    assert stage.members.council() == [COUNCILLOR, SECOND, THIRD, PROVIDER]
    assert stage.members.arbitersOutside(0, 0) == [ARBITER_ID, OTHER, PROVIDER]


def test_set_roles_moves_last_entry_into_gap(stage):
    stage.govern(stage.members.setRoles, PROVIDER, COUNCIL)
    stage.govern(stage.members.setRoles, COUNCILLOR, 0)
    assert stage.members.council() == [PROVIDER, SECOND, THIRD]


def test_set_roles_reverts_for_outsider(stage, reverts, outsider):
    with reverts(stage.members.NotCouncilCall, sender=outsider):
        stage.members.setRoles(PROVIDER, TRADER, sender=outsider)


@pytest.mark.parametrize("member", [0, NEWCOMER])
def test_set_roles_reverts_for_unknown_member(stage, refused, member):
    refused(stage.members.setRoles, member, 1, error=stage.members.UnknownMember, member=member)


def test_set_roles_reverts_for_unknown_roles(stage, refused):
    refused(stage.members.setRoles, PROVIDER, 255, error=stage.members.UnknownRoles, roles=255)


def test_last_active_seat_stays(stage, refused):
    # The suspended member's seat does not count.
    for member in (SECOND, THIRD):
        stage.govern(stage.members.setRoles, member, 0)
    last = {"error": stage.members.LastCouncilMember, "member": COUNCILLOR}
    refused(stage.members.setRoles, COUNCILLOR, TRADER, **last)
    refused(stage.members.suspend, COUNCILLOR, **last)
    stage.govern(stage.members.setRoles, COUNCILLOR, COUNCIL | ARBITER)
    stage.govern(stage.members.setRoles, SUSPENDED, 0)
    assert stage.members.council() == [COUNCILLOR]


@pytest.mark.parametrize(
    ("role", "listed", "error"),
    [(COUNCIL, 4, "TooManyCouncilMembers"), (ARBITER, 3, "TooManyArbiters")],
)
def test_seats_and_arbiters_are_at_most_64(stage, kit, refused_by_council, role, listed, error):
    def admit(i):
        given = kit.admission("0x" + keccak(text=f"{role}/{i}")[12:].hex(), roles=role)
        return (stage.members, stage.members.admit.encode_input(given))

    calls = [admit(i) for i in range(65 - listed)]
    refused_by_council(
        stage, *calls, error=getattr(stage.members, error), most=64, index=64 - listed
    )
    number, filling = stage.propose(*calls[:-1])
    stage.council.execute(number, filling, sender=stage.people["outsider"])
    listed_now = stage.members.council() if role == COUNCIL else stage.members.arbitersOutside(0, 0)
    assert len(listed_now) == 63  # and the suspended member


# OWNER GROUPS


def test_set_group_changes_group(market):
    receipt = market.govern(market.members.setGroup, CONSUMER, PROVIDER)
    assert market.emitted(receipt)[1:] == [
        market.event("members", "GroupSet", member=CONSUMER, group=PROVIDER)
    ]
    assert market.members.groupOf(CONSUMER) == PROVIDER


def test_set_group_reverts_for_member_with_live_orders(market, refused_by_council, consumer):
    slot = (market.now() + 3_600) // 120
    request = (0 << 200 | 3 << 168 | 60 << 96 | slot << 72).to_bytes(28, "big")
    batch = (CONSUMER, 7_001, 1, 1, 2**40 - 1, request * 2, [b"\x00" * 32] * 2, b"")
    market.book.post([batch], sender=consumer)
    call = (market.members, market.members.setGroup.encode_input(CONSUMER, PROVIDER))
    error = market.members.HasLiveOrders
    refused_by_council(market, call, error=error, member=CONSUMER, live=2)
    cancel = (CONSUMER, 2, 2**40 - 1, [64, 65], [0, 0], b"")
    market.book.reduce([cancel], sender=consumer)
    market.govern(market.members.setGroup, CONSUMER, PROVIDER)
    assert market.members.groupOf(CONSUMER) == PROVIDER


def test_set_group_reverts_for_outsider(stage, reverts, outsider):
    with reverts(stage.members.NotCouncilCall, sender=outsider):
        stage.members.setGroup(CONSUMER, PROVIDER, sender=outsider)


def test_set_group_reverts_for_unknown_member(stage, refused):
    refused(stage.members.setGroup, 99, 1, error=stage.members.UnknownMember, member=99)


@pytest.mark.parametrize("group", [0, NEWCOMER])
def test_set_group_reverts_for_group_not_admitted(stage, refused, group):
    refused(stage.members.setGroup, CONSUMER, group, error=stage.members.UnknownGroup, group=group)


# SUSPENSION


def test_suspend_takes_seat_and_rulings_away(stage):
    receipt = stage.govern(stage.members.suspend, ARBITER_ID)
    assert stage.emitted(receipt)[1:] == [
        stage.event("members", "MemberSuspended", member=ARBITER_ID)
    ]
    assert stage.members.isSuspended(ARBITER_ID)
    assert stage.members.arbitersOutside(0, 0) == [OTHER]
    assert stage.members.areSuspended([ARBITER_ID, OTHER, SUSPENDED]) == [True, False, True]


def test_suspend_reverts_for_outsider_unknown_and_suspended(stage, reverts, refused, outsider):
    with reverts(stage.members.NotCouncilCall, sender=outsider):
        stage.members.suspend(PROVIDER, sender=outsider)
    refused(stage.members.suspend, 99, error=stage.members.UnknownMember, member=99)
    refused(
        stage.members.suspend, SUSPENDED, error=stage.members.AlreadySuspended, member=SUSPENDED
    )


def test_reinstate_gives_seat_back(stage):
    receipt = stage.govern(stage.members.reinstate, SUSPENDED)
    assert stage.emitted(receipt)[1:] == [
        stage.event("members", "MemberReinstated", member=SUSPENDED)
    ]
    assert not stage.members.isSuspended(SUSPENDED)
    assert stage.members.council() == [COUNCILLOR, SECOND, THIRD, SUSPENDED]


def test_reinstate_reverts_for_outsider_unknown_and_active(stage, reverts, refused, outsider):
    with reverts(stage.members.NotCouncilCall, sender=outsider):
        stage.members.reinstate(SUSPENDED, sender=outsider)
    refused(stage.members.reinstate, 99, error=stage.members.UnknownMember, member=99)
    refused(stage.members.reinstate, PROVIDER, error=stage.members.NotSuspended, member=PROVIDER)


# VALIDATORS


def test_set_validators_replaces_the_set(stage, provider, consumer):
    receipt = stage.govern(stage.members.setValidators, [provider, consumer])
    assert stage.emitted(receipt)[1:] == [
        stage.event("members", "ValidatorsSet", validators=[provider, consumer])
    ]
    stage.govern(stage.members.setValidators, [consumer])
    assert stage.members.getValidators() == [consumer.address]


def test_set_validators_reverts_for_outsider(stage, reverts, outsider):
    with reverts(stage.members.NotCouncilCall, sender=outsider):
        stage.members.setValidators([outsider], sender=outsider)


def test_set_validators_reverts_for_empty_zero_and_duplicate(stage, refused, provider):
    members = stage.members
    refused(members.setValidators, [], error=members.EmptyValidators)
    refused(members.setValidators, [provider, ZERO], error=members.ZeroValidator, position=1)
    refused(
        members.setValidators,
        [provider, ZERO[:-1] + "1", provider],
        error=members.DuplicateValidator,
        validator=provider,
    )


# MOVING AN ACCOUNT


def test_move_takes_effect_after_delay(stage, reverts, outsider, provider):
    receipt = stage.govern(stage.members.startMove, PROVIDER, outsider)
    due = receipt.timestamp + 60
    assert stage.emitted(receipt)[1:] == [
        stage.event(
            "members", "AccountMoveStarted", member=PROVIDER, account=outsider, effectiveAt=due
        )
    ]
    assert tuple(stage.members.getMove(PROVIDER)) == (outsider.address, due)
    stage.at(due - 1)
    with reverts(stage.members.MoveNotDue, member=PROVIDER, effectiveAt=due):
        stage.members.completeMove(PROVIDER, sender=outsider)
    stage.at(due)
    receipt = stage.members.completeMove(PROVIDER, sender=outsider)
    moved = {"member": PROVIDER, "from": provider, "to": outsider}
    assert stage.emitted(receipt) == [stage.event("members", "AccountMoved", **moved)]
    assert stage.members.accountOf(PROVIDER) == outsider.address
    assert stage.members.memberOf(outsider) == PROVIDER
    assert stage.members.memberOf(provider) == 0
    assert stage.members.getMove(PROVIDER).account == ZERO
    with reverts(stage.members.NoMovePending, member=PROVIDER):
        stage.members.completeMove(PROVIDER, sender=outsider)


def test_start_move_replaces_pending_one(stage, outsider, people):
    stage.govern(stage.members.startMove, PROVIDER, outsider)
    stage.govern(stage.members.startMove, PROVIDER, people["deployer"])
    assert stage.members.getMove(PROVIDER).account == people["deployer"].address


def test_start_move_reverts_for_outsider_unknown_and_taken(
    stage, reverts, refused, outsider, consumer, operator
):
    members = stage.members
    with reverts(members.NotCouncilCall, sender=outsider):
        members.startMove(PROVIDER, outsider, sender=outsider)
    refused(members.startMove, 99, outsider, error=members.UnknownMember, member=99)
    refused(members.startMove, PROVIDER, ZERO, error=members.ZeroAccount)
    for account, holder in ((consumer, CONSUMER), (operator, PROVIDER)):
        refused(
            members.startMove,
            PROVIDER,
            account,
            error=members.AddressTaken,
            account=account,
            member=holder,
        )


def test_complete_move_reverts_when_address_was_taken_meanwhile(stage, reverts, outsider, consumer):
    receipt = stage.govern(stage.members.startMove, PROVIDER, outsider)
    stage.members.setSigner(outsider, OPERATE, 0, sender=consumer)
    stage.at(receipt.timestamp + 60)
    with reverts(stage.members.AddressTaken, account=outsider, member=CONSUMER):
        stage.members.completeMove(PROVIDER, sender=outsider)


def test_veto_stops_move(stage, reverts, outsider, provider):
    stage.govern(stage.members.startMove, PROVIDER, outsider)
    receipt = stage.members.vetoMove(PROVIDER, sender=provider)
    assert stage.emitted(receipt) == [
        stage.event("members", "AccountMoveVetoed", member=PROVIDER, account=outsider)
    ]
    with reverts(stage.members.NoMovePending, member=PROVIDER):
        stage.members.vetoMove(PROVIDER, sender=provider)


def test_veto_reverts_for_new_account_signer_and_others(
    stage, reverts, outsider, operator, consumer
):
    stage.govern(stage.members.startMove, PROVIDER, outsider)
    for sender in (outsider, operator, consumer):
        with reverts(stage.members.NotAccount, sender=sender):
            stage.members.vetoMove(PROVIDER, sender=sender)
    with reverts(stage.members.NotAccount, sender=outsider):
        stage.members.vetoMove(0, sender=outsider)


# SIGNERS AND KEYS


def test_set_signer_gives_scopes(stage, outsider, provider):
    receipt = stage.members.setSigner(outsider, TRADE | OPERATE, 700, sender=provider)
    assert stage.emitted(receipt) == [
        stage.event("members", "SignerSet", member=PROVIDER, signer=outsider, scopes=3, limit=700)
    ]
    assert tuple(stage.members.getSigner(outsider)) == (PROVIDER, 3, 700, 0, 0)
    assert stage.members.hasScope(PROVIDER, outsider, OPERATE)
    assert not stage.members.hasScope(PROVIDER, outsider, TREASURY)
    assert not stage.members.hasScope(CONSUMER, outsider, OPERATE)


def test_set_signer_with_no_scope_removes(stage, reverts, operator, provider, consumer):
    receipt = stage.members.setSigner(operator, 0, 5, sender=provider)
    assert stage.emitted(receipt) == [
        stage.event("members", "SignerSet", member=PROVIDER, signer=operator, scopes=0, limit=5)
    ]
    assert tuple(stage.members.getSigner(operator)) == (0, 0, 0, 0, 0)
    with reverts(stage.members.NotSigner, member=PROVIDER, signer=operator, scope=OPERATE):
        stage.members.requireScope(PROVIDER, operator, OPERATE)
    stage.members.setSigner(operator, TRADE, 1, sender=consumer)
    assert stage.members.getSigner(operator).member == CONSUMER


def test_suspended_member_sets_signers(stage, outsider, suspended_member):
    stage.members.setSigner(outsider, OPERATE | TREASURY, 0, sender=suspended_member)
    assert stage.members.hasScope(SUSPENDED, outsider, TREASURY)


def test_set_signer_reverts_for_outsider_and_signer(stage, reverts, outsider, operator):
    for sender in (outsider, operator):
        with reverts(stage.members.NotAccount, sender=sender):
            stage.members.setSigner(outsider, TRADE, 1, sender=sender)


def test_set_signer_reverts_for_zero_scopes_and_taken(
    stage, reverts, outsider, provider, consumer, operator
):
    members = stage.members
    with reverts(members.ZeroAccount):
        members.setSigner(ZERO, TRADE, 1, sender=provider)
    with reverts(members.UnknownScopes, scopes=8):
        members.setSigner(outsider, 8, 1, sender=provider)
    with reverts(members.AddressTaken, account=consumer, member=CONSUMER):
        members.setSigner(consumer, TRADE, 1, sender=provider)
    with reverts(members.AddressTaken, account=provider, member=PROVIDER):
        members.setSigner(provider, TRADE, 1, sender=provider)
    with reverts(members.AddressTaken, account=operator, member=PROVIDER):
        members.setSigner(operator, TRADE, 1, sender=consumer)
    members.setSigner(outsider, 7, 2**96 - 1, sender=provider)


def test_set_encryption_key_stores_it(stage, reverts, provider, outsider):
    key = b"\x25" * 32
    receipt = stage.members.setEncryptionKey(key, 2_000_000_000, sender=provider)
    assert stage.emitted(receipt) == [
        stage.event(
            "members", "EncryptionKeySet", member=PROVIDER, key=key, validUntil=2_000_000_000
        )
    ]
    stored = stage.members.getMember(PROVIDER)
    assert (stored.encryptionKey, stored.keyValidUntil) == (key, 2_000_000_000)
    with reverts(stage.members.NotAccount, sender=outsider):
        stage.members.setEncryptionKey(key, 1, sender=outsider)


# SPENDING


def test_spend_counts_signer_to_its_limit_and_starts_anew_next_day(stage, reverts, people):
    members, book, trader = stage.members, people["book"], people["trader"]
    midnight = (stage.now() // DAY + 1) * DAY
    stage.at(midnight)
    members.spend(PROVIDER, trader, 400, sender=book)
    members.spend(PROVIDER, trader, 600, sender=book)
    today = midnight // DAY
    assert tuple(members.getSigner(trader)) == (PROVIDER, TRADE, 1_000, today, 1_000)
    with reverts(members.LimitExceeded, signer=trader, wanted=1, left=0):
        members.spend(PROVIDER, trader, 1, sender=book)
    stage.at(midnight + DAY)
    with reverts(members.LimitExceeded, signer=trader, wanted=1_001, left=1_000):
        members.spend(PROVIDER, trader, 1_001, sender=book)
    members.spend(PROVIDER, trader, 1, sender=book)
    assert tuple(members.getSigner(trader)) == (PROVIDER, TRADE, 1_000, today + 1, 1)


def test_spend_keeps_count_when_limit_changes(stage, reverts, people, provider):
    members, book, trader = stage.members, people["book"], people["trader"]
    stage.at((stage.now() // DAY + 1) * DAY)
    members.spend(PROVIDER, trader, 400, sender=book)
    members.setSigner(trader, TRADE, 300, sender=provider)
    with reverts(members.LimitExceeded, signer=trader, wanted=1, left=0):
        members.spend(PROVIDER, trader, 1, sender=book)
    members.setSigner(trader, TRADE, 450, sender=provider)
    with reverts(members.LimitExceeded, signer=trader, wanted=51, left=50):
        members.spend(PROVIDER, trader, 51, sender=book)


def test_spend_has_no_limit_for_account(stage, people, provider):
    stage.members.spend(PROVIDER, provider, 2**200, sender=people["book"])
    assert tuple(stage.members.getSigner(provider)) == (0, 0, 0, 0, 0)


def test_spend_reverts_for_other_than_book(stage, reverts, provider):
    with reverts(stage.members.NotBook, sender=provider):
        stage.members.spend(PROVIDER, provider, 1, sender=provider)


@pytest.mark.parametrize("member", [0, PROVIDER, 99])
def test_spend_reverts_for_unrecoverable_signer(stage, reverts, people, member):
    with reverts(stage.members.NotSigner, member=member, signer=ZERO, scope=TRADE):
        stage.members.spend(member, ZERO, 1, sender=people["book"])


def test_spend_reverts_for_wrong_scope_then_inactive_member(
    stage, reverts, people, operator, suspended_member, councillor
):
    members, book = stage.members, people["book"]
    with reverts(members.NotSigner, member=PROVIDER, signer=operator, scope=TRADE):
        members.spend(PROVIDER, operator, 1, sender=book)
    with reverts(members.MemberNotActive, member=SUSPENDED, role=TRADER):
        members.spend(SUSPENDED, suspended_member, 1, sender=book)
    with reverts(members.MemberNotActive, member=COUNCILLOR, role=TRADER):
        members.spend(COUNCILLOR, councillor, 1, sender=book)


# VIEWS


def test_require_account_names_active_member_with_role(
    stage, reverts, arbiter, outsider, provider, suspended_member
):
    members = stage.members
    assert members.requireAccount(arbiter, ARBITER) == ARBITER_ID
    with reverts(members.NotAccount, sender=outsider):
        members.requireAccount(outsider, ARBITER)
    with reverts(members.MemberNotActive, member=PROVIDER, role=ARBITER):
        members.requireAccount(provider, ARBITER)
    with reverts(members.MemberNotActive, member=SUSPENDED, role=ARBITER):
        members.requireAccount(suspended_member, ARBITER)


def test_require_active_passes_active_member(stage, reverts):
    stage.members.requireActive(PROVIDER, TRADER)
    with reverts(stage.members.MemberNotActive, member=99, role=TRADER):
        stage.members.requireActive(99, TRADER)


def test_arbiters_outside_leaves_owner_groups_out(market):
    members = market.members
    assert members.arbitersOutside(PROVIDER, CONSUMER) == [ARBITER_ID, OTHER]
    assert members.arbitersOutside(OTHER, CONSUMER) == [ARBITER_ID]
    market.govern(members.setGroup, ARBITER_ID, PROVIDER)
    assert members.arbitersOutside(PROVIDER, CONSUMER) == [OTHER]
