"""The parser of names of groups in a CSV file."""

import pyarrow as pa

from restmon.core.group_names import group_name, why_not_a_group_name
from restmon.ingest.values.base import Parsed, by_distinct_value


def parse_group_names(raw: pa.Array) -> Parsed:
    """Names of groups, object array of str."""

    def parse(value: bytes) -> str | None:
        try:
            return group_name(value.decode("utf-8"))
        except UnicodeDecodeError:
            return None

    def reason(value: bytes) -> str:
        try:
            return why_not_a_group_name(value.decode("utf-8"))
        except UnicodeDecodeError:
            return "it is not text in UTF-8"

    return by_distinct_value(raw, parse, object, "", reason)
