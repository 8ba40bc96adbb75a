"""Settings that every test runs under."""

from __future__ import annotations

from hypothesis import settings

# A shared two-core machine is slow in bursts: a deadline per example would
# fail laws that hold. pytest-timeout still ends a test that hangs.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")
