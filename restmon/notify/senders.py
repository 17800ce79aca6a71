"""Sending one message: by mail, by another service of Apprise, or to a webhook.

Each raises NotSent or MayHaveArrived, whose sentence holds nothing of an address or a secret.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from restmon.core.instants import SECOND
from restmon.errors import RestmonError
from restmon.leasing.leases import LeaseLost
from restmon.notify import channel_urls, mail, mail_server, safe_http
from restmon.notify.compat import watching_answers
from restmon.notify.handing_over import HandOver, MayHaveArrived, NotSent
from restmon.notify.outbox import WEBHOOK
from restmon.notify.public_addresses import AddressRefused
from restmon.notify.texts import for_chat
from restmon.settings import get_settings
from restmon.storage.models import now
from restmon.storage.notify_models import Channel, OutboxMessage

DELIVERY, EVENT = mail.ID_HEADER, "X-Restmon-Event"
TIMESTAMP, SIGNATURE = "X-Restmon-Timestamp", "X-Restmon-Signature"


@dataclass(frozen=True)
class Opened:
    """A channel with its address and secret as they are. Not shown by ``repr``."""

    kind: str
    url: str
    secret: str

    def __repr__(self) -> str:
        return f"Opened({self.kind})"


def send(message: OutboxMessage, channel: Opened, hand_over: HandOver) -> str:
    """Send a message. Returns what is to be said of it, "" for nothing. Raises NotSent,
    MayHaveArrived, and LeaseLost as `HandOver` says."""
    try:
        if channel.kind == WEBHOOK:
            return _send_to_webhook(message, channel)
        service = channel_urls.read(channel.url)
        is_plain = mail_server.is_plain(channel.url)
        if is_plain or channel_urls.find_scheme(channel.url) in channel_urls.MAIL:
            return mail.send_mail(message, service, hand_over, is_trusted=is_plain)
        return _send_by_apprise(message, service, hand_over)
    except (NotSent, MayHaveArrived, LeaseLost):
        raise
    except (channel_urls.ChannelRefused, AddressRefused) as error:
        raise NotSent(str(error), is_final=True) from None
    except RestmonError as error:
        raise NotSent(str(error)) from None
    except Exception as error:
        raise NotSent(f"Sending failed ({type(error).__name__}).") from None


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a webhook: HMAC-SHA256 over the timestamp, a point and the body."""
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"


def _send_to_webhook(message: OutboxMessage, channel: Opened) -> str:
    """It is not handed over: a receiver drops an id that it knows, so it may be sent again."""
    body = (message.payload or "{}").encode()
    timestamp = str(now() // SECOND)
    answer = safe_http.post(
        channel.url,
        body,
        {
            "Content-Type": "application/json; charset=utf-8",
            DELIVERY: message.id,
            EVENT: message.kind,
            TIMESTAMP: timestamp,
            SIGNATURE: sign(channel.secret, timestamp, body),
        },
    )
    if not answer.is_success:
        raise NotSent(f"The receiver answered with status {answer.status}.")
    return ""


def _send_by_apprise(message: OutboxMessage, service: Any, hand_over: HandOver) -> str:
    from apprise import Apprise, AppriseAttachment  # noqa: PLC0415
    from apprise.attachment.memory import AttachMemory  # noqa: PLC0415

    sender = Apprise(asset=service.asset)
    sender.add(service)
    attached = None
    if message.attachment is not None and service.attachment_support:
        attached = AppriseAttachment()
        attached.add(
            AttachMemory(
                content=bytes(message.attachment),
                name=message.attachment_name,
                mimetype=message.attachment_type,
            )
        )
    links = get_settings().link_url
    hand_over.begin()
    try:
        with watching_answers() as answers:
            done = sender.notify(
                title=for_chat(message.subject, links),
                body=for_chat(message.body, links) or " ",
                body_format="text",
                attach=attached,
            )
    except Exception as error:
        raise MayHaveArrived(
            f"May have arrived: sending broke off ({type(error).__name__})."
        ) from None
    if not done and (answers.lost or answers.due):
        raise MayHaveArrived("May have arrived: the service had the message and did not answer.")
    if not done:
        raise NotSent("The service did not take the message.")
    if message.attachment is not None and attached is None:
        return "The service takes no files, so the message went without its file."
    return ""


def open_channel(row: Channel, decrypt: Any) -> Opened:
    """The channel with its address and secret as they are. Raises RestmonError."""
    return Opened(row.kind, decrypt(row.url), decrypt(row.secret) if row.secret else "")
