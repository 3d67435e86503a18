"""The embedded chain: by itself, through web3 in process, and through web3 over HTTP."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import rlp
from eth_account import Account
from eth_hash.auto import keccak
from trie import HexaryTrie
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.exceptions import (
    BlockNotFound,
    ContractCustomError,
    ContractLogicError,
    TransactionNotFound,
    Web3RPCError,
)

from capshare.devnet.accounts import BALANCE, dev_accounts
from capshare.devnet.blocks import LogFilter
from capshare.devnet.clock import Clock
from capshare.devnet.embedded import EmbeddedChain
from capshare.devnet.evm import CallFailed, CallMessage, TransactionRefused
from capshare.devnet.provider import EmbeddedProvider
from capshare.devnet.server import DevnetServer
from capshare.errors import NotFound

START = 1_800_000_000
ACCOUNTS = dev_accounts(count=5)
PAYER, PAYEE = ACCOUNTS[:2]
ABI = json.loads(
    """[
    {"type": "function", "name": "count", "stateMutability": "nonpayable",
     "inputs": [], "outputs": []},
    {"type": "function", "name": "fail", "stateMutability": "view",
     "inputs": [], "outputs": []},
    {"type": "function", "name": "counted", "stateMutability": "view",
     "inputs": [], "outputs": [{"name": "", "type": "uint256"}]},
    {"type": "function", "name": "now", "stateMutability": "view",
     "inputs": [], "outputs": [{"name": "", "type": "uint256"}]},
    {"type": "function", "name": "parent", "stateMutability": "view",
     "inputs": [], "outputs": [{"name": "", "type": "uint256"}]},
    {"type": "event", "name": "Counted", "anonymous": false,
     "inputs": [{"name": "count", "type": "uint256", "indexed": true},
                {"name": "by", "type": "address", "indexed": false}]},
    {"type": "error", "name": "TooLate",
     "inputs": [{"name": "now", "type": "uint256"}, {"name": "deadline", "type": "uint256"}]}
    ]"""
)
COUNTED = keccak(b"Counted(uint256,address)")
TOO_LATE = keccak(b"TooLate(uint256,uint256)")[:4]
DEADLINE = 12


def assemble(text: str) -> bytes:
    """Return the code of a listing: opcodes by number, `$name` pushes a label, `name:` sets it."""
    code, places, uses = bytearray(), {}, []
    for word in text.split():
        if word.endswith(":"):
            places[word[:-1]] = len(code)
            code.append(0x5B)
        elif word.startswith("$"):
            uses.append((len(code) + 1, word[1:]))
            code += b"\x61\0\0"
        else:
            code += bytes.fromhex(word)
    for place, name in uses:
        code[place : place + 2] = places[name].to_bytes(2, "big")
    return bytes(code)


def selector(signature: str) -> str:
    return "63" + keccak(signature.encode())[:4].hex()


RUNTIME = assemble(
    f"""
    6000 35 60e0 1c
    80 {selector("count()")} 14 $count 57
    80 {selector("fail()")} 14 $fail 57
    80 {selector("counted()")} 14 $counted 57
    80 {selector("now()")} 14 $now 57
    80 {selector("parent()")} 14 $parent 57
    6000 6000 fd
    count:   6000 54 6001 01 80 6000 55 33 6000 52 7f{COUNTED.hex()} 6020 6000 a2 00
    fail:    63{TOO_LATE.hex()} 60e0 1b 6000 52 42 6004 52 60{DEADLINE:02x} 6024 52 6044 6000 fd
    counted: 6000 54 $answer 56
    now:     42 $answer 56
    parent:  6001 43 03 40 $answer 56
    answer:  6000 52 6020 6000 f3
    """
)
CREATION = assemble(f"61{len(RUNTIME):04x} 80 600c 6000 39 6000 f3") + RUNTIME


def call(name: str) -> bytes:
    return keccak(f"{name}()".encode())[:4]


def deploy(chain: EmbeddedChain) -> bytes:
    address = chain.send(PAYER, None, CREATION).contract_address
    assert address is not None
    return address


@pytest.fixture
def chain() -> EmbeddedChain:
    return EmbeddedChain(genesis_time=START, accounts=ACCOUNTS)


@pytest.fixture
def counter(chain: EmbeddedChain) -> bytes:
    return deploy(chain)


@pytest.fixture
def server(chain: EmbeddedChain) -> Iterator[DevnetServer]:
    with DevnetServer(chain) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(params=["in process", "over HTTP"])
def web3(request: pytest.FixtureRequest, chain: EmbeddedChain) -> Web3:
    if request.param == "in process":
        return Web3(EmbeddedProvider(chain))
    return Web3(HTTPProvider(request.getfixturevalue("server").url))


@pytest.fixture
def contract(web3: Web3, counter: bytes) -> Contract:
    return web3.eth.contract(address=Web3.to_checksum_address(counter), abi=ABI)


# The chain itself


def test_transaction_is_mined_at_once_in_a_block_of_its_own(
    chain: EmbeddedChain, counter: bytes
) -> None:
    before = chain.head
    receipt = chain.send(PAYEE, counter, call("count"))
    assert chain.head.number == receipt.block_number == before.number + 1
    assert chain.head.header.parent_hash == before.hash
    assert chain.head.timestamp == before.timestamp + 1
    assert [log.topics for log in receipt.logs] == [(COUNTED, (1).to_bytes(32, "big"))]
    assert int.from_bytes(chain.call(counter, call("counted")), "big") == 1


def test_reverted_transaction_is_mined_and_keeps_its_data(
    chain: EmbeddedChain, counter: bytes
) -> None:
    receipt = chain.send(PAYER, counter, call("fail"), gas=100_000)
    assert not receipt.succeeded
    assert receipt.outcome.reverted
    assert receipt.outcome.output[:4] == TOO_LATE
    assert chain.nonce(PAYER.raw) == 2


def test_call_that_reverts_raises_with_the_data(chain: EmbeddedChain, counter: bytes) -> None:
    with pytest.raises(CallFailed) as caught:
        chain.call(counter, call("fail"))
    assert caught.value.reverted
    expected = TOO_LATE + chain.head.timestamp.to_bytes(32, "big") + DEADLINE.to_bytes(32, "big")
    assert caught.value.data == expected


def test_call_leaves_no_trace(chain: EmbeddedChain, counter: bytes) -> None:
    root = chain.head.header.state_root
    message = CallMessage(sender=PAYER.raw, to=counter, data=call("count"), value=0, gas=1_000_000)
    first, second = chain.execute(message), chain.execute(message)
    assert first == second  # not even warm slots are left
    assert first.logs
    assert chain.storage(counter, 0) == 0
    assert chain.mine().header.state_root == root


def test_call_sees_the_state_of_its_block(chain: EmbeddedChain, counter: bytes) -> None:
    height = chain.head.number
    chain.send(PAYER, counter, call("count"))
    chain.send(PAYER, counter, call("count"))
    counts = [
        int.from_bytes(chain.call(counter, call("counted"), block=height + n), "big")
        for n in range(3)
    ]
    assert counts == [0, 1, 2]
    times = [
        int.from_bytes(chain.call(counter, call("now"), block=height + n), "big") for n in range(3)
    ]
    assert times == [chain.block(height + n).timestamp for n in range(3)]


def test_code_sees_the_parents_hash(chain: EmbeddedChain, counter: bytes) -> None:
    chain.mine()
    assert chain.call(counter, call("parent")) == chain.head.header.parent_hash


def test_gas_before_refunds_is_what_the_rules_charge(chain: EmbeddedChain) -> None:
    # Storage from 0 to 1 and back gives 19,900 gas back, but at most a fifth of all.
    clearing = assemble("6001 6000 55 6000 6000 55 00")
    receipt = chain.send(PAYER, None, clearing, gas=200_000)
    assert receipt.outcome.gas_refunded > 0
    assert receipt.gas_before_refunds == receipt.gas_used + receipt.outcome.gas_refunded
    assert receipt.gas_before_refunds == 53_000 + 7 * 16 + 4 * 4 + 4 * 3 + 22_100 + 100
    assert receipt.outcome.gas_refunded == receipt.gas_before_refunds // 5


def test_same_transactions_give_the_same_chain() -> None:
    heads = []
    for _ in range(2):
        chain = EmbeddedChain(genesis_time=START, accounts=ACCOUNTS)
        counter = deploy(chain)
        chain.warp(seconds=3_600)
        chain.send(PAYEE, counter, call("count"))
        heads.append(chain.head.hash)
    assert heads[0] == heads[1]


def test_virtual_time_moves_only_by_blocks_and_warps(chain: EmbeddedChain) -> None:
    assert chain.head.timestamp == START
    assert chain.mine().timestamp == START + 1
    assert chain.warp(seconds=100) == START + 102
    assert chain.mine().timestamp == START + 103
    assert chain.warp(to=START + 500) == START + 500
    assert chain.mine().timestamp == START + 501


def test_warp_refuses_to_go_back(chain: EmbeddedChain) -> None:
    with pytest.raises(TransactionRefused, match="not later"):
        chain.warp(to=START)


def test_running_clock_follows_the_wall_and_stays_ahead_after_a_warp() -> None:
    wall = [1000.0]
    chain = EmbeddedChain(clock=Clock(virtual=False, now=lambda: wall[0]), accounts=ACCOUNTS)
    assert chain.head.timestamp == 1000
    assert chain.mine().timestamp == 1001  # later than its parent in the same second
    wall[0] += 50
    assert chain.mine().timestamp == 1050
    assert chain.warp(seconds=3_600) == 4650
    wall[0] += 10
    assert chain.mine().timestamp == 4660


def test_revert_brings_back_chain_time_and_nonces(chain: EmbeddedChain, counter: bytes) -> None:
    head, snapshot = chain.head, chain.snapshot()
    gone = chain.send(PAYER, counter, call("count"))
    chain.warp(seconds=1_000)
    chain.revert(snapshot)
    assert chain.head is head
    assert chain.time == head.timestamp + 1
    assert chain.storage(counter, 0) == 0
    with pytest.raises(NotFound):
        chain.receipt(gone.transaction_hash)
    with pytest.raises(NotFound):
        chain.revert(snapshot)
    assert chain.send(PAYER, counter, call("count")).transaction_hash == gone.transaction_hash


def test_transactions_wait_for_a_block_without_automine(
    chain: EmbeddedChain, counter: bytes
) -> None:
    chain.automine = False
    first = chain.send_raw(chain.sign(PAYER, counter, call("count"), gas=60_000))
    second = chain.send_raw(chain.sign(PAYEE, counter, call("count"), gas=60_000))
    third = chain.send_raw(chain.sign(PAYER, counter, call("count"), gas=60_000))
    assert chain.nonce(PAYER.raw, "pending") == chain.nonce(PAYER.raw) + 2
    block = chain.mine()
    assert [each.transaction_hash for each in block.receipts] == [first, second, third]
    assert [log.log_index for log in chain.logs()] == [0, 1, 2]
    assert block.receipts[-1].cumulative_gas_used == block.header.gas_used
    assert chain.storage(counter, 0) == 3


def test_transactions_beyond_the_gas_limit_wait_for_the_next_block() -> None:
    chain = EmbeddedChain(genesis_time=START, accounts=ACCOUNTS, gas_limit=150_000, automine=False)
    for _ in range(3):
        chain.send_raw(chain.sign(PAYER, PAYEE.raw, value=1, gas=60_000))
    assert [len(chain.mine().receipts) for _ in range(3)] == [2, 1, 0]


def test_transaction_with_a_nonce_ahead_waits_for_those_before(chain: EmbeddedChain) -> None:
    late = chain.sign(PAYER, PAYEE.raw, value=2, gas=21_000, nonce=1)
    early = chain.sign(PAYER, PAYEE.raw, value=1, gas=21_000, nonce=0)
    waiting = chain.send_raw(late)
    assert chain.head.number == 0
    assert chain.waiting(waiting) is not None
    chain.send_raw(early)
    assert chain.head.number == 2
    assert chain.receipt(waiting).block_number == 2


def signed(**fields: Any) -> bytes:
    terms = {
        "chainId": 31337,
        "nonce": 0,
        "gas": 21_000,
        "gasPrice": 0,
        "value": 1,
        "to": PAYEE.address,
    } | fields
    return bytes(Account.sign_transaction(terms, PAYER.key).raw_transaction)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (signed(chainId=1), "invalid chain id"),
        (signed(gas=20_999), "intrinsic gas too low"),
        (signed(gas=200_000_001), "exceeds block gas limit"),
        (signed(value=BALANCE + 1), "insufficient funds"),
        (signed(gasPrice=BALANCE), "insufficient funds"),
        (b"", "invalid transaction"),
        (b"\x05" + signed(), "invalid transaction"),
        (signed()[:-1], "invalid transaction"),
    ],
)
def test_impossible_transaction_is_refused(chain: EmbeddedChain, raw: bytes, reason: str) -> None:
    with pytest.raises(TransactionRefused, match=reason):
        chain.send_raw(raw)
    assert chain.head.number == 0


def test_spent_nonce_and_known_transaction_are_refused(chain: EmbeddedChain) -> None:
    chain.send_raw(signed())
    with pytest.raises(TransactionRefused, match="already known"):
        chain.send_raw(signed())
    with pytest.raises(TransactionRefused, match="nonce too low: next nonce 1, tx 0"):
        chain.send_raw(signed(value=2))


def test_transaction_without_replay_protection_is_refused(chain: EmbeddedChain) -> None:
    terms = {"nonce": 0, "gas": 21_000, "gasPrice": 0, "value": 1, "to": PAYEE.address}
    raw = bytes(Account.sign_transaction(terms, PAYER.key).raw_transaction)
    with pytest.raises(TransactionRefused, match="invalid chain id"):
        chain.send_raw(raw)


def test_fees_are_paid_where_they_are_offered(chain: EmbeddedChain) -> None:
    chain.send_raw(signed(gasPrice=10))
    assert chain.balance(PAYER.raw) == BALANCE - 1 - 210_000


def test_estimate_suffices_and_little_less_does_not(chain: EmbeddedChain, counter: bytes) -> None:
    message = CallMessage(
        sender=PAYER.raw, to=counter, data=call("count"), value=0, gas=chain.gas_limit
    )
    gas = chain.estimate_gas(message)
    assert not chain.send(PAYER, counter, call("count"), gas=int(gas / 1.02)).succeeded
    used = chain.send(PAYER, counter, call("count"), gas=gas)
    assert used.succeeded
    assert used.gas_before_refunds <= gas <= used.gas_before_refunds * 1.02


# web3, in process and over HTTP


def test_web3_deploys_sends_and_reads(web3: Web3) -> None:
    signer = Account.from_key(PAYER.key)
    transaction = {
        "from": signer.address,
        "data": CREATION,
        "nonce": 0,
        "gas": 500_000,
        "gasPrice": web3.eth.gas_price,
        "chainId": web3.eth.chain_id,
    }
    sent = web3.eth.send_raw_transaction(signer.sign_transaction(transaction).raw_transaction)
    receipt = web3.eth.wait_for_transaction_receipt(sent)
    assert receipt["status"] == 1
    address = receipt["contractAddress"]
    assert bytes(web3.eth.get_code(address)) == RUNTIME
    contract = web3.eth.contract(address=address, abi=ABI)
    # web3 fills in gas and fees of a type 2 transaction by itself.
    terms = contract.functions.count().build_transaction({"from": signer.address, "nonce": 1})
    assert terms["maxFeePerGas"] == 0
    again = web3.eth.send_raw_transaction(signer.sign_transaction(terms).raw_transaction)
    mined = web3.eth.get_transaction(again)
    assert (mined["type"], mined["from"], mined["nonce"]) == (2, signer.address, 1)
    assert contract.functions.counted().call() == 1
    assert contract.functions.counted().call(block_identifier=1) == 0
    assert web3.eth.get_transaction_count(signer.address) == 2
    assert int.from_bytes(web3.eth.get_storage_at(address, 0), "big") == 1


def test_web3_sends_from_a_dev_account(web3: Web3, contract: Contract) -> None:
    assert web3.eth.accounts == [account.address for account in ACCOUNTS]
    sent = contract.functions.count().transact({"from": PAYEE.address})
    receipt = web3.eth.wait_for_transaction_receipt(sent)
    events = contract.events.Counted().process_receipt(receipt)
    assert [dict(event["args"]) for event in events] == [{"count": 1, "by": PAYEE.address}]


def test_web3_shows_a_custom_error_of_a_call(
    web3: Web3, contract: Contract, chain: EmbeddedChain
) -> None:
    values = chain.head.timestamp.to_bytes(32, "big") + DEADLINE.to_bytes(32, "big")
    data = "0x" + (TOO_LATE + values).hex()
    with pytest.raises(ContractCustomError) as caught:
        contract.functions.fail().call()
    assert caught.value.data == data
    with pytest.raises(ContractCustomError) as caught:
        contract.functions.fail().estimate_gas({"from": PAYER.address})
    assert caught.value.data == data


def test_web3_shows_the_words_of_a_plain_revert(web3: Web3) -> None:
    words = b"no capacity"
    plain = bytes.fromhex("08c379a0") + (32).to_bytes(32, "big") + len(words).to_bytes(32, "big")
    data = plain + words.ljust(32, b"\0")
    stores = b"".join(
        b"\x7f" + data[place : place + 32].ljust(32, b"\0") + b"\x60" + bytes([place]) + b"\x52"
        for place in range(0, len(data), 32)
    )
    code = stores + bytes((0x60, len(data), 0x60, 0, 0xFD))
    with pytest.raises(ContractLogicError, match="execution reverted: no capacity"):
        web3.eth.call({"from": PAYER.address, "data": code})


def test_web3_sees_a_failed_call_that_is_no_revert(web3: Web3) -> None:
    with pytest.raises(Web3RPCError, match="invalid instruction"):
        web3.eth.call({"from": PAYER.address, "data": b"\xfe"})


def test_receipt_of_a_revert_names_its_reason(web3: Web3, contract: Contract) -> None:
    sent = contract.functions.fail().transact({"from": PAYER.address, "gas": 100_000})
    receipt = web3.eth.wait_for_transaction_receipt(sent)
    assert receipt["status"] == 0
    assert receipt["revertReason"].startswith("0x" + TOO_LATE.hex())


def test_web3_reads_blocks(web3: Web3, chain: EmbeddedChain, counter: bytes) -> None:
    block = web3.eth.get_block(1, full_transactions=True)
    assert block["hash"] == chain.head.hash
    assert block["transactions"][0]["from"] == PAYER.address
    assert block["timestamp"] == START + 1
    assert web3.eth.get_block(block["hash"])["transactions"] == [block["transactions"][0]["hash"]]
    assert web3.eth.get_block("earliest")["number"] == 0
    assert web3.eth.get_block("pending")["number"] == web3.eth.block_number == 1
    with pytest.raises(BlockNotFound):
        web3.eth.get_block(99)
    with pytest.raises(TransactionNotFound):
        web3.eth.get_transaction_receipt("0x" + "11" * 32)


def test_header_hash_follows_from_the_fields_that_web3_reads(web3: Web3, counter: bytes) -> None:
    block = web3.eth.get_block(1)
    raw = web3.provider.make_request("debug_getRawHeader", ["0x1"])["result"]
    assert keccak(bytes.fromhex(raw[2:])) == block["hash"]
    fields = rlp.decode(bytes.fromhex(raw[2:]))
    assert fields[3] == bytes(block["stateRoot"])
    assert fields[5] == bytes(block["receiptsRoot"])


def test_logs_are_found_by_address_topics_and_blocks(web3: Web3, chain: EmbeddedChain) -> None:
    first, second = deploy(chain), deploy(chain)
    for address in (first, second, first):
        chain.send(PAYER, address, call("count"))

    def found(**wanted: Any) -> list[int]:
        wanted = {"fromBlock": 0, "toBlock": "latest"} | wanted
        return [log["blockNumber"] for log in web3.eth.get_logs(wanted)]

    one, two = Web3.to_checksum_address(first), Web3.to_checksum_address(second)
    count = ["0x" + number.to_bytes(32, "big").hex() for number in range(3)]
    name = "0x" + COUNTED.hex()
    assert found() == [3, 4, 5]
    assert found(address=one) == [3, 5]
    assert found(address=[one, two]) == [3, 4, 5]
    assert found(topics=[name]) == [3, 4, 5]
    assert found(topics=[None, count[1]]) == [3, 4]
    assert found(topics=[[name, count[0]], [count[2], count[0]]]) == [5]
    assert found(topics=[count[1]]) == []
    assert found(topics=[name, None, None]) == []
    assert found(fromBlock=4) == [4, 5]
    assert found(fromBlock=4, toBlock=4) == [4]
    assert found(fromBlock=4, toBlock=99) == [4, 5]
    by_hash = web3.eth.get_logs({"blockHash": chain.block(4).hash})
    assert [log["address"] for log in by_hash] == [two]
    contract = web3.eth.contract(address=one, abi=ABI)
    assert [each["args"]["count"] for each in contract.events.Counted().get_logs(from_block=0)] == [
        1,
        2,
    ]
    assert [log.block_number for log in chain.logs(LogFilter(addresses=frozenset({second})))] == [4]


def test_web3_warps_and_comes_back(web3: Web3, contract: Contract) -> None:
    ask = web3.provider.make_request
    before = contract.functions.now().call()
    snapshot = ask("evm_snapshot", [])["result"]
    ask("evm_increaseTime", [7_200])
    ask("evm_mine", [])
    assert contract.functions.now().call() == before + 7_201
    ask("evm_setNextBlockTimestamp", [before + 10_000])
    assert contract.functions.now().call(block_identifier="pending") == before + 10_000
    ask("evm_mine", [])
    assert contract.functions.now().call() == before + 10_000
    assert ask("evm_revert", [snapshot])["result"] is True
    assert contract.functions.now().call() == before
    assert ask("evm_revert", [snapshot])["result"] is False


def test_web3_batches_requests(web3: Web3, contract: Contract) -> None:
    with web3.batch_requests() as batch:
        batch.add(web3.eth.get_block(0))
        batch.add(contract.functions.counted())
        batch.add(web3.eth.get_balance(PAYEE.address))
        block, counted, balance = batch.execute()
    assert (block["number"], counted, balance) == (0, 0, BALANCE)


def test_raw_transactions_go_in_one_batch(web3: Web3, chain: EmbeddedChain) -> None:
    raws = ["0x" + signed(nonce=nonce).hex() for nonce in (1, 0, 2)]
    answers = web3.provider.make_batch_request([("eth_sendRawTransaction", [raw]) for raw in raws])
    assert all(answer["result"] for answer in answers)
    assert chain.head.number == 3


def test_proof_leads_from_the_state_root_to_a_storage_word(
    web3: Web3, chain: EmbeddedChain, counter: bytes
) -> None:
    chain.send(PAYER, counter, call("count"))
    proof = web3.eth.get_proof(Web3.to_checksum_address(counter), [0, 1], "latest")
    nodes = [rlp.decode(bytes(node)) for node in proof["accountProof"]]
    encoded = HexaryTrie.get_from_proof(chain.head.header.state_root, keccak(counter), nodes)
    nonce, balance, storage_root, code_hash = rlp.decode(encoded)
    assert (nonce, balance, code_hash) == (b"\x01", b"", keccak(RUNTIME))
    assert storage_root == proof["storageHash"]
    word, absent = proof["storageProof"]
    assert (int.from_bytes(word["value"], "big"), int.from_bytes(absent["value"], "big")) == (1, 0)
    nodes = [rlp.decode(bytes(node)) for node in word["proof"]]
    found = HexaryTrie.get_from_proof(storage_root, keccak(bytes(32)), nodes)
    assert rlp.decode(found) == b"\x01"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"jsonrpc": "2.0", "id": 1, "method": "eth_nothing", "params": []}, -32601),
        ({"jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": []}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": ["0x12"]}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": ["0x12"]}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": ["0x"]}, -32000),
        ([], -32600),
        (7, -32600),
    ],
)
def test_bad_request_gets_its_error_code(server: DevnetServer, request_: object, code: int) -> None:
    answer = json.loads(server.answer(json.dumps(request_).encode()))
    assert answer["error"]["code"] == code


def test_body_that_is_no_json_gets_its_error_code(server: DevnetServer) -> None:
    assert json.loads(server.answer(b"{"))["error"]["code"] == -32700


def test_server_refuses_a_foreign_host_name(server: DevnetServer) -> None:
    """A web page that a name of its own leads here must not reach the accounts."""
    request = urllib.request.Request(server.url, b"{}", {"Host": "example.org"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    caught.value.close()
    assert caught.value.code == 403


def test_clients_at_the_same_time_take_turns(
    server: DevnetServer, chain: EmbeddedChain, counter: bytes
) -> None:
    def count(account: int) -> None:
        web3 = Web3(HTTPProvider(server.url))
        contract = web3.eth.contract(address=Web3.to_checksum_address(counter), abi=ABI)
        for _ in range(5):
            contract.functions.count().transact(
                {"from": ACCOUNTS[account].address, "gas": 100_000, "gasPrice": 0}
            )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))
    assert chain.storage(counter, 0) == 20


def test_idle_chain_shows_a_new_block_when_it_is_asked() -> None:
    wall = [1000.0]
    chain = EmbeddedChain(clock=Clock(virtual=False, now=lambda: wall[0]), accounts=ACCOUNTS)
    ask = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
    with DevnetServer(chain, idle_seconds=5) as server:
        numbers = []
        for seconds in (0, 4, 1, 1):
            wall[0] += seconds
            numbers.append(json.loads(server.answer(json.dumps(ask).encode()))["result"])
    assert numbers == ["0x0", "0x0", "0x1", "0x1"]
    assert chain.head.timestamp == 1005
