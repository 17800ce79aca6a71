"""The name of a browser, as a person would say it, from its User-Agent header."""

BROWSERS = [
    *(("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet")),
    *(("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome")),
    ("Safari", "Safari"),
]
"""What a browser's header holds, and its name; the more special first: most name others too."""
SYSTEMS = [
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")),
    *(("Mac OS X", "Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
]


def browser_name(user_agent: str) -> str:
    """Such as ``Firefox on Windows``; "" where the header names no browser that is known."""
    browser = next((name for part, name in BROWSERS if part in user_agent), "")
    system = next((name for part, name in SYSTEMS if part in user_agent), "")
    return f"{browser} on {system}" if browser and system else browser or system
