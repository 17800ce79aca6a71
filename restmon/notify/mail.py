"""Sending one mail, so that it is known whether the server has it.

A mail server takes a mail with its answer to the line that ends it. Everything before that line may
be repeated without harm: a server drops a mail whose end it did not get.
"""

import re
import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, formataddr
from typing import Any

from restmon.core.instants import as_datetime
from restmon.notify import channel_urls
from restmon.notify.compat import SmtpAt, SmtpOverTlsAt
from restmon.notify.handing_over import HandOver, MayHaveArrived, NotSent
from restmon.storage.notify_models import OutboxMessage

ID_HEADER = "X-Restmon-Delivery"
SECONDS = 20
ANSWER_SECONDS = 60
"""How long a server may look at a mail that it has whole: it may check it for viruses."""
READY_FOR_DATA, TAKEN, FORWARDS = 354, 250, 251


def make_mail(message: OutboxMessage, sender: tuple[str, str], to: list[str]) -> EmailMessage:
    """The mail of a message. Its Message-ID is the same each time, so that servers can drop a
    repeat. A line break in a header is refused by the library."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = " ".join(message.subject.split())
    mail["From"] = formataddr(sender)
    mail["To"] = ", ".join(to)
    mail["Date"] = format_datetime(as_datetime(message.requested_at))
    mail["Message-ID"] = f"<{message.id}@{sender[1].rpartition('@')[2] or 'restmon.invalid'}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail[ID_HEADER] = message.id
    mail.set_content(message.body)
    if message.attachment is not None:
        main, _, sub = (message.attachment_type or "application/octet-stream").partition("/")
        mail.add_attachment(
            bytes(message.attachment),
            maintype=main,
            subtype=sub or "octet-stream",
            filename=message.attachment_name,
        )
    return mail


def send_mail(
    message: OutboxMessage, service: Any, hand_over: HandOver, *, is_trusted: bool = False
) -> str:
    """Send a message by a mail service of Apprise, whose host the operator has named
    (``is_trusted``) or somebody else. Returns what is to be said of it, "" for nothing. Raises
    NotSent, MayHaveArrived, and LeaseLost as `HandOver` says."""
    name, address = service.from_addr
    to = [target[1] for target in service.targets]
    everyone = [*to, *sorted(service.cc), *sorted(service.bcc)]
    if not everyone:
        raise NotSent("The mail has no recipient.", is_final=True)
    mail = make_mail(message, (name or "restmon", address), to)
    if service.cc:
        mail["Cc"] = ", ".join(sorted(service.cc))
    if service.reply_to:
        mail["Reply-To"] = ", ".join(sorted(service.reply_to))
    try:
        server = _connect(service, is_trusted=is_trusted)
    except (OSError, smtplib.SMTPException) as error:
        raise _explain(error) from None
    hand_over.after.callback(_say_goodbye, server)
    try:
        refused = _prepare(server, mail, address, everyone)
    except (OSError, smtplib.SMTPException) as error:
        raise _explain(error) from None
    hand_over.begin()
    try:
        if server.sock is not None:
            server.sock.settimeout(ANSWER_SECONDS)
        server.send(b".\r\n")
        code, _ = server.getreply()
    except (OSError, smtplib.SMTPException):
        raise MayHaveArrived(
            "May have arrived: the mail server had it whole and did not answer."
        ) from None
    if not TAKEN <= code < 300:
        raise NotSent(f"The mail server answered with code {code}.")
    if refused:
        return f"The mail server refused {refused} of {len(everyone)} recipients."
    return ""


def _prepare(server: smtplib.SMTP, mail: EmailMessage, sender: str, to: list[str]) -> int:
    """Send all of a mail but the line that ends it. Returns how many recipients are refused."""
    server.ehlo_or_helo_if_needed()
    options = []
    if not "".join([sender, *to]).isascii():
        if not server.has_extn("smtputf8"):
            raise NotSent("The mail server takes no address with letters such as é.", is_final=True)
        options = ["SMTPUTF8", "BODY=8BITMIME"]
    text = mail.as_bytes(policy=SMTPUTF8 if options else SMTP)
    if server.has_extn("size"):
        options = [f"size={len(text)}", *options]
    code, said = server.mail(sender, options)
    if code != TAKEN:
        raise smtplib.SMTPSenderRefused(code, said, sender)
    refused = {}
    for one in to:
        code, said = server.rcpt(one)
        if code not in {TAKEN, FORWARDS}:
            refused[one] = (code, said)
    if len(refused) == len(to):
        raise smtplib.SMTPRecipientsRefused(refused)
    code, said = server.docmd("DATA")
    if code != READY_FOR_DATA:
        raise smtplib.SMTPDataError(code, said)
    # A line that begins with a point gets another one: a point alone ends the mail.
    text = re.sub(rb"(?m)^\.", b"..", text)
    server.send(text if text.endswith(b"\r\n") else text + b"\r\n")
    return len(refused)


def _explain(error: Exception) -> NotSent:
    match error:
        case smtplib.SMTPRecipientsRefused():
            return NotSent("The mail server refused every recipient.")
        case smtplib.SMTPAuthenticationError():
            return NotSent("The mail server refused the user or the password.")
        case smtplib.SMTPResponseException():
            return NotSent(f"The mail server answered with code {error.smtp_code}.")
        case ssl.SSLError():
            return NotSent("The mail server's certificate or encryption cannot be used.")
    return NotSent("The mail server did not answer, or broke the connection off.")


def _say_goodbye(server: smtplib.SMTP) -> None:
    with suppress(OSError, smtplib.SMTPException):
        if server.sock is not None:
            server.sock.settimeout(SECONDS)
        server.quit()
    server.close()


def _connect(service: Any, *, is_trusted: bool) -> smtplib.SMTP:
    host, port = service.smtp_host, service.port
    address = str(channel_urls.find_address(host, is_trusted=is_trusted))
    context = ssl.create_default_context()
    if not service.verify_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    server: smtplib.SMTP
    if service.secure_mode == "ssl":
        server = SmtpOverTlsAt(host, port, address=address, timeout=SECONDS, context=context)
    else:
        server = SmtpAt(host, port, address=address, timeout=SECONDS)
    try:
        if service.secure_mode == "starttls":
            server.starttls(context=context)
        if service.user and service.password:
            server.login(service.user, service.password)
    except BaseException:
        server.close()
        raise
    return server
