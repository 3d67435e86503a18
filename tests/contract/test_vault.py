"""Vault: paying in and out, locking, releasing, tokens that misbehave."""

from __future__ import annotations

import pytest

PROVIDER, CONSUMER, SUSPENDED = 4, 5, 8
TREASURY = 4
NONE, FEE, REFUSE, SKIP, REENTER = range(5)
MOST = 2**128 - 1


def movement(from_, to, amount):
    return to << 152 | from_ << 128 | amount


@pytest.fixture(scope="session")
def hostile_contracts(project, people, chain, kit):
    token = people["deployer"].deploy(project.HostileToken)
    contracts = kit.deploy(project, people, played=("CapacityBook", "Clearing"), token=token)
    return kit.furnish(kit.System(people, chain, contracts))


@pytest.fixture
def hostile(hostile_contracts):
    """The stage with a token that misbehaves as told."""
    return hostile_contracts


def behave(system, habit, target=None, data=b""):
    target = target or system.vault
    system.token.behave(habit, target, data, sender=system.people["outsider"])


# PAYING IN


def test_deposit_credits_free_balance(stage, kit, provider):
    before = stage.vault.held()
    receipt = stage.vault.deposit(PROVIDER, 7, sender=provider)
    transfer = {"from": provider, "to": stage.vault, "value": 7}
    deposited = {"member": PROVIDER, "from": provider, "amount": 7}
    assert stage.emitted(receipt) == [
        stage.event("vault", "Deposited", **deposited),
        stage.event("token", "Transfer", **transfer),
    ]
    assert tuple(stage.vault.balanceOf(PROVIDER)) == (kit.funds + 7, 0)
    assert stage.vault.held() == before + 7 == stage.token.balanceOf(stage.vault)


def test_deposit_takes_tokens_of_treasury_key(stage, kit, people, provider):
    treasurer = people["treasurer"]
    stage.token.transfer(treasurer, 9, sender=provider)
    stage.token.approve(stage.vault, 9, sender=treasurer)
    stage.vault.deposit(PROVIDER, 9, sender=treasurer)
    assert stage.vault.balanceOf(PROVIDER).free == kit.funds + 9
    assert stage.token.balanceOf(treasurer) == 0


def test_deposit_reverts_for_outsider_and_other_scopes(stage, reverts, people, outsider):
    for sender in (outsider, people["operator"], people["trader"], people["consumer"]):
        with reverts(stage.members.NotSigner, member=PROVIDER, signer=sender, scope=TREASURY):
            stage.vault.deposit(PROVIDER, 1, sender=sender)


def test_deposit_reverts_for_nothing(stage, reverts, provider):
    with reverts(stage.vault.ZeroAmount):
        stage.vault.deposit(PROVIDER, 0, sender=provider)


def test_deposit_is_bounded_so_that_no_balance_overflows(hostile, reverts, kit, provider):
    held = hostile.vault.held()
    hostile.token.mint(provider, MOST, sender=provider)
    hostile.token.approve(hostile.vault, 2**256 - 1, sender=provider)
    most = MOST - held
    for amount in (most + 1, 2**256 - 1):
        with reverts(hostile.vault.BalanceTooLarge, member=PROVIDER, amount=amount):
            hostile.vault.deposit(PROVIDER, amount, sender=provider)
    hostile.vault.deposit(PROVIDER, most, sender=provider)
    assert hostile.vault.balanceOf(PROVIDER).free == kit.funds + most
    # All of it in one hand, the largest balance there can be.
    book = hostile.people["book"]
    hostile.vault.lock(PROVIDER, kit.funds + most, sender=book)
    hostile.vault.release([movement(PROVIDER, CONSUMER, kit.funds + most)], sender=book)
    assert tuple(hostile.vault.balanceOf(CONSUMER)) == (MOST, 0)


# PAYING OUT


