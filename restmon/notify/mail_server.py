"""Channels that are plain mail addresses: the operator's mail server sends to them."""

from urllib.parse import quote

from restmon.access.account_rows import EMAIL, LONGEST_EMAIL
from restmon.errors import BadRequest
from restmon.settings import get_settings

SCHEME = "mail"
"""What stands for the scheme of such a channel."""


def is_plain(url: str) -> bool:
    """Whether the address of a channel is one or several mail addresses, and no URL."""
    return "@" in url and "://" not in url


def expand(url: str) -> str:
    """The URL of Apprise for mail addresses, separated by commas: that of the operator's server
    with these as the recipients. Raises BadRequest if an address is not valid, or if there is no
    server."""
    found = [address.strip() for address in url.split(",")]
    for address in found:
        odd = not address.isprintable() or any(sign in address for sign in '<>"()[];:\\')
        if odd or len(address) > LONGEST_EMAIL or not EMAIL.fullmatch(address):
            raise BadRequest(
                "A mail address of the channel is not valid.",
                "Write it as you@example.com, several with a comma between them.",
            )
    server = get_settings().mail_server
    if not server:
        raise BadRequest(
            "restmon has no mail server to send mail with.",
            "An operator sets RESTMON_MAIL_SERVER. Or name a server in the address: mailto://….",
        )
    return f"{server}{'&' if '?' in server else '?'}to={quote(','.join(found), safe='')}"
