"""Profiles of hypothesis for all tests but ape's: `HYPOTHESIS_PROFILE=dev|ci|nightly`."""

import os

from hypothesis import HealthCheck, settings

# Deadlines measure the machine, not the code: chains and compilers run in these tests.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("dev", max_examples=50, **_COMMON)
# The same examples in every run, so that CI fails only for what was changed.
settings.register_profile("ci", max_examples=500, derandomize=True, **_COMMON)
settings.register_profile("nightly", max_examples=10_000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))
