"""Decisions: asked for once, held with a reason; and one message per change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from jobs.methods import actions, messages
from jobs.methods.actions import Requested, Situation
from jobs.methods.answering import Serving
from jobs.methods.messages import Audience
from jobs.spec.acting import Actions
from jobs.spec.telling import Channels, Mute
from tests.unit.methods.given_breaches import accuracy, breach, day, drift, walk

if TYPE_CHECKING:
    from jobs.methods.grouping import Breach


def audience(number: int, heard: dict[str, set[str]] | None = None, **changes: Any) -> Audience:
    given = {"owner": "", "channels": Channels(), "mutes": ()} | changes
    return Audience(model="shop", night=day(number), heard={} if heard is None else heard, **given)


RETRAIN = {"severity": "critical", "action": "retrain"}
NIGHT = 20
INCIDENT = "shop-2025-03-21-behaviour"
SITUATION = Situation(
    model="shop",
    night=day(NIGHT),
    history=(),
    fresh_labels=5000,
    policies=dict(Actions()),
    serving=Serving({"v2": 1.0}, former={"v2": "v1"}),
)


def decide(situation: Situation = SITUATION, **changes: Any) -> list[dict[str, Any]]:
    ((_, told),) = walk({NIGHT: [drift(NIGHT, **(RETRAIN | changes)), accuracy(NIGHT)]}, last=NIGHT)
    return actions.decide(told, situation)


def test_a_retrain_is_requested_with_everything_its_consumer_needs() -> None:
    (row,) = decide()
    assert (row["outcome"], row["key"]) == ("requested", "shop-2025-03-21-behaviour-retrain")
    payload = row["payload"]
    assert payload["version"] == 1
    assert (payload["model"], payload["action"], payload["key"]) == ("shop", "retrain", row["key"])
    assert payload["incident"] == row["incident"]
    assert payload["reason"] == "browsing_minutes drifted (PSI 1.24) → accuracy 80.0 % (recently 95.0 %)"
    assert payload["days"] == {"first": "2025-03-20", "last": "2025-03-21"}
    assert payload["versions"] == {"current": "v2", "previous": "v1"}
    assert [(item["metric"], item["value"]) for item in payload["metrics"]] == [("psi", 1.24), ("accuracy", 0.8)]


def test_an_incident_asks_for_an_action_once() -> None:
    before = Requested(day(NIGHT - 1), f"{INCIDENT}-retrain", "retrain", INCIDENT)
    assert decide(replace(SITUATION, history=[before])) == []


def test_a_graver_need_of_the_same_incident_asks_again_once_and_waits_for_the_cool_down_like_others() -> None:
    """A warning asked on night 1; now something critical asks. Whether the first was rejected, the ledger knows."""
    before = Requested(day(1), f"{INCIDENT}-retrain", "retrain", INCIDENT, "warning")
    (row,) = decide(replace(SITUATION, history=[before]))
    assert (row["key"], row["outcome"]) == (f"{INCIDENT}-retrain-critical", "requested")
    (row,) = decide(replace(SITUATION, history=[replace(before, night=day(NIGHT - 3))]))
    assert (row["outcome"], row["payload"]["audit"]["guards"]["blocked_by"]) == ("held", [before.key])
    again = Requested(day(2), f"{INCIDENT}-retrain-critical", "retrain", INCIDENT)
    assert decide(replace(SITUATION, history=[before, again])) == []


# an incident that lasts asks again --------------------------------------------------------------------------------

ASKED = Requested(day(0), f"{INCIDENT}-retrain", "retrain", INCIDENT, "critical", "v2")


@pytest.mark.parametrize(
    ("ago", "policy", "key"),
    [
        (27, {}, None), (28, {}, f"{INCIDENT}-retrain-2"),
        (28, {"cooldown_days": 40}, None), (40, {"cooldown_days": 40}, f"{INCIDENT}-retrain-2"),
        (14, {"open_days": 0}, f"{INCIDENT}-retrain-2"),
    ],
)  # fmt: skip
def test_an_incident_asks_again_once_its_request_is_neither_open_nor_cooling_down(
    ago: int, policy: dict[str, int], key: str | None
) -> None:
    situation = replace(
        SITUATION, history=[replace(ASKED, night=day(NIGHT - ago))], policies=dict(Actions(retrain=policy))
    )
    assert [(row["key"], row["outcome"]) for row in decide(situation)] == ([(key, "requested")] if key else [])


@pytest.mark.parametrize(("ago", "outcome"), [(13, "held"), (14, "requested")])
def test_an_incident_asks_about_another_version_when_the_action_has_cooled_down(ago: int, outcome: str) -> None:
    """The request was about v1; v2 answers now and is as bad."""
    history = [replace(ASKED, night=day(NIGHT - ago), version="v1")]
    (row,) = decide(replace(SITUATION, history=history))
    assert (row["key"], row["outcome"]) == (f"{INCIDENT}-retrain-2", outcome)
    assert row["payload"]["audit"]["guards"]["blocked_by"] == ([ASKED.key] if outcome == "held" else [])


@pytest.mark.parametrize("late", [{"replaced": "v1 answered then"}, {"day": day(NIGHT - 30)}])
def test_old_figures_are_no_reason_to_ask_again(late: dict[str, Any]) -> None:
    """Of the version before, or of a day before the request: whoever took that has seen them."""
    history = [replace(ASKED, night=day(NIGHT - 29), version="v1")]
    figure = replace(accuracy(NIGHT, age=7, **RETRAIN), **late)
    ((_, told),) = walk({NIGHT: [figure]}, last=NIGHT)
    assert actions.decide(told, replace(SITUATION, history=history)) == []


def test_a_third_request_and_a_graver_one_each_have_a_key_of_their_own() -> None:
    keys = []
    history: list[Requested] = []
    for night, severity in ((10, "warning"), (40, "warning"), (60, "critical"), (90, "warning"), (110, "critical")):
        ((_, told),) = walk({night: [drift(night, severity=severity, action="retrain")]}, last=night)
        told = replace(told, incident=replace(told.incident, incident=INCIDENT))
        (row,) = actions.decide(told, replace(SITUATION, night=day(night), history=history))
        keys.append(row["key"].removeprefix(f"{INCIDENT}-retrain"))
        history.append(Requested.of(row, day(night)))
    assert keys == ["", "-2", "-critical", "-4", "-critical-5"]


def test_the_rule_engine_follows_no_version_and_is_neither_switched_to_twice_nor_rolled_back() -> None:
    resting = replace(SITUATION, serving=Serving({"rules": 1.0}, former={"rules": "v2"}), history=[ASKED])
    assert decide(replace(resting, night=day(NIGHT), history=[replace(ASKED, night=day(NIGHT - 20))])) == []
    for action in ("fallback", "rollback"):
        (row,) = decide(resting, action=action)
        assert (row["outcome"], row["reason"]) == ("held", "the rule engine answers already")


def test_incidents_that_have_not_asked_come_before_those_that_ask_again() -> None:
    told = [one for _, one in walk({1: [drift(1)], 2: [breach("latency_p95", 2)], 3: [breach("volume", 3)]}, last=3)]
    first, second, third = {one.incident.incident: one for one in told}.values()
    history = [replace(ASKED, incident=first.incident.incident, night=day(9)), replace(ASKED, night=day(4))]
    history.append(replace(ASKED, incident=second.incident.incident, night=day(5)))
    assert actions.in_turn([first, second, third], "retrain", history) == [third, second, first]
    assert actions.in_turn([first, second, third], "rollback", history) == [first, second, third]


def test_what_a_muted_incident_asks_for_is_held() -> None:
    mutes = [Mute(incident=INCIDENT, until=day(NIGHT + ahead)) for ahead in (0, 2)]
    (row,) = decide(replace(SITUATION, mutes=mutes))
    assert (row["outcome"], row["reason"]) == ("held", "muted until 2025-03-23")
    (row,) = decide(replace(SITUATION, mutes=[Mute(incident="shop-2025-03-21-service", until=day(NIGHT))]))
    assert row["outcome"] == "requested"


# a version that has been replaced ---------------------------------------------------------------------------------

TOLD = "v1 answered on 2025-03-14, and v2 has answered since 2025-03-18"


def decide_on(*breaches: Breach) -> dict[str, Any]:
    ((_, told),) = walk({NIGHT: breaches}, last=NIGHT)
    (row,) = actions.decide(told, SITUATION)
    return row


@pytest.mark.parametrize(("action", "noun"), [("retrain", "retraining"), ("rollback", "rollback")])
def test_a_version_that_was_replaced_is_no_reason_to_act_on_the_one_that_replaced_it(action: str, noun: str) -> None:
    late = accuracy(NIGHT, age=7, severity="critical", action=action)
    row = decide_on(replace(late, replaced=TOLD))
    assert row["outcome"] == "held"
    assert row["reason"] == f"what asks for a {noun} says nothing of the version that answers now: {TOLD}"
    assert [one["replaced"] for one in row["payload"]["audit"]["asked_by"]] == [TOLD]


def test_one_figure_about_the_present_version_is_reason_enough() -> None:
    late, fresh = (accuracy(NIGHT, age=age, severity="critical", action="retrain") for age in (7, 1))
    row = decide_on(replace(late, replaced=TOLD), fresh)
    assert row["outcome"] == "requested"
    assert [one.get("replaced") for one in row["payload"]["audit"]["asked_by"]] == [TOLD, None]


@pytest.mark.parametrize(("ago", "outcome"), [(13, "held"), (14, "requested")])
def test_another_incident_waits_until_the_action_has_cooled_down(ago: int, outcome: str) -> None:
    before = Requested(day(NIGHT - ago), "shop-2025-02-01-behaviour-retrain", "retrain")
    (row,) = decide(replace(SITUATION, history=[before]))
    assert row["outcome"] == outcome
    if outcome == "held":
        assert row["reason"] == "retrain was last requested on 2025-03-08; it cools down until 2025-03-22"


def test_a_retrain_without_fresh_labels_is_held() -> None:
    (row,) = decide(replace(SITUATION, fresh_labels=120))
    assert (row["outcome"], row["reason"]) == (
        "held", "120 labels arrived in the last 28 days, retrain needs 500",
    )  # fmt: skip


def test_a_rollback_needs_somewhere_to_go() -> None:
    (row,) = decide(replace(SITUATION, serving=Serving({"v1": 1.0})), action="rollback")
    assert (row["outcome"], row["reason"]) == ("held", "no earlier version is known to go back to")


def test_information_asks_for_nothing() -> None:
    assert decide(severity="info") == []


def test_a_rule_for_final_labels_asks_though_the_open_incident_knows_that_day_from_earlier_ones() -> None:
    """Retold figures are no news and keep no incident open, but only they can speak for a rule of their age."""
    first, final = accuracy(NIGHT - 9, severity="critical"), accuracy(NIGHT, age=10, **RETRAIN)
    told = walk({NIGHT - 9: [first], NIGHT: [final]}, last=NIGHT, resolve_after=99)
    *_, (number, last) = told
    assert (number, last.incident.state, last.changed) == (NIGHT, "ongoing", False)
    assert [row["outcome"] for row in actions.decide(last, SITUATION)] == ["requested"]


def test_a_quiet_night_asks_for_nothing() -> None:
    told = walk({1: [drift(1, **RETRAIN)]}, last=3)
    assert [actions.decide(one, SITUATION) for number, one in told if number > 1] == [[], []]


def test_one_mail_when_it_opens_escalates_and_resolves_and_silence_between() -> None:
    told = walk({2: [drift(2)], 3: [drift(3, severity="critical")], 4: [drift(4)]}, last=9)
    heard: dict[str, set[str]] = {}
    mails = [row for number, one in told for row in messages.compose([one], [], (), audience(number, heard))]
    assert [row["key"] for row in mails] == [
        "shop-2025-03-03-behaviour-opened-2025-03-03",
        "shop-2025-03-03-behaviour-escalated-2025-03-04",
        "shop-2025-03-03-behaviour-resolved-2025-03-08",
    ]
    assert [row["subject"] for row in mails] == [
        "[warning] shop: browsing_minutes drifted (PSI 1.24)",
        "[critical] shop, worse: browsing_minutes drifted (PSI 1.24)",
        "[resolved] shop, after 3 nights: browsing_minutes drifted (PSI 1.24)",
    ]
    assert {row["channel"] for row in mails} == {"mail"}


def test_a_request_is_a_message_of_its_own_and_what_is_held_is_none() -> None:
    ((_, told),) = walk({NIGHT: [drift(NIGHT, **RETRAIN)]}, last=NIGHT)
    requested, held = (actions.decide(told, replace(SITUATION, fresh_labels=n)) for n in (5000, 1))
    rows = messages.compose([told], requested, (), audience(NIGHT))
    assert [(row["channel"], row["key"]) for row in rows] == [
        ("mail", "shop-2025-03-21-behaviour-opened-2025-03-21"), ("retrain", "shop-2025-03-21-behaviour-retrain"),
    ]  # fmt: skip
    audit = requested[0]["payload"]["audit"]
    assert rows[1]["payload"] | {"audit": audit} == requested[0]["payload"]
    assert [row["channel"] for row in messages.compose([told], held, (), audience(NIGHT))] == ["mail"]


# news of an incident that is open as before ---------------------------------------------------------------------


def told_of(nights: dict[int, list[Any]], last: int) -> list[tuple[int, str]]:
    """Night and state of each mail."""
    heard: dict[str, set[str]] = {}
    return [
        (number, row["payload"]["state"])
        for number, one in walk(nights, last=last)
        for row in messages.compose([one], [], (), audience(number, heard))
    ]


def test_another_feature_that_drifts_is_told_once_and_so_is_the_first_accuracy_it_costs() -> None:
    """Day after day the same features, and accuracy after recall, say nothing new."""
    nights = {
        2: [drift(2, "age")], 3: [drift(3, "age")], 4: [drift(4, "age"), drift(4, "income")],
        5: [drift(5, "age"), drift(5, "income")], 6: [drift(6, "age"), accuracy(6)],
        7: [breach("recall", 7, label_age=1), accuracy(7)], 8: [drift(8, "age")],
    }  # fmt: skip
    assert told_of(nights, last=8) == [(2, "opened"), (4, "grown"), (6, "grown")]


def test_business_that_falls_is_other_trouble_than_accuracy_that_fell() -> None:
    nights = {2: [accuracy(2)], 3: [accuracy(3), breach("conversion", 3, label_age=1)], 4: [accuracy(4)]}
    assert told_of(nights, last=4) == [(2, "opened"), (3, "grown")]


def test_labels_that_do_not_come_are_one_trouble_and_predictions_another() -> None:
    silence = breach("delivery", 4, detector="delivery", rule="no labels", feature="labels")
    nights = {2: [breach("coverage", 2, label_age=1)], 4: [silence], 5: [silence, breach("volume", 5)]}
    assert told_of(nights, last=5) == [(2, "opened"), (5, "grown")]


def test_segments_information_and_late_ages_make_no_incident_grow() -> None:
    nights = {
        2: [accuracy(2)], 3: [accuracy(3, segment="plan=new")], 4: [drift(4, "income", severity="info")],
        5: [accuracy(5)],
    }  # fmt: skip
    assert told_of(nights, last=5) == [(2, "opened")]


LASTING = {number: [drift(number, severity="critical")] for number in range(5, 61)}
"""A drift that stays for good, critical from night 5."""


def test_accuracy_that_collapses_while_a_drift_keeps_the_incident_open_is_told_on_that_night() -> None:
    """A warning from night 8, critical from night 45: the incident was critical and its layer known, and it is news."""
    nights = {
        number: [*drifted, *([accuracy(number)] if number >= 8 else [])]
        + ([accuracy(number, value=0.57, severity="critical")] if number >= 45 else [])
        for number, drifted in LASTING.items()
    }
    assert told_of(nights, last=60) == [(5, "opened"), (8, "grown"), (45, "grown")]


def test_each_figure_is_told_once_at_a_severity_at_whatever_age_and_of_whichever_version_or_class() -> None:
    worse: list[tuple[int, str, dict[str, Any]]] = [
        (10, "accuracy", {}), (12, "accuracy", {"label_age": 7}), (14, "accuracy", {"version": "v2"}),
        (16, "recall", {}), (18, "recall", {"segment": "plan=new"}), (20, "class_recall", {"feature": "pear"}),
        (22, "class_recall", {"feature": "apple"}), (24, "f1", {"severity": "warning"}),
    ]  # fmt: skip
    nights = {
        number: [*drifted, *(
            breach(metric, number, **({"label_age": 1, "severity": "critical"} | changes))
            for since, metric, changes in worse if number >= since
        )]
        for number, drifted in LASTING.items()
    }  # fmt: skip
    assert told_of(nights, last=60) == [(5, "opened"), (10, "grown"), (16, "grown"), (20, "grown")]


def test_a_feature_that_becomes_critical_in_a_critical_incident_is_told_once() -> None:
    nights = {
        number: [*drifted, drift(number, "age", severity="critical" if number >= 30 else "warning")]
        for number, drifted in LASTING.items()
    }
    assert told_of(nights, last=60) == [(5, "opened"), (30, "grown")]


def test_scores_that_drift_are_told_by_the_feature_that_began_to_drift_and_are_news_when_none_did() -> None:
    soon, late = (
        {
            number: [*drifted, *([drift(number, "score", severity="critical")] if number >= since else [])]
            for number, drifted in LASTING.items()
        }
        for since in (8, 45)
    )
    assert told_of(soon, last=60) == [(5, "opened")]
    assert told_of(late, last=60) == [(5, "opened"), (45, "grown")]


def test_an_incident_full_of_drifts_still_hears_what_is_new_and_says_it_once() -> None:
    """Eighty features, more than an incident keeps of figures that nobody has to remember."""
    crowd = {
        number: [*(drift(number, f"f{one}", severity="critical") for one in range(80)),
                 *(accuracy(number, segment=f"shop={one}", severity="critical") for one in range(80))]
        for number in LASTING
    }  # fmt: skip
    nights: dict[int, list[Any]] = {
        number: [
            *many,
            *([accuracy(number, severity="critical" if number >= 45 else "warning")] if number >= 20 else []),
            *([drift(number, "another")] if number >= 30 else []),
        ]
        for number, many in crowd.items()
    }
    expected = [(5, "opened"), (20, "grown"), (30, "grown"), (45, "grown")]
    assert told_of(nights, last=60) == expected
    *_, (_, last) = walk(nights, last=60)
    assert len(last.incident.evidence) < 90


def test_final_labels_that_show_a_collapse_are_told_before_the_incident_is_over() -> None:
    """At age 1 accuracy was a warning; on night 6, the third quiet one, the same day is critical at age 4."""
    nights = {
        2: [drift(2, severity="critical"), accuracy(2)], 3: [drift(3, severity="critical")],
        6: [accuracy(6, age=4, severity="critical")],
    }  # fmt: skip
    assert told_of(nights, last=9) == [(2, "opened"), (6, "grown"), (7, "resolved")]


def test_a_figure_that_was_muted_and_worse_then_is_told_once_after_its_mute() -> None:
    def muted(number: int) -> Breach:
        quiet = drift(number, "age", value=3.0, lower=None, upper=0.3)
        return replace(quiet, items=tuple(one | {"muted": str(day(9))} for one in quiet.items))

    nights = {
        number: [
            accuracy(number),
            muted(number) if number < 10 else drift(number, "age", value=0.6, lower=None, upper=0.3),
        ]
        for number in range(2, 20)
    }
    assert told_of(nights, last=19) == [(2, "opened"), (10, "grown")]


def test_growing_and_becoming_worse_on_one_night_are_one_message() -> None:
    nights = {2: [drift(2, "age")], 3: [drift(3, "income", severity="critical")]}
    assert told_of(nights, last=3) == [(2, "opened"), (3, "escalated")]


def decided_on(numbers: range, outcomes: dict[int, str], **guards: Any) -> list[dict[str, Any]]:
    """Mails of an incident that opened on night 2, with a decision of that outcome on these nights."""
    heard: dict[str, set[str]] = {}
    held: set[str] = set()
    mails = []
    for number, one in walk({number: [drift(number)] for number in numbers}, last=numbers[-1]):
        decided = [
            {
                "night": day(number), "key": f"{one.incident.incident}-rollback", "incident": one.incident.incident,
                "action": "rollback", "outcome": outcomes[number], "reason": "no earlier version",
                "payload": {"model": "shop", "reason": "drift", "audit": {"guards": guards}},
            }
            for _ in range(number in outcomes)
        ]  # fmt: skip
        rows = messages.compose([one], decided, (), audience(number, heard, held=held))
        mails += [row for row in rows if row["channel"] == "mail"]
    return mails


def test_a_request_on_a_night_without_other_news_is_told() -> None:
    opened, decided = decided_on(range(2, 6), {4: "requested"})
    assert (opened["payload"]["state"], decided["payload"]["state"]) == ("opened", "decided")
    assert decided["key"] == "shop-2025-03-03-behaviour-decided-2025-03-05"
    assert decided["subject"] == "[warning] shop, decided: browsing_minutes drifted (PSI 1.24)"
    assert decided["payload"]["text"].endswith("A rollback has been requested.")


def test_a_request_that_waits_says_how_to_approve_it() -> None:
    _, decided = decided_on(range(2, 6), {4: "requested"}, approval=True)
    assert decided["payload"]["text"].endswith(
        "waits for approval: nightjar approve shop shop-2025-03-03-behaviour-rollback --by NAME."
    )


def test_what_is_held_back_night_after_night_is_told_on_its_first() -> None:
    mails = decided_on(range(2, 8), {4: "held", 5: "held", 6: "held", 7: "requested"})
    assert [mail["night"] for mail in mails] == [day(2), day(4), day(7)]
