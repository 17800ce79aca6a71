"""The file that settings are read from."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from restmon.errors import SettingsError
from restmon.setting_values import integer, one_of
from restmon.settings import ENV_FILE, Settings, get_settings, read_settings

FAULTS = ("folder", "bytes", "value")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in (ENV_FILE, "RESTMON_WORKERS", "RESTMON_SHARD_STORES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def workers() -> int:
    get_settings.cache_clear()
    return get_settings().workers


def test_what_comes_before_what(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert workers() == Settings().workers
    (tmp_path / ".env").write_text("RESTMON_WORKERS=3\nRESTMON_SHARD_STORES=30\n")
    assert workers() == 3
    named = tmp_path / "service.env"
    named.write_text("# of the service\nRESTMON_WORKERS=5\n")
    monkeypatch.setenv(ENV_FILE, str(named))
    assert workers() == 5
    # Of the file in this folder nothing counts any more.
    assert get_settings().shard_stores == Settings().shard_stores
    monkeypatch.setenv("RESTMON_WORKERS", "7")
    assert workers() == 7
    monkeypatch.setenv(ENV_FILE, "")
    monkeypatch.delenv("RESTMON_WORKERS")
    assert workers() == 3


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("service.env", "missing"),  # that nobody wrote a .env is no fault
        *[(name, fault) for name in ("service.env", ".env") for fault in FAULTS],
    ],
)
def test_a_file_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, fault: str
):
    path = tmp_path / name
    if name != ".env":
        monkeypatch.setenv(ENV_FILE, str(path))
    if fault == "folder":
        path.mkdir()
    elif fault == "bytes":
        path.write_bytes(b"RESTMON_WORKERS=\xff\xfe\n")
    elif fault == "value":
        path.write_text("RESTMON_WORKERS=many\n")
    with pytest.raises(SettingsError) as raised:
        workers()
    assert path.name in str(raised.value)
    assert ("RESTMON_WORKERS='many'" if fault == "value" else "cannot be read") in str(raised.value)


def by_pydantic(kind: object, text: str) -> object:
    """What pydantic makes of a text, or its message."""
    try:
        return TypeAdapter(kind).validate_python(text)
    except ValidationError as error:
        return str(error.errors()[0]["msg"])


def by_us(parse: Callable[[str], object], text: str) -> object:
    try:
        return parse(text)
    except ValueError as error:
        return str(error)


@given(st.text("0123456789+-_. ex", max_size=6), st.sampled_from([(1, 64), (0, None), (30, None)]))
@example("64", (1, 64))
@example("65", (1, 64))
@example("0", (1, 64))
@example(" +6_4.00\n", (1, 64))
@example("", (30, None))
@example("7.", (1, 64))
@example("٣", (1, 64))
def test_whole_numbers_are_read_as_by_pydantic(text: str, within: tuple[int, int | None]):
    # After a leading zero pydantic takes signs and underscores that int() refuses: "0-1" is -1.
    assume(not re.search(r"0[-_]", text))
    kind = Annotated[int, Field(ge=within[0], le=within[1])]
    assert by_us(integer(*within), text) == by_pydantic(kind, text)


@pytest.mark.parametrize("text", ["text", "json", "", "Text", "xml"])
def test_words_are_read_as_by_pydantic(text: str):
    assert by_us(one_of("text", "json"), text) == by_pydantic(Literal["text", "json"], text)


def test_names_of_variables_in_small_letters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / ".env").write_text("restmon_workers=3\nRESTMON_LOG_FORMAT\n")
    assert workers() == 3
    monkeypatch.setenv("Restmon_Workers", "4")
    assert workers() == 4


def test_a_wrong_variable_is_named_without_its_password():
    url = "mysql://me:secret@host/db"
    with pytest.raises(SettingsError) as raised:
        read_settings({"RESTMON_DATABASE_URL": url}, ".env")
    assert "RESTMON_DATABASE_URL='mysql://me:***@host/db' cannot be used: write it as" in str(
        raised.value
    )
    assert "secret" not in str(raised.value)
