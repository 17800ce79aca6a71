"""The name of a browser for people, from its User-Agent header."""

BROWSERS = [
    *(("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet")),
    *(("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome")),
    ("Safari", "Safari"),
]
"""A word in a browser's header, and the browser's name. Order matters: most headers also name other
browsers."""
SYSTEMS = [
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")),
    *(("Mac OS X", "Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
]


def browser_name(user_agent: str) -> str:
    """Such as ``Firefox on Windows``; "" if the header names no known browser."""
    browser = next((name for part, name in BROWSERS if part in user_agent), "")
    system = next((name for part, name in SYSTEMS if part in user_agent), "")
    return f"{browser} on {system}" if browser and system else browser or system
