"""Windows in halves."""

from fractions import Fraction


def halves(amount: Fraction) -> int:
    doubled = 2 * amount
    assert doubled.denominator == 1
    return int(doubled)
