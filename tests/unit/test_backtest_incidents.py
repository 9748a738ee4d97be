"""What a replay's incidents told people of, by the messages that they really write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from jobs.backtest_incidents import told_of
from jobs.backtest_replay import Replayed
from jobs.methods import grouping, messages
from jobs.methods.messages import Audience
from jobs.periods import Period
from jobs.spec.telling import Channels
from tests.unit.methods.given_breaches import accuracy, breach, day, drift, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jobs.methods.grouping import Breach

LAST = 12


def replayed(nights: Mapping[int, Iterable[Breach]], decided: Iterable[int] = ()) -> Replayed:
    """These breaches gathered and told night by night; on `decided` nights a rollback is requested."""
    heard: dict[str, set[str]] = {}
    incidents: list[Any] = []
    outbox: list[dict[str, Any]] = []
    for number, one in walk(nights, last=LAST):
        request = {
            "night": day(number), "key": f"rollback-{number}", "incident": one.incident.incident,
            "action": "rollback", "outcome": "requested", "reason": "", "payload": {"reason": "drift"},
        }  # fmt: skip
        audience = Audience("shop", day(number), "", Channels(repeat_after=5), (), heard)
        incidents.append(grouping.as_row(one, day(number), json.dumps))
        outbox += messages.compose([one], [request] * (number in set(decided)), [], audience)
    frames = [pd.DataFrame(rows).astype({"night": "datetime64[s]"}) for rows in (incidents, outbox)]
    frames[0]["opened"] = pd.to_datetime(frames[0]["opened"])
    frames[1]["payload"] = [json.dumps(payload) for payload in frames[1]["payload"]]
    nothing, period = pd.DataFrame(), Period(day(0), day(LAST))
    return Replayed(None, period, period, nothing, frames[0], nothing, frames[1], None)  # type: ignore[arg-type]


EVERY = {
    2: [drift(2)], 3: [drift(3)], 4: [drift(4), breach("conversion", 4, label_age=1)], 5: [drift(5, severity="critical")],
    6: [drift(6)], 7: [drift(7)],
}  # fmt: skip
"""Opens on night 2, grows on 4, escalates on 5, is over on 10."""


def test_every_state_that_messages_write_is_news_or_known_to_be_none() -> None:
    sent = [json.loads(payload) for payload in replayed(EVERY, decided=[6]).outbox["payload"]]
    written = [one["state"] for one in sent if "state" in one]
    assert written == ["opened", "grown", "escalated", "decided", "ongoing", "resolved"]
    assert set(written) == set(get_args(messages.State))
    assert set(written) - set(messages.NEWS) == {"ongoing", "resolved"}


def test_what_made_an_open_incident_grow_was_told_on_that_night() -> None:
    told = told_of(replayed(EVERY))
    grown = told[told["night"] == pd.Timestamp(day(4))]
    assert pd.Timestamp(day(3)) in set(grown["first_day"])  # conversion of the day before
    assert sorted(told["night"].unique()) == [pd.Timestamp(day(number)) for number in (2, 4, 5)]


def test_a_decision_that_says_what_grew_tells_its_figures_too() -> None:
    """One message a night: `decided` is said in place of `grown`."""
    told = told_of(replayed(EVERY, decided=[4]))
    assert pd.Timestamp(day(3)) in set(told.loc[told["night"] == pd.Timestamp(day(4)), "first_day"])


def test_of_nights_without_a_message_nothing_is_told() -> None:
    quiet = {2: [drift(2)], 3: [drift(3), accuracy(3, segment="plan=new")]}
    assert told_of(replayed(quiet))["night"].unique().tolist() == [pd.Timestamp(day(2))]
