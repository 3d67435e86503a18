"""Deployment on an embedded chain: once, again, cut off anywhere, and compared with its book."""

from dataclasses import replace

import pytest

from capshare import abi, artifacts, deployments, parameters
from capshare.chain import Chain
from capshare.deploy import TOKEN, deploy, prepare, steps, verify
from capshare.deployments import CONTRACTS
from capshare.devnet.accounts import dev_accounts
from capshare.devnet.embedded import EmbeddedChain
from capshare.devnet.provider import EmbeddedProvider
from capshare.errors import Discrepancy, NetworkError, UsageError
from capshare.keys import LocalSigner
from capshare.plans import devnet_plan
from capshare.verification import immutables

ACCOUNTS = dev_accounts(count=5)
PLAN = devnet_plan("default", "pilot", [a.address for a in ACCOUNTS[:3]])


class Cut(Exception):
    """Raised in the middle of a deployment."""


@pytest.fixture
def network():
    return EmbeddedChain(accounts=ACCOUNTS)


@pytest.fixture
def chain(network):
    return Chain(EmbeddedProvider(network))


@pytest.fixture
def deployer():
    return LocalSigner(ACCOUNTS[4].key)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "default.json"


def test_deployment_is_complete_and_verified(chain, deployer, path):
    book = deploy(chain, deployer, PLAN, path)
    assert book.complete
    assert verify(chain, book) == []
    assert deployments.load(path) == book


def test_founders_are_the_first_members(chain, deployer, path):
    book = deploy(chain, deployer, PLAN, path)
    members = book.address("MemberRegistry")
    assert chain.call(members, "MemberRegistry", "council") == (1, 2, 3)
    for number, account in enumerate(ACCOUNTS[:3], 1):
        assert chain.call(members, "MemberRegistry", "memberOf", (account.address,)) == number


def test_second_deployment_of_the_plan_sends_nothing(chain, deployer, path):
    book = deploy(chain, deployer, PLAN, path)
    before = chain.nonce(deployer.address)
    assert deploy(chain, deployer, PLAN, path) == book
    assert chain.nonce(deployer.address) == before


@pytest.mark.parametrize("cut_after", [TOKEN, *CONTRACTS])
def test_deployment_cut_off_anywhere_is_finished(chain, deployer, path, cut_after):
    def stop(step):
        if step.contract == cut_after:
            raise Cut

    with pytest.raises(Cut):
        deploy(chain, deployer, PLAN, path, stop)
    book = deploy(chain, deployer, PLAN, path)
    assert book.complete
    assert chain.nonce(deployer.address) == len(CONTRACTS) + 1


def test_deployment_cut_off_before_it_saw_the_block_is_finished(chain, deployer, path):
    book = prepare(chain, deployer.address, PLAN)
    deployments.save(path, book)
    chain.send(deployer, steps(book, PLAN)[0].data)  # and the book knows nothing of it
    assert deploy(chain, deployer, PLAN, path).complete


def test_key_used_for_something_else_is_refused(chain, deployer, path):
    deployments.save(path, prepare(chain, deployer.address, PLAN))
    chain.send(deployer, b"", to=ACCOUNTS[0].address)
    chain.send(deployer, b"", to=ACCOUNTS[0].address)
    with pytest.raises(NetworkError, match="used for something else") as refused:
        deploy(chain, deployer, PLAN, path)
    assert "--name" in refused.value.next_step


def test_other_plan_under_the_same_name_is_refused(chain, deployer, path):
    deploy(chain, deployer, PLAN, path)
    other = replace(PLAN, parameters=parameters.load("production", 3).parameters)
    with pytest.raises(UsageError, match="other parameters"):
        deploy(chain, deployer, other, path)


def test_deployment_with_an_existing_token_keeps_it(chain, deployer, path, tmp_path):
    token = deploy(chain, deployer, PLAN, path).token
    second = replace(PLAN, name="second", token=token)
    book = deploy(chain, deployer, second, tmp_path / "second.json")
    assert (book.token, book.token_symbol, book.token_decimals) == (token, "EUR", 3)
    assert deploy(chain, deployer, second, tmp_path / "second.json") == book


def test_token_address_without_a_contract_is_refused(chain, deployer):
    plan = replace(PLAN, token=ACCOUNTS[0].address)
    with pytest.raises(UsageError, match="no contract at token address"):
        prepare(chain, deployer.address, plan)


def test_verification_names_each_immutable_that_differs(chain, deployer, path):
    book = deploy(chain, deployer, PLAN, path)
    other = replace(book, parameters={**book.parameters, "round": 11, "newcomer_cap": 1})
    found = verify(chain, other)
    assert any("CapacityBook._round is 0xa, not 0xb" in each for each in found)
    assert any("CreditLedger.newcomerCap" in each for each in found)


def test_verification_names_missing_and_foreign_code(chain, deployer, path):
    book = deploy(chain, deployer, PLAN, path)
    swapped = {**book.addresses, "Vault": book.token, "Deals": ACCOUNTS[0].address}
    found = verify(chain, replace(book, addresses=swapped))
    assert any(each.startswith("Vault: the code at") for each in found)
    assert any(each.startswith("Deals: no code at") for each in found)


def test_verification_names_other_founders(chain, deployer, path):
    book = deploy(chain, deployer, PLAN, path)
    first = {**book.founders[0], "identity": "0x" + "01" * 32}
    found = verify(chain, replace(book, founders=(first, *book.founders[1:])))
    assert found == ["founder 1, Founder 1, is member 0"]


def test_verification_names_another_chain_and_other_artifacts(chain, deployer, path):
    book = deploy(chain, deployer, PLAN, path)
    assert "is not the book's" in verify(chain, replace(book, chain_id=5))[0]
    assert "artifacts" in verify(chain, replace(book, artifact_checksum="0" * 64))[0]


def test_deployment_that_differs_raises(chain, deployer, path, monkeypatch):
    monkeypatch.setattr("capshare.deploy.verify", lambda *_: ["Vault: no code at 0x00"])
    with pytest.raises(Discrepancy, match="Vault: no code"):
        deploy(chain, deployer, PLAN, path)


def test_every_immutable_of_every_contract_has_an_expected_value(chain, deployer):
    book = prepare(chain, deployer.address, PLAN)
    for contract in CONTRACTS:
        assert immutables(contract, book).keys() == set(
            artifacts.load(contract).immutable_references
        )


def test_every_contract_of_the_artifacts_is_deployed_or_a_token():
    assert set(artifacts.names()) - {*CONTRACTS} == {TOKEN, "HostileToken"}


def test_errors_of_all_contracts_are_known_by_name():
    assert {"Suboptimal", "SaltUsed", "InsufficientFree", "NotProven"} <= abi.error_names()
