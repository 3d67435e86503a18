"""The errors that people meet, one class an exit code.

```
CapshareError              1  unexpected
├── UsageError             2  the command or its input is wrong
├── NetworkError           3  a node could not be reached or answered nonsense
├── KeyRefused             4  no key, a wrong password, or a key without the right
├── RuleRefused            5  the market's rules refuse it; the error's name and values
├── NotFound               6  no such member, class, order, deal, file
├── Declined               7  the person answered no
├── Discrepancy           10  proven: what was claimed and what is differ
├── Unverifiable          11  the evidence is incomplete, nothing is proven
└── IntegrityBroken       12  a link, a seal or a root of the chain does not hold
```
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar


class CapshareError(Exception):
    """Say what went wrong, with its values, and what to do next.

    `message` holds the values; `next_step` is one imperative sentence, or empty.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return self.message


class UsageError(CapshareError):
    """Report a command, option or input that cannot be read."""

    exit_code = 2


class NetworkError(CapshareError):
    """Report a node that cannot be reached or does not answer as a node does."""

    exit_code = 3


class KeyRefused(CapshareError):
    """Report a key that is missing, locked or not allowed to do this."""

    exit_code = 4


class RuleRefused(CapshareError):
    """Report what the market's rules refuse: the contract error's `name` and its `values`.

    `values` are in the order of the error's parameters. Without a message, name and values are it.
    """

    exit_code = 5

    def __init__(
        self,
        message: str = "",
        *,
        name: str,
        values: Sequence[object] = (),
        next_step: str = "",
    ) -> None:
        self.name = name
        self.values = tuple(values)
        super().__init__(
            message or f"{name}({', '.join(map(str, self.values))})", next_step=next_step
        )


class NotFound(CapshareError):
    """Report a thing that was named and does not exist."""

    exit_code = 6


class Declined(CapshareError):
    """Report that the person declined."""

    exit_code = 7


class Discrepancy(CapshareError):
    """Report a proven difference between what is claimed and what is, or a refused check."""

    exit_code = 10


class Unverifiable(CapshareError):
    """Report evidence too incomplete to prove anything; never mixed with `Discrepancy`."""

    exit_code = 11


class IntegrityBroken(CapshareError):
    """Report evidence whose link, seal or root does not hold."""

    exit_code = 12


INTERRUPTED = 130  # Ctrl-C; as a shell reports it

EXIT_CODES: Mapping[int, str] = MappingProxyType(
    {
        0: "ok",
        1: "unexpected",
        2: "usage",
        3: "RPC or network",
        4: "key or authorisation",
        5: "refused by the rules",
        6: "not found",
        7: "declined",
        10: "discrepancy proven, or check refused",
        11: "could not verify",
        12: "chain integrity broken",
        INTERRUPTED: "interrupted",
    }
)
