"""Peewee without psycopg, and with it afterwards, is the Peewee that imported it itself."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from restmon.storage.compat import is_undecodable
from tests.support.environment import ROOT

SHOW = """
import json, re, sys
{first}
import peewee
shown = {{name: repr(value) for name, value in vars(peewee).items()
         if "psycopg" in repr(value) or "psycopg" in (getattr(value, "__module__", "") or "")
         or name.endswith("pg3") or name == "psycopg"}}
shown |= {{f"{{adapter}}.{{name}}": repr(value)
          for adapter in ("Psycopg2Adapter", "Psycopg3Adapter")
          for name, value in vars(getattr(peewee, adapter)).items() if name.startswith("txn_")}}
shown = {{name: re.sub(" at 0x[0-9a-f]+", "", text) for name, text in shown.items()}}
print(json.dumps({{"loaded": "psycopg" in sys.modules, "shown": shown}}))
"""
WITHOUT = "from restmon.storage import compat; compat.import_peewee()"
ATTACHED = f"{WITHOUT}; compat.attach_psycopg(); compat.attach_psycopg()"


def peewee_after(first: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(first=first)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_peewee_is_imported_without_psycopg_and_gets_it_later():
    itself = peewee_after("")
    assert itself["loaded"]
    assert {
        "psycopg",
        "Json_pg3",
        "Jsonb_pg3",
        "TransactionStatus",
        "Psycopg3Adapter.txn_idle",
    } <= (set(itself["shown"]))
    without = peewee_after(WITHOUT)
    assert not without["loaded"]
    assert without["shown"]["psycopg"] == "None"
    assert peewee_after(ATTACHED) == itself


def test_psycopg_that_is_there_stays():
    assert peewee_after(f"import psycopg; {WITHOUT}") == peewee_after("")
    assert peewee_after(f"import peewee; {WITHOUT}") == peewee_after("")
    assert peewee_after(f"{WITHOUT}; import psycopg")["loaded"]


def test_sqlite3_says_that_text_is_not_utf_8():
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(sqlite3.OperationalError) as caught,
    ):
        connection.execute("SELECT CAST(x'ff' AS TEXT)").fetchone()
    assert is_undecodable(caught.value)
    assert not hasattr(caught.value, "sqlite_errorcode")
