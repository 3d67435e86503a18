"""Where the gas of a transaction goes: by contract, and by opcode. Coarse, and slow."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from eth.abc import ComputationAPI, MessageAPI, StateAPI, TransactionContextAPI
from eth.vm.forks.london.computation import LondonComputation
from eth.vm.forks.london.state import LondonState

from capshare.devnet.evm import Machine


class Profile(Machine):
    """A machine that counts while py-evm's own loop runs.

    `by_contract` has the gas of each code's own work, calls that it makes left out; `by_opcode`
    what each opcode took in all, `times` how often it ran. Calls hold what they forward.
    """

    def __init__(self, *, chain_id: int) -> None:
        super().__init__(chain_id=chain_id, fast=False)
        self.by_contract: Counter[str] = Counter()
        self.by_opcode: Counter[str] = Counter()
        self.times: Counter[str] = Counter()
        self._state_class = self._counting()

    def _counting(self) -> type[LondonState]:
        profile = self
        forwarded = [0]  # gas of the calls made by each code under way

        class Computation(LondonComputation):
            opcodes = {  # noqa: RUF012 (py-evm's own form)
                code: profile._counted(step) for code, step in LondonComputation.opcodes.items()
            }

            @classmethod
            def apply_computation(
                cls,
                state: StateAPI,
                message: MessageAPI,
                transaction_context: TransactionContextAPI,
                parent_computation: ComputationAPI | None = None,
            ) -> ComputationAPI:
                forwarded.append(0)
                done = super().apply_computation(
                    state, message, transaction_context, parent_computation
                )
                used = message.gas - done.get_gas_remaining()
                profile.by_contract["0x" + message.code_address.hex()] += used - forwarded.pop()
                forwarded[-1] += used
                return done

        return type("CountingState", (LondonState,), {"computation_class": Computation})

    def _counted(self, step: Any) -> Callable[[ComputationAPI], None]:
        def run(computation: ComputationAPI) -> None:
            before = computation.get_gas_remaining()
            try:
                step(computation)
            finally:
                self.by_opcode[step.mnemonic] += before - computation.get_gas_remaining()
                self.times[step.mnemonic] += 1

        run.mnemonic = step.mnemonic  # type: ignore[attr-defined]
        run.gas_cost = step.gas_cost  # type: ignore[attr-defined]
        return run
