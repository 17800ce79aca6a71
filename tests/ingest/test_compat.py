"""What `ingest/compat.py` relies on in tzlocal."""

from zoneinfo import available_timezones

from restmon.ingest.compat import windows_zones


def test_the_windows_names_are_those_of_cldr():
    zones = windows_zones()
    assert len(zones) > 130
    assert set(zones.values()) <= available_timezones()
    assert zones["Eastern Standard Time"] == "America/New_York"
    assert zones["US Mountain Standard Time"] == "America/Phoenix"
    assert zones["W. Europe Standard Time"] == "Europe/Berlin"