def test_withdraw_pays_account(stage, kit, provider):
    before = stage.token.balanceOf(provider)
    receipt = stage.vault.withdraw(PROVIDER, kit.funds, sender=provider)
    withdrawn = {"member": PROVIDER, "to": provider, "amount": kit.funds}
    transfer = {"from": stage.vault, "to": provider, "value": kit.funds}
    assert stage.emitted(receipt) == [
        stage.event("vault", "Withdrawn", **withdrawn),
        stage.event("token", "Transfer", **transfer),
    ]
    assert tuple(stage.vault.balanceOf(PROVIDER)) == (0, 0)
    assert stage.token.balanceOf(provider) == before + kit.funds
    assert stage.vault.held() == kit.funds


def test_withdraw_by_treasury_key_pays_account(stage, people, provider):
    before = stage.token.balanceOf(provider)
    stage.vault.withdraw(PROVIDER, 5, sender=people["treasurer"])
    assert stage.token.balanceOf(provider) == before + 5
    assert stage.token.balanceOf(people["treasurer"]) == 0


def test_suspended_member_withdraws(stage, kit, provider):
    stage.govern(stage.members.suspend, PROVIDER)
    stage.vault.withdraw(PROVIDER, kit.funds, sender=provider)
    assert stage.vault.balanceOf(PROVIDER).free == 0


def test_withdraw_reverts_for_outsider_and_other_scopes(stage, reverts, people, outsider):
    for sender in (outsider, people["operator"], people["trader"], people["councillor"]):
        with reverts(stage.members.NotSigner, member=PROVIDER, signer=sender, scope=TREASURY):
            stage.vault.withdraw(PROVIDER, 1, sender=sender)


def test_withdraw_reverts_for_nothing(stage, reverts, provider):
    with reverts(stage.vault.ZeroAmount):
        stage.vault.withdraw(PROVIDER, 0, sender=provider)


def test_withdraw_reverts_beyond_free_balance(stage, reverts, kit, people, provider):
    stage.vault.lock(PROVIDER, 10, sender=people["book"])
    free, wanted = kit.funds - 10, kit.funds - 9
    with reverts(stage.vault.InsufficientFree, member=PROVIDER, free=free, wanted=wanted):
        stage.vault.withdraw(PROVIDER, wanted, sender=provider)
    stage.vault.withdraw(PROVIDER, free, sender=provider)
    assert tuple(stage.vault.balanceOf(PROVIDER)) == (0, 10)


# BY THE MARKET


def test_lock_moves_free_to_locked(stage, kit, people):
    receipt = stage.vault.lock(PROVIDER, 30, sender=people["book"])
    assert stage.emitted(receipt) == [stage.event("vault", "Locked", member=PROVIDER, amount=30)]
    assert tuple(stage.vault.balanceOf(PROVIDER)) == (kit.funds - 30, 30)


def test_lock_reverts_beyond_free_balance(stage, reverts, kit, people):
    values = {"member": PROVIDER, "free": kit.funds, "wanted": kit.funds + 1}
    with reverts(stage.vault.InsufficientFree, **values):
        stage.vault.lock(PROVIDER, kit.funds + 1, sender=people["book"])
    with reverts(stage.vault.InsufficientFree, **(values | {"wanted": 2**256 - 1})):
        stage.vault.lock(PROVIDER, 2**256 - 1, sender=people["book"])


def test_lock_reverts_for_all_but_book_and_deals(stage, reverts, people):
    for name in ("clearing", "provider", "councillor", "outsider"):
        with reverts(stage.vault.NotAllowed, sender=people[name]):
            stage.vault.lock(PROVIDER, 1, sender=people[name])


def test_release_carries_movements_out_in_order(stage, kit, people):
    vault, book = stage.vault, people["book"]
    vault.lock(PROVIDER, 30, sender=book)
    vault.lock(CONSUMER, 50, sender=book)
    moves = [
        movement(CONSUMER, PROVIDER, 20),
        movement(CONSUMER, CONSUMER, 25),
        movement(PROVIDER, PROVIDER, 0),
        movement(PROVIDER, PROVIDER, 11),
        movement(PROVIDER, CONSUMER, 19),
    ]
    held = vault.held()
    receipt = vault.release(moves, sender=people["clearing"])
    assert stage.emitted(receipt) == [stage.event("vault", "Released", movements=moves)]
    assert tuple(vault.balanceOf(PROVIDER)) == (kit.funds - 30 + 20 + 11, 0)
    assert tuple(vault.balanceOf(CONSUMER)) == (kit.funds - 50 + 25 + 19, 5)
    assert vault.held() == held


