"""Store ids: text, never read as numbers."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from restmon.ingest import arrow_arrays
from restmon.ingest.values.base import Parsed, by_distinct_value, trimmed

STORE_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
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
        self._forms: list[bytes] = []
        self._of_form: list[int] = []
        self._known = arrow_arrays.of_bytes([])
        self._numbers = np.empty(0, np.int64)

    def parse(self, raw: pa.Array) -> Parsed:
        """The ids' numbers, int64."""
        codes = pc.index_in(raw, value_set=self._known)
        values = arrow_arrays.to_ints(codes.fill_null(arrow_arrays.MINUS_ONE)).astype(np.int64)
        good = np.ones(len(values), bool)
        seen = values >= 0
        values[seen] = self._numbers[values[seen]]
        if codes.null_count:
            unknown = np.flatnonzero(~seen)
            encoded = raw.take(arrow_arrays.of_ints(unknown)).dictionary_encode()
            numbers = np.array([self._form(v) for v in encoded.dictionary.to_pylist()], np.int64)
            found = numbers[arrow_arrays.to_ints(encoded.indices)]
            values[unknown], good[unknown] = found, found >= 0
            self._known = arrow_arrays.of_bytes(self._forms)
            self._numbers = np.array(self._of_form, np.int64)
        return Parsed(values, good, self._why_not)

    def _form(self, raw: bytes) -> int:
        """The number of an id in a file, perhaps with blanks around it; -1 for a bad one."""
        value = trimmed(raw)
        number = self._number.get(value)
        if number is None:
            number = self._new(value)
            if number < 0:
                return -1
            self._number[value] = number
        self._forms.append(raw)
        self._of_form.append(number)
        return number

    def _new(self, value: bytes) -> int:
        name = self.valid(value)
        if name is None:
            return -1
        self.names.append(name)
        return len(self.names) - 1

    def valid(self, value: bytes) -> str | None:
        """The store id if it is valid and permitted, else None."""
        value = trimmed(value)
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


def parse_ids(raw: pa.Array) -> Parsed:
    """Store ids one by one, object array of str, for a look at a few."""

    def parse(value: bytes) -> str | None:
        return value.decode("ascii") if STORE_ID.fullmatch(value) else None

    return by_distinct_value(raw, parse, object, "", why_not_a_store_id)
