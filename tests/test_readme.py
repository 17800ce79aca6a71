"""README tells the truth about settings."""

from dataclasses import fields

from restmon.settings import DESCRIPTION, Settings
from tests.support.environment import ROOT


def test_every_setting_is_in_the_table_with_its_default():
    text = (ROOT / "README.md").read_text()
    for field in fields(Settings):
        (line,) = [
            x for x in text.splitlines() if x.startswith(f"| `RESTMON_{field.name.upper()}`")
        ]
        default = field.default
        shown = f"`{default}`" if default not in (None, "") else "unset"
        assert line.split("|")[2].strip() == shown
        assert line.split("|")[3].strip() == field.metadata[DESCRIPTION]
