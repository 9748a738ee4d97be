"""Hand one message to a chat, a pager or a webhook named by a URL.

DingTalk, Feishu and WeCom answer 200 with an error code inside, so they have senders of their own that read it. A plain
`http(s)` URL gets the payload as JSON. Every other scheme goes to apprise (Slack, Teams, PagerDuty and a hundred more).
Errors name the service and never the URL, which holds its password.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote_plus, urlsplit, urlunsplit

from jobs.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from urllib.parse import SplitResult

TIMEOUT = 30.0

HOSTS = {
    "oapi.dingtalk.com": "dingtalk",
    "open.feishu.cn": "feishu",
    "open.larksuite.com": "feishu",
    "qyapi.weixin.qq.com": "wecom",
}
"""Robots that are known by where their URL leads; `dingtalk+https://` says so for any other host."""

BYTES_MOST = {"dingtalk": 18_000, "feishu": 28_000, "wecom": 2_000}
"""Longer texts are refused (DingTalk 20,000, Feishu 30,000, WeCom 2,048 bytes); they are cut before."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A POST that is redirected would arrive as a GET without its body, and a login page answers 200 to that."""

    def redirect_request(self, *_: Any) -> None:  # the opener then raises the status itself
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def send(url: str, subject: str, text: str, key: str, payload: Mapping[str, Any]) -> str:
    """Send one message and return what the other side said; DeliveryError where it did not take it.

    `key` stands in the text, or in the header `Idempotency-Key`, so that a repeat can be recognised.
    """
    try:
        where = urlsplit(url)
    except ValueError:
        raise DeliveryError(f"the message {key} could not be sent: the channel's URL is not one") from None
    name, _, scheme = where.scheme.rpartition("+")
    service = name or (HOSTS.get(where.hostname or "") if scheme in ("http", "https") else None)
    if service in ROBOTS:
        return _robot(service, where._replace(scheme=scheme), subject, text, key)
    if scheme in ("http", "https") and not name:
        return post(url, payload, key)
    return _apprise(url, scheme, subject, f"{text}\n{key}")


def post(url: str, payload: Mapping[str, Any], key: str, name: str = "webhook") -> str:
    """POST a JSON object; anything but 2xx is a DeliveryError."""
    body = json.dumps(payload, ensure_ascii=False).encode()
    status, _ = _request(url, body, key, name)
    return f"{name} answered {status}"


def _request(url: str, body: bytes, key: str, name: str) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": key, "User-Agent": "nightjar"}
    try:
        asked = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - http(s) by the caller
        with _OPENER.open(asked, timeout=TIMEOUT) as answer:
            return int(answer.status), answer.read(100_000)
    except urllib.error.HTTPError as error:
        error.close()
        raise DeliveryError(f"{name} refused the message {key}: {_refusal(error)}") from None
    except http.client.InvalidURL:  # its text is a part of the URL
        raise DeliveryError(f"{name} could not be reached for the message {key}: its URL is not one") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise DeliveryError(f"{name} could not be reached for the message {key}: {reason}") from None


def _refusal(error: urllib.error.HTTPError) -> str:
    """What a status that is no success says; the place a redirect leads to may hold a password too."""
    if 300 <= error.code < 400:
        return f"HTTP {error.code}, it has moved; redirects are not followed, so give the new URL"
    return f"HTTP {error.code}"


def _robot(service: str, where: SplitResult, subject: str, text: str, key: str) -> str:
    """One of the robots whose answer must be read."""
    query = parse_qs(where.query)
    secret = query.pop("secret", [""])[0]
    plain = "&".join(f"{name}={quote_plus(value)}" for name, values in query.items() for value in values)
    url, body = ROBOTS[service](
        where._replace(query=plain), secret, subject, _cut(f"{subject}\n\n{text}\n{key}", service)
    )
    _, said = _request(url, json.dumps(body, ensure_ascii=False).encode(), key, service)
    try:
        answer = json.loads(said)
        code = next(int(answer[field]) for field in ("errcode", "code", "StatusCode") if field in answer)
    except (ValueError, TypeError, StopIteration):
        raise DeliveryError(f"{service} gave no error code for the message {key}; is its URL right?") from None
    if code:
        why = answer.get("errmsg") or answer.get("msg") or "no reason given"
        raise DeliveryError(f"{service} refused the message {key}: {code} {why}")
    return f"{service} answered 0"


def _dingtalk(where: SplitResult, secret: str, subject: str, text: str) -> tuple[str, dict[str, Any]]:
    if secret:
        moment = str(round(time.time() * 1000))
        signed = _sign(secret.encode(), f"{moment}\n{secret}".encode())
        where = where._replace(query=f"{where.query}&timestamp={moment}&sign={quote_plus(signed)}")
    return urlunsplit(where), {"msgtype": "markdown", "markdown": {"title": subject, "text": text}}


def _feishu(where: SplitResult, secret: str, _: str, text: str) -> tuple[str, dict[str, Any]]:
    body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
    if secret:
        moment = str(round(time.time()))
        body |= {"timestamp": moment, "sign": _sign(f"{moment}\n{secret}".encode(), b"")}
    return urlunsplit(where), body


def _wecom(where: SplitResult, _: str, __: str, text: str) -> tuple[str, dict[str, Any]]:
    return urlunsplit(where), {"msgtype": "text", "text": {"content": text}}


ROBOTS: dict[str, Callable[[SplitResult, str, str, str], tuple[str, dict[str, Any]]]] = {
    "dingtalk": _dingtalk,
    "feishu": _feishu,
    "wecom": _wecom,
}


def _sign(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def _cut(text: str, service: str) -> str:
    """A text within the service's bytes; what is lost is lost in the middle, so that the key stays.

    >>> len(_cut("x" * 5000, "wecom"))
    1999
    """
    most, whole = BYTES_MOST[service], text.encode()
    if len(whole) <= most:
        return text
    head, tail = whole[: most - 303], whole[-300:]
    return head.decode(errors="ignore") + "..." + tail.decode(errors="ignore")[-299:]


def _apprise(url: str, scheme: str, subject: str, text: str) -> str:
    import apprise

    target = apprise.Apprise()
    longer = url + ("" if "overflow=" in url else ("&" if "?" in url else "?") + "overflow=truncate")
    if not target.add(longer):
        raise DeliveryError(f"'{scheme}://...' is no URL that apprise can use; its documentation lists the services")
    if not target.notify(title=subject, body=text):
        raise DeliveryError(f"{scheme} did not take the message '{subject}'")
    return f"{scheme} took it"
