"""Chats, pagers and webhooks, against a real HTTP receiver: what is sent, and whose answer is believed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jobs.engine import chat
from jobs.errors import DeliveryError
from tests.receivers import Receiver, http_receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise's own import

SECRET = "SEC000"  # noqa: S105 - of a receiver that lives for this test
PAYLOAD = {"version": 1, "key": "k-1", "text": "Accuracy fell."}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as server:
        server.answers |= {"/ding": (200, {"errcode": 0}), "/fei": (200, {"code": 0}), "/wecom": (200, {"errcode": 0})}
        yield server


def send(url: str, text: str = "Accuracy fell.") -> str:
    return chat.send(url, "[critical] shop: accuracy", text, "k-1", PAYLOAD)


def only(receiver: Receiver) -> tuple[str, str, dict[str, Any]]:
    (one,) = receiver.posted
    return one


def test_a_webhook_gets_the_payload_with_its_key(receiver: Receiver) -> None:
    assert send(f"{receiver.url}/hook?token=t") == "webhook answered 200"
    assert only(receiver) == ("/hook?token=t", "k-1", PAYLOAD)


def test_dingtalk_gets_a_signed_markdown_message(receiver: Receiver) -> None:
    """Its documentation: base64 of HMAC-SHA256 of `timestamp newline secret` with the secret as key."""
    send(f"dingtalk+{receiver.url}/ding?access_token=t&secret={SECRET}")
    path, _, body = only(receiver)
    query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    made = hmac.new(SECRET.encode(), f"{query['timestamp']}\n{SECRET}".encode(), hashlib.sha256)
    assert query["sign"] == base64.b64encode(made.digest()).decode()
    assert (query["access_token"], "secret" in query) == ("t", False)
    assert body["markdown"]["text"].endswith("Accuracy fell.\nk-1")


def test_feishu_gets_a_signed_text(receiver: Receiver) -> None:
    """Its documentation: the key is `timestamp newline secret`, and nothing is signed with it."""
    send(f"feishu+{receiver.url}/fei?secret={SECRET}")
    _, _, body = only(receiver)
    made = hmac.new(f"{body['timestamp']}\n{SECRET}".encode(), b"", hashlib.sha256)
    assert body["sign"] == base64.b64encode(made.digest()).decode()
    assert body["msg_type"] == "text"


def test_a_text_too_long_for_wecom_is_cut_and_keeps_its_key(receiver: Receiver) -> None:
    send(f"wecom+{receiver.url}/wecom?key=t", text="准确率" * 2000)
    _, _, body = only(receiver)
    content = body["text"]["content"]
    assert len(content.encode()) <= 2048
    assert content.startswith("[critical] shop")
    assert content.endswith("k-1")


@pytest.mark.parametrize(
    ("robot", "path", "answer", "words"),
    [
        ("dingtalk", "/ding", {"errcode": 310000, "errmsg": "sign not match"}, "310000 sign not match"),
        ("feishu", "/fei", {"code": 19021, "msg": "sign match fail"}, "19021 sign match fail"),
        ("wecom", "/wecom", {"errcode": 93000, "errmsg": "invalid webhook"}, "93000 invalid webhook"),
        ("wecom", "/wecom", {"hello": "world"}, "gave no error code"),
    ],
)
def test_a_robot_that_says_200_and_no_is_not_believed(
    receiver: Receiver, robot: str, path: str, answer: dict[str, Any], words: str
) -> None:
    receiver.answers[path] = (200, answer)
    with pytest.raises(DeliveryError, match=words):
        send(f"{robot}+{receiver.url}{path}")


def test_the_long_tail_goes_through_apprise(receiver: Receiver) -> None:
    assert send(f"json://{receiver.url.removeprefix('http://')}/tail") == "json took it"
    path, _, body = only(receiver)
    assert path.startswith("/tail")
    assert (body["title"], body["message"]) == ("[critical] shop: accuracy", "Accuracy fell.\nk-1")


def test_apprise_is_believed_when_it_fails(receiver: Receiver) -> None:
    receiver.answers["/tail"] = (500, {})
    with pytest.raises(DeliveryError, match="json did not take the message"):
        send(f"json://{receiver.url.removeprefix('http://')}/tail")


@pytest.mark.parametrize("url", ["nonsense://user:geheim@host", "https://127.0.0.1:1/x?token=geheim"])
def test_no_error_shows_the_url_with_its_password(url: str) -> None:
    with pytest.raises(DeliveryError) as told:
        send(url)
    assert "geheim" not in str(told.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:geheim/x", "http://[geheim/x"])
def test_a_url_that_is_none_is_a_clear_fault_and_not_shown(url: str) -> None:
    with pytest.raises(DeliveryError, match="URL is not one") as told:
        send(url)
    assert "geheim" not in str(told.value)


def test_an_answer_that_is_no_http_is_a_fault(receiver: Receiver) -> None:
    receiver.garbled.add("/hook")
    with pytest.raises(DeliveryError, match="webhook could not be reached for the message k-1: BadStatusLine"):
        send(f"{receiver.url}/hook")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_not_taken_for_an_answer(receiver: Receiver, status: int) -> None:
    """urllib would follow it with a GET without a body (RFC 9110, 15.4), which a login page answers with 200."""
    receiver.answers["/old"] = (status, {})
    receiver.moved["/old"] = f"{receiver.url}/new?token=geheim"
    with pytest.raises(DeliveryError, match=f"HTTP {status}, it has moved; redirects are not followed") as told:
        send(f"{receiver.url}/old")
    assert "geheim" not in str(told.value)
    assert [path for path, _, _ in receiver.posted] == ["/old"]
