"""Mail in clear, after STARTTLS and over SSL, to real servers with a certificate of their own."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from jobs.engine import smtp
from jobs.errors import DeliveryError, RecipientError
from tests.receivers import mail_server

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1, signed by itself, with its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def server_context(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # who it is that may sign
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "night"
    message.set_content("Nothing is wrong.")
    return message


def test_in_clear() -> None:
    with mail_server() as post:
        assert smtp.send(letter(), post.url).startswith("accepted by 127.0.0.1")
        assert [one["Subject"] for one in post.letters] == ["night"]


def test_after_starttls(server_context: ssl.SSLContext) -> None:
    with mail_server(tls_context=server_context, require_starttls=True) as post:
        smtp.send(letter(), post.url.replace("smtp://", "smtp+starttls://"))
        assert len(post.letters) == 1
        with pytest.raises(DeliveryError, match="STARTTLS"):
            smtp.send(letter(), post.url)


def test_over_ssl(server_context: ssl.SSLContext) -> None:
    with mail_server(ssl_context=server_context) as post:
        smtp.send(letter(), post.url.replace("smtp://", "smtps://"))
        assert len(post.letters) == 1


def test_a_server_that_nobody_vouches_for_gets_no_mail(
    server_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with (
        mail_server(tls_context=server_context) as post,
        pytest.raises(DeliveryError, match="certificate verify failed"),
    ):
        smtp.send(letter(), post.url.replace("smtp://", "smtp+starttls://"))


def test_a_mail_refused_for_one_of_two_says_for_whom_and_why() -> None:
    message = letter()
    message.replace_header("To", "b@example.org, gone@example.org")
    with mail_server() as post:
        post.unknown.add("gone@example.org")
        with pytest.raises(RecipientError, match=r"refused for gone@example.org \(550 no such user\)") as told:
            smtp.send(message, post.url)
        assert told.value.answer.endswith("refused for gone@example.org")
        assert len(post.letters) == 1
