"""Store ids: text, never read as numbers."""

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from restmon.ingest.values.base import Parsed, by_distinct_value, trimmed

if TYPE_CHECKING:
    import pyarrow as pa

STORE_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
STORE_IDS = re.compile(rb"(?:[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}\n)+")
WITH_SEPARATORS = re.compile(rb"\d{1,3}(?:(?:,|\.| |'|\xc2\xa0|\xe2\x80\xaf)\d{3})+")
AS_FORMULA = re.compile(rb"=\"[^\"]*\"|'[A-Za-z0-9].*")
ROUNDED_NUMBER = re.compile(rb"\d+([.,]\d+)?[eE]\+?\d+")


class StoreIds:
    """Numbers store ids in the order of their first appearance, over many batches. Ids outside of
    the set ``permitted`` are bad (None: all are permitted)."""

    def __init__(self, permitted: frozenset[str] | None = None) -> None:
        self.names: list[str] = []
        self._permitted = permitted
        self._number: dict[bytes, int] = {}
        self._of_form: dict[bytes, int] = {}
        self._known: pa.Array | None = None
        self._numbers = np.empty(0, np.int64)

    def parse(self, raw: "pa.Array") -> Parsed:
        """The ids' numbers, int64."""
        import pyarrow.compute as pc  # noqa: PLC0415 - a small file of polls does not need it

        from restmon.ingest import arrow_arrays  # noqa: PLC0415

        if self._known is None or len(self._known) < len(self._of_form):
            self._known = arrow_arrays.of_bytes(list(self._of_form))
            self._numbers = np.array(list(self._of_form.values()), np.int64)
        codes = pc.index_in(raw, value_set=self._known)
        if not codes.null_count:
            known = self._numbers[arrow_arrays.to_ints(codes)]
            return Parsed(known, np.ones(len(known), bool), self._why_not)
        values = arrow_arrays.to_ints(codes.fill_null(arrow_arrays.MINUS_ONE)).astype(np.int64)
        good = np.ones(len(values), bool)
        seen = values >= 0
        values[seen] = self._numbers[values[seen]]
        unknown = np.flatnonzero(~seen)
        encoded = raw.take(arrow_arrays.of_ints(unknown)).dictionary_encode()
        numbers = self.numbers(encoded.dictionary.to_pylist())
        found = numbers[arrow_arrays.to_ints(encoded.indices)]
        values[unknown], good[unknown] = found, found >= 0
        return Parsed(values, good, self._why_not)

    def numbers(self, raw: list[bytes]) -> NDArray[np.int64]:
        """The numbers of ids in a file, int64; -1 for a bad one."""
        known = self._of_form
        fresh = [value for value in dict.fromkeys(raw) if value not in known]
        text = b"\n".join([*fresh, b""])
        if (
            self._permitted is None
            and text.count(b"\n") == len(fresh)
            and STORE_IDS.fullmatch(text)
        ):
            # All at once: one by one takes several times as long.
            for value, name in zip(fresh, text.decode("ascii").split("\n"), strict=False):
                number = self._number.setdefault(value, len(self.names))
                if number == len(self.names):
                    self.names.append(name)
                known[value] = number
            return np.array([known[value] for value in raw], np.int64)
        numbers = {value: self._form(value) for value in fresh}
        return np.array([numbers[v] if v in numbers else known[v] for v in raw], np.int64)

    def _form(self, raw: bytes) -> int:
        """The number of an id in a file, perhaps with blanks around it; -1 for a bad one."""
        # What is an id as it stands has nothing around it.
        value = raw if STORE_ID.fullmatch(raw) else trimmed(raw)
        number = self._number.get(value)
        if number is None:
            number = self._new(value)
            if number < 0:
                return -1
            self._number[value] = number
        self._of_form[raw] = number
        return number

    def _new(self, value: bytes) -> int:
        name = self._valid(value)
        if name is None:
            return -1
        self.names.append(name)
        return len(self.names) - 1

    def valid(self, value: bytes) -> str | None:
        """The store id if it is valid and permitted, else None."""
        return self._valid(trimmed(value))

    def _valid(self, value: bytes) -> str | None:
        if not STORE_ID.fullmatch(value):
            return None
        name = value.decode("ascii")
        return name if self._permitted is None or name in self._permitted else None

    def _why_not(self, value: bytes) -> str:
        value = trimmed(value)
        if STORE_ID.fullmatch(value) and not ROUNDED_NUMBER.fullmatch(value):
            return "this is not one of your stores"
        return why_not_a_store_id(value)


def why_not_a_store_id(value: bytes) -> str:
    """The reason a store id is rejected."""
    if not value:
        return "the store id is empty"
    if ROUNDED_NUMBER.fullmatch(value):
        return (
            "a spreadsheet has rounded this store id to a number with an exponent; "
            "export the column as text"
        )
    if WITH_SEPARATORS.fullmatch(value):
        return (
            "a spreadsheet has put thousands separators into this store id; "
            "export the column as text"
        )
    if AS_FORMULA.fullmatch(value):
        return "a spreadsheet has put a mark before this store id; export the plain value"
    if len(value) > 64:
        return "a store id has at most 64 characters"
    return "a store id is letters, digits and _ . : -, beginning with a letter or digit"


def parse_ids(raw: "pa.Array") -> Parsed:
    """Store ids one by one, object array of str, for a look at a few."""

    def parse(value: bytes) -> str | None:
        return value.decode("ascii") if STORE_ID.fullmatch(value) else None

    return by_distinct_value(raw, parse, object, "", why_not_a_store_id)
