"""Print at the end of a run what its tests counted.

A test counts with `record_property(title, {what: how often})`; counts under one title are added
up, over all tests and workers.
"""

from collections import Counter, defaultdict

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for title, counted in getattr(report, "user_properties", ()):
                if isinstance(counted, dict) and report.when == "call":
                    totals[title].update(counted)
    for title, counts in totals.items():
        terminalreporter.section(title)
        for what, count in sorted(counts.items()):
            terminalreporter.write_line(f"{count:>12,}  {what}")
