"""The tests, and the modules that they share."""

import pytest

# Before any of them is imported, so that their assertions say what they saw.
pytest.register_assert_rewrite(
    *(f"tests.{name}" for name in ("clusters", "fuzz", "imported", "soak"))
)
