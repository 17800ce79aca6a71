"""Private API of smtplib: a connection goes to the address that was given, whatever the name."""

import smtplib
import ssl

import pytest

from restmon.notify.compat import SmtpAt, SmtpOverTlsAt
from tests.support.receivers import mail_server


def test_mail_goes_to_the_checked_address():
    with mail_server() as inbox:
        name = "no-such-host.invalid"
        with SmtpAt(name, inbox.port, address="127.0.0.1", timeout=10) as server:
            server.sendmail("a@example.com", ["b@example.com"], "Subject: x\r\n\r\ny")
        assert len(inbox.mails) == 1


def test_with_tls_the_certificate_is_checked_against_the_name(monkeypatch: pytest.MonkeyPatch):
    names = []

    def wrap(self: ssl.SSLContext, plain: object, **options: object) -> object:
        names.append(options["server_hostname"])
        return plain

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap)
    with mail_server() as inbox:
        server: smtplib.SMTP = SmtpOverTlsAt(
            "mail.example.com", inbox.port, address="127.0.0.1", timeout=10
        )
        server.quit()
    assert names == ["mail.example.com"]
