"""The contracts and the ledger, given the same commands and compared after each."""

from collections import Counter
from typing import Any

from capshare import abi, ledger
from capshare.deploy import TOKEN
from capshare.events import MemberAdmitted, RulesSet, ValidatorsSet, decode
from capshare.ledger import Deployment, Refusal, calldata, views
from capshare.ledger.commands import Command, Execute
from capshare.questions import History, questions
from capshare.replay import plain, storage_root
from tests.evm.machines import Log, Outcome, PyEvm
from tests.evm.world import DEPLOYER, World


class Difference(AssertionError):
    """The contracts and the ledger disagree."""


class Pair:
    """A deployment and its twin. `accepted` counts commands by class, `refused` errors by name."""

    def __init__(self, world: World) -> None:
        self.world = world
        raw = {name: bytes.fromhex(a[2:]) for name, a in world.addresses.items()}
        self.deployment = Deployment(
            chain_id=world.machine.chain_id,
            council=raw["Council"],
            members=raw["MemberRegistry"],
            assets=raw["AssetRegistry"],
            book=raw["CapacityBook"],
            clearing=raw["Clearing"],
            deals=raw["Deals"],
            vault=raw["Vault"],
            credit=raw["CreditLedger"],
            token=raw[TOKEN],
        )
        self.state = ledger.State(self.deployment)
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.deal_states: Counter[int] = Counter({0: 0})
        self.events: Counter[str] = Counter()
        self._words: dict[str, dict[int, int]] = {}
        self._history = History(state=self.state)
        for event in self._founding():
            ledger.apply(self.state, event, world.now)
        self.compare_storage()

    @property
    def now(self) -> int:
        """Time of the next transaction [unix s]."""
        return self.world.now

    def do(self, command: Command) -> tuple[Any, ...] | Refusal:
        """Give a command to both sides; raise Difference unless they do the same."""
        outcome = self.world.machine.transact(
            "0x" + command.sender.hex(),
            self.world.addresses[calldata.contract_of(command)],
            calldata.encode(command),
        )
        decided = ledger.decide(self.state, command)
        if isinstance(decided, Refusal):
            self._compare_refusal(command, outcome, decided)
            self._count_refusal(decided)
            return decided
        self._compare_events(command, outcome, decided)
        for event in decided:
            ledger.apply(self.state, event, command.now)
            self._history.remember(event)
            self.events[type(event).__name__] += 1
            if hasattr(event, "deal"):
                self.deal_states[self.state.progress[event.deal].state] += 1
        self.accepted[type(command).__name__] += 1
        if isinstance(command, Execute):
            self._count_calls(command)
        self.compare_touched(command)
        return decided

    def compare_touched(self, command: Command | None = None) -> None:
        """Compare each storage word that the ledger says has changed since the last comparison."""
        words = ledger.storage_words(self.state)
        for contract, now in words.items():
            before = self._words.get(contract, {})
            if now == before:
                continue
            for slot in now.keys() | before.keys():
                if now.get(slot, 0) != before.get(slot, 0):
                    self._compare_word(contract, slot, now.get(slot, 0), command)
        self._words = words
        self._compare_conservation(command)

    def compare_storage(self) -> int:
        """Compare every storage word and every batch's code; return how many words there are."""
        self._words = ledger.storage_words(self.state)
        for contract, words in self._words.items():
            for slot, word in words.items():
                self._compare_word(contract, slot, word, None)
        for batch in range(1, self.state.batch_count + 1):
            pointer = self.world.view("CapacityBook", "pointerOf", (batch,))
            if self.world.machine.code(pointer) != ledger.batch_code(self.state, batch):
                raise Difference(f"code of batch {batch}")
        return sum(map(len, self._words.values()))

    def compare_views(self) -> int:
        """Compare every view with all arguments that the log gives it; return how many."""
        count = 0
        for contract, function, arguments in questions(self._history):
            asked = abi.encode_call(contract, function, [plain(each) for each in arguments])
            found = self.world.machine.call(self.world.addresses[contract], asked)
            answer = views.view(self.state, self.now, contract, function, *arguments)
            if found != views.encode(contract, function, answer):
                raise Difference(f"{contract}.{function}{arguments}: ledger {answer}")
            count += 1
        return count

    def compare_roots(self, machine: PyEvm) -> None:
        """Compare whole storages by their roots: a word that the ledger lacks shows, too."""
        for contract, words in ledger.storage_words(self.state).items():
            if machine.storage_root(self.world.addresses[contract]) != storage_root(words):
                raise Difference(f"{contract}: the chain stores something else")

    def _compare_word(self, contract: str, slot: int, word: int, command: object) -> None:
        found = self.world.machine.storage(self.world.addresses[contract], slot)
        if found != word:
            raise Difference(f"{contract} slot {slot:#x}: {found:#x}, ledger {word:#x}: {command}")

    def _compare_conservation(self, command: object) -> None:
        imbalances = ledger.check_conservation(self.state)
        if imbalances:
            raise Difference(f"{imbalances} after {command}")
        owned = self.world.view(TOKEN, "balanceOf", (self.world.addresses["Vault"],))
        if owned != self.state.held:
            raise Difference(f"the vault owns {owned}, owes {self.state.held}: {command}")

    def _compare_refusal(self, command: Command, outcome: Outcome, refusal: Refusal) -> None:
        if outcome.ok:
            raise Difference(f"the contracts accept, the ledger says {refusal}: {command}")
        found = calldata.decode_refusal(outcome.data)
        if found != refusal:
            raise Difference(f"the contracts say {found}, the ledger {refusal}: {command}")

    def _compare_events(self, command: Command, outcome: Outcome, decided: tuple[Any, ...]) -> None:
        if not outcome.ok:
            found = calldata.decode_refusal(outcome.data)
            raise Difference(f"the contracts say {found}, the ledger accepts: {command}")
        logged = self._decoded(outcome.logs)
        if logged != list(decided):
            raise Difference(f"events {logged}\nledger {list(decided)}\n{command}")

    def _decoded(self, logs: tuple[Log, ...]) -> list[Any]:
        names = self.world.names
        return [
            decode(names[log.address], log.topics, log.data)
            for log in logs
            if names.get(log.address) not in (None, TOKEN)
        ]

    def _count_refusal(self, refusal: Refusal) -> None:
        self.refused[refusal.name] += 1
        if refusal.name == "CallFailed":
            self._count_refusal(calldata.decode_refusal(refusal.values[1]))

    def _count_calls(self, command: Execute) -> None:
        """Count what the council's calls did as commands of their own."""
        for call in command.calls:
            contract = self.deployment.contract_at(call.target)
            assert contract is not None
            inner = calldata.decode(contract, call.data, self.deployment.council, command.now)
            self.accepted[type(inner).__name__] += 1

    def _founding(self) -> list[Any]:
        """Return the events of the constructors; revm does not show those of a creation."""
        book = self.world.book
        view = self.world.view
        founders = [
            MemberAdmitted(
                member=number,
                account=bytes.fromhex(founder["account"][2:]),
                admission=ledger.commands.Admission(
                    account=bytes.fromhex(founder["account"][2:]),
                    identity=bytes.fromhex(founder["identity"][2:]),
                    encryption_key=bytes.fromhex(founder["encryption_key"][2:]),
                    key_valid_until=founder["key_valid_until"],
                    group=founder["group"],
                    roles=founder["roles"],
                    name=founder["name"],
                    region=founder["region"],
                    industry=founder["industry"],
                ),
            )
            for number, founder in enumerate(book.founders, 1)
        ]
        validators = tuple(
            bytes.fromhex(each[2:]) for each in view("MemberRegistry", "getValidators")
        )
        return [
            *founders,
            ValidatorsSet(validators=validators),
            RulesSet(rules_version=1, parameters=self.world.parameters),
        ]


def mint_for_all(world: World, accounts: list[str], amount: int) -> None:
    """Give accounts tokens that the vault may take."""
    for account in accounts:
        world.do(DEPLOYER, TOKEN, "mint", (account, amount))
        world.do(account, TOKEN, "approve", (world.addresses["Vault"], amount))
