"""Killed between any two steps of handing over, nothing is lost, and what is repeated can be recognised."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, day, days
from tests.receivers import Post, Receiver, http_receiver, mail_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

LAST = 20
DYING = """
import os, signal, sys
from pathlib import Path
import jobs.stages.report, reports.letter, reports.mail, pandas, duckdb  # before the forks
from jobs import delivery
from jobs.engine import chat, smtp
from jobs.engine.warehouse import Warehouse
from jobs.periods import parse_day
from jobs.spec.model import ModelSpec

spec = ModelSpec.model_validate_json(Path(sys.argv[1]).read_text())
night, home = parse_day(sys.argv[2]), Path(os.environ["NIGHTJAR_HOME"])
left = 0

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def around(owner, name, counts=lambda *given: True):
    real = getattr(owner, name)
    def wrapped(*given, **named):
        if not counts(*given):
            return real(*given, **named)
        step()
        answer = real(*given, **named)
        step()
        return answer
    setattr(owner, name, wrapped)

around(smtp, "send")
around(chat, "_request")
around(Warehouse, "execute", lambda _, statement, *rest: statement.startswith("INSERT INTO dispatches"))

for line in sys.stdin:
    left = int(line)
    child = os.fork()
    if not child:
        delivery.dispatch(spec, night, home, night)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kiosk, Post, Receiver]]:
    """A night without predictions, after three weeks with them: one critical incident, told on five channels."""
    kiosk = Kiosk(tmp_path_factory.mktemp("kiosk"))
    kiosk.reference()
    kiosk.changes |= {
        "labels": None, "outcomes": None, "mail": {"to": ["night@example.org"]},
        "channels": {"critical": ["mail", "mailto:oncall@example.org", "${HOOK}", "${ROBOT}", "log"]},
        "actions": {"fallback": {"webhook": "${CONSUMER}"}},
        "rules": [{"metric": "psi", "above": 50.0}],  # the kiosk's days are all alike, its reference is not
    }  # fmt: skip
    for number in range(1, LAST):
        kiosk.predict(number, [f"{number}-{row}" for row in range(60)])
    kiosk.run(days(1, LAST), *STAGE_NAMES)
    with kiosk.warehouse() as warehouse:  # a request, as the night would have written it
        payload = json.dumps({"model": "kiosk", "key": "k-fallback", "action": "fallback"})
        warehouse.execute(
            "INSERT INTO outbox VALUES ('kiosk', ?, 'k-fallback', 'k', 'fallback', 'no answers', ?)",
            [day(LAST), payload],
        )
    with mail_server() as post, http_receiver() as receiver:
        receiver.answers["/robot"] = (200, {"errcode": 0, "errmsg": "ok"})
        yield kiosk, post, receiver


@pytest.fixture
def dying(world: tuple[Kiosk, Post, Receiver], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that hands over in a child of its own, which dies at the step it is told."""
    kiosk, post, receiver = world
    spec = tmp_path / "spec.json"
    spec.write_text(kiosk.spec.model_dump_json())
    (tmp_path / "home").mkdir()
    environment = {
        **os.environ, "NIGHTJAR_HOME": str(tmp_path / "home"), "NIGHTJAR_SMTP": post.url,
        "HOOK": f"{receiver.url}/hook", "ROBOT": f"dingtalk+{receiver.url}/robot", "CONSUMER": f"{receiver.url}/consumer",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", DYING, str(spec), str(day(LAST))],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield process
    assert process.stdin
    assert process.stdout
    process.stdin.close()
    process.wait(timeout=30)
    process.stdout.close()


def hand_over(process: subprocess.Popen[str], die_at: int = 0) -> int:
    """One try, killed at a step (0: never); its exit code."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{die_at}\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def arrived(post: Post, receiver: Receiver) -> Counter[str]:
    """How often each message came, by the name it can be recognised by; what was counted is forgotten."""
    names = [str(letter["Message-ID"]) for letter in post.letters] + [
        f"{path} {key}" for path, key, _ in receiver.posted
    ]
    post.letters.clear()
    receiver.posted.clear()
    return Counter(names)


def test_a_kill_between_any_two_steps_loses_nothing_and_repeats_at_most_the_message_in_hand(
    world: tuple[Kiosk, Post, Receiver], dying: subprocess.Popen[str], tmp_path: Path
) -> None:
    kiosk, post, receiver = world

    def anew() -> None:
        shutil.copy(kiosk.home / "kiosk.duckdb", tmp_path / "home" / "kiosk.duckdb")

    anew()
    assert hand_over(dying) == 0
    undisturbed = arrived(post, receiver)
    assert len(undisturbed) == 5  # the night's mail, a mail of its own, a webhook, a robot, a consumer
    assert set(undisturbed.values()) == {1}
    assert hand_over(dying) == 0
    assert arrived(post, receiver) == Counter()

    step, repeated = 1, 0
    while True:
        anew()
        code = hand_over(dying, die_at=step)
        if code == 0:
            break
        assert code == -9
        assert hand_over(dying) == 0
        came = arrived(post, receiver)
        assert came.keys() == undisturbed.keys(), f"step {step}"
        assert sum(came.values()) - len(came) <= 1, f"step {step}: {came}"
        repeated += sum(came.values()) - len(came)
        assert hand_over(dying) == 0
        assert arrived(post, receiver) == Counter(), f"step {step}: told again after all was told"
        step += 1
    assert step > 2 * 12  # 5 hand-overs and at least 7 notes in the ledger, before and after each
    # Killed after the answer or before its note is committed, a message comes once more, by the same name. The night's
    # mail has two notes in one transaction (its own, and of the message it tells), so there are five such places.
    assert repeated == 4 * 2 + 5
