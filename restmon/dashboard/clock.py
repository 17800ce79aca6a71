"""Times of day as the visitor writes them: with AM and PM in the United States."""

import streamlit as st

from restmon.core.formatting import wall_text, wall_text_12
from restmon.ingest.values.times_of_day import time_of_day


def has_twelve_hours() -> bool:
    """Return whether the visitor's clock shows AM and PM."""
    return st.context.locale == "en-US"


def write_time(wall: int) -> str:
    """Return a time of day, microseconds since midnight, as text."""
    return wall_text_12(wall) if has_twelve_hours() else wall_text(wall)


def rewrite_time(text: str) -> str:
    """Return a time of day that is text in the same way; other text as it is."""
    wall = time_of_day(text, is_end=True)
    return text if wall is None else write_time(wall)


def write_hour(hour: int) -> str:
    """Return an hour of the day, 0 to 23, as text such as ``9 AM`` or ``09:00``."""
    text = write_time(hour * 3_600_000_000)
    return text.replace(":00", "") if has_twelve_hours() else text
