"""Error messages, and text of users inside Markdown."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from restmon.errors import RestmonError


@contextmanager
def stop_on_error() -> Iterator[None]:
    """Show an error of the block to the user, and stop the page."""
    try:
        yield
    except RestmonError as error:
        show_error(error)
        st.stop()


def show_error(error: RestmonError) -> None:
    """Show what went wrong and how to fix it."""
    st.error(
        f"{escape_markdown(error.message)} {escape_markdown(error.hint)}".strip(),
        icon=":material/error:",
    )


@contextmanager
def continue_on_error() -> Iterator[None]:
    """Show an error of the block to the user, and go on after the block."""
    try:
        yield
    except RestmonError as error:
        show_error(error)


def queue_message(text: str) -> None:
    """Keep a message about what was done, for `show_queued_message` after the next rerun."""
    st.session_state["said"] = text


def show_queued_message() -> None:
    """Show the message that was queued before this run of the page."""
    if text := st.session_state.pop("said", None):
        st.success(escape_markdown(text), icon=":material/check_circle:")


def escape_markdown(text: str) -> str:
    """Escape text from a file or a person, so that Markdown shows it unchanged."""
    return re.sub(r"([\\`*_\[\]<>~$:#|])", r"\\\1", text)
