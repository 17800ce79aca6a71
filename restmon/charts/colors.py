"""The colors that all figures share, on screen and on paper. Pure, and quick to import.

People who do not see red and green can tell them apart.
"""

UP = "#2F7FC1"
DOWN = "#D9601A"
MUTED = "#808E9C"
PALE_UP = "#C1D9EC"
PALE_DOWN = "#F3CFB8"
"""The colors of time that nobody saw, on white."""

SEEN_ENOUGH = 0.8
"""The coverage from which on a number may be called good."""
