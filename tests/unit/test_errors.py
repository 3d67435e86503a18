"""The error tree: one exit code a class, message and next step kept apart."""

import inspect

import pytest

from capshare import errors
from capshare.errors import CapshareError, RuleRefused, UsageError

CODES = {
    "CapshareError": 1,
    "UsageError": 2,
    "NetworkError": 3,
    "KeyRefused": 4,
    "RuleRefused": 5,
    "NotFound": 6,
    "Declined": 7,
    "Discrepancy": 10,
    "Unverifiable": 11,
    "IntegrityBroken": 12,
}


def test_every_error_has_its_own_exit_code() -> None:
    found = {
        name: kind.exit_code
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, CapshareError)
    }
    assert found == CODES


def test_every_exit_code_is_explained() -> None:
    assert set(errors.EXIT_CODES) == {0, *CODES.values(), errors.INTERRUPTED}


def test_error_keeps_message_and_next_step_apart() -> None:
    error = UsageError("slot 'x' is no number", next_step="Write digits.")
    assert (str(error), error.message, error.next_step) == (
        "slot 'x' is no number",
        "slot 'x' is no number",
        "Write digits.",
    )


def test_rule_refused_names_the_rule_and_its_values() -> None:
    error = RuleRefused(name="SideFull", values=[323, 1000])
    assert (error.name, error.values) == ("SideFull", (323, 1000))
    assert str(error) == "SideFull(323, 1000)"


def test_rule_refused_prefers_the_message_given() -> None:
    error = RuleRefused("the side is full: 1000 offers", name="SideFull", values=(323, 1000))
    assert str(error) == "the side is full: 1000 offers"


def test_rule_refused_needs_a_name() -> None:
    with pytest.raises(TypeError):
        RuleRefused("something")  # type: ignore[call-arg]