def test_release_reverts_beyond_locked_balance(stage, reverts, people):
    stage.vault.lock(PROVIDER, 30, sender=people["book"])
    moves = [movement(PROVIDER, PROVIDER, 20), movement(PROVIDER, CONSUMER, 11)]
    with reverts(stage.vault.InsufficientLocked, member=PROVIDER, locked=10, wanted=11):
        stage.vault.release(moves, sender=people["book"])
    assert stage.vault.balanceOf(PROVIDER).locked == 30


def test_release_reverts_for_all_but_the_market(stage, reverts, people):
    for name in ("provider", "councillor", "outsider"):
        with reverts(stage.vault.NotAllowed, sender=people[name]):
            stage.vault.release([], sender=people[name])


# TOKENS THAT MISBEHAVE


def test_fee_on_transfer_is_refused(hostile, reverts, provider):
    behave(hostile, FEE)
    with reverts(hostile.vault.UnexpectedTransfer, expected=10, moved=9):
        hostile.vault.deposit(PROVIDER, 10, sender=provider)
    # On the way out the fee is the receiver's: the vault pays exactly what it owed.
    hostile.vault.withdraw(PROVIDER, 10, sender=provider)
    assert hostile.token.balanceOf(hostile.vault) == hostile.vault.held()


def test_transfer_that_moves_nothing_is_refused(hostile, reverts, provider):
    behave(hostile, SKIP)
    with reverts(hostile.vault.UnexpectedTransfer, expected=10, moved=0):
        hostile.vault.deposit(PROVIDER, 10, sender=provider)
    with reverts(hostile.vault.UnexpectedTransfer, expected=10, moved=0):
        hostile.vault.withdraw(PROVIDER, 10, sender=provider)


def test_transfer_that_returns_false_is_refused(hostile, reverts, provider):
    behave(hostile, REFUSE)
    with reverts(hostile.vault.SafeERC20FailedOperation, token=hostile.token):
        hostile.vault.deposit(PROVIDER, 10, sender=provider)
    with reverts(hostile.vault.SafeERC20FailedOperation, token=hostile.token):
        hostile.vault.withdraw(PROVIDER, 10, sender=provider)


def test_rebasing_down_stops_deposits_and_no_withdrawal(hostile, reverts, kit, provider):
    held = hostile.vault.held()
    hostile.token.burn(hostile.vault, 1, sender=provider)
    with reverts(hostile.vault.TokenShrunk, held=held, balance=held - 1):
        hostile.vault.deposit(PROVIDER, 10, sender=provider)
    hostile.vault.withdraw(PROVIDER, kit.funds, sender=provider)
    assert hostile.vault.held() == held - kit.funds


def test_rebasing_up_is_a_donation(hostile, provider):
    held = hostile.vault.held()
    hostile.token.mint(hostile.vault, 5, sender=provider)
    hostile.vault.deposit(PROVIDER, 10, sender=provider)
    assert hostile.vault.held() == held + 10
    assert hostile.token.balanceOf(hostile.vault) == held + 15


@pytest.mark.parametrize("verb", ["deposit", "withdraw"])
def test_reentering_is_refused(hostile, reverts, provider, verb):
    # The token itself holds the provider's treasury key, so only the guard stands in its way.
    hostile.members.setSigner(hostile.token, TREASURY, 0, sender=provider)
    for inner in (hostile.vault.deposit, hostile.vault.withdraw):
        behave(hostile, REENTER, data=inner.encode_input(PROVIDER, 1))
        with reverts(hostile.vault.ReentrancyGuardReentrantCall):
            getattr(hostile.vault, verb)(PROVIDER, 10, sender=provider)
