"""README tells the truth about settings."""

from restmon.settings import Settings
from tests.conftest import ROOT


def test_every_setting_is_in_the_table_with_its_default():
    text = (ROOT / "README.md").read_text()
    for name, field in Settings.model_fields.items():
        (line,) = [x for x in text.splitlines() if x.startswith(f"| `RESTMON_{name.upper()}`")]
        default = field.default
        shown = f"`{default}`" if default not in (None, "") else "unset"
        assert line.split("|")[2].strip() == shown
        assert line.split("|")[3].strip() == field.description
