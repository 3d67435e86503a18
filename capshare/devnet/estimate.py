"""How much gas a message needs."""

from collections.abc import Callable
from typing import Final

from capshare.devnet.evm import CallFailed, Outcome

TOLERANCE: Final = 0.015  # how far above the least an estimate may be, as a share of it


def estimate(run: Callable[[int], Outcome], most: int) -> int:
    """Return gas with which `run` succeeds, at most 1.5 % above the least; `most` is the bound.

    More than what it uses may be needed: refunds come at the end, and a call keeps 1/64 back. The
    first guess is what was used, the rest is bisection. Raises `CallFailed` if `most` fails too.
    """
    outcome = run(most)
    if not outcome.succeeded:
        raise CallFailed(outcome.error, data=outcome.output, reverted=outcome.reverted)
    low = outcome.gas_used + outcome.gas_refunded - 1  # never enough
    high = most
    guess = low + 1
    while low + 1 < high and high - low > high * TOLERANCE:
        if _suffices(run, guess):
            high = guess
        else:
            low = guess
        guess = min((low + high) // 2, low * 2)
    return high


def _suffices(run: Callable[[int], Outcome], gas: int) -> bool:
    try:
        return run(gas).succeeded
    except CallFailed:  # not even the intrinsic gas
        return False
