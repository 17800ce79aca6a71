"""How this installation writes times and money."""

from restmon.core.formatting import Style
from restmon.core.instants import as_datetime
from restmon.settings import get_settings
from restmon.storage.models import now


def read_style() -> Style:
    """Return the style of `RESTMON_CLOCK` and `RESTMON_CURRENCY`, in this year."""
    settings = get_settings()
    return Style(settings.clock == "12", settings.currency, as_datetime(now()).year)
