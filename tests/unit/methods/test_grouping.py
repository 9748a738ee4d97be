"""The life of incidents: what belongs together, when it is over, and what late labels add."""

from __future__ import annotations

import json

from jobs.methods import grouping
from tests.unit.methods.given_breaches import accuracy, breach, day, drift, story, walk

DRIFT = "shop-2025-03-03-behaviour"  # opened on night 2


# together or apart ----------------------------------------------------------------------------------------------


def test_drift_and_the_accuracy_it_costs_are_one_incident() -> None:
    told = walk({2: [drift(2), accuracy(2)]}, last=2)
    ((_, one),) = told
    assert one.incident.title == "browsing_minutes drifted (PSI 1.24) → accuracy 80.0 % (recently 95.0 %)"
    assert (one.incident.state, one.incident.opened, one.changed) == ("opened", day(2), True)


def test_slow_answers_and_silence_are_troubles_of_their_own() -> None:
    silence = breach("volume", 2, detector="delivery", rule="no data", severity="critical")
    told = walk({2: [drift(2), breach("latency_p95", 2), silence]}, last=2)
    assert [one.incident.scope for _, one in told] == ["behaviour", "delivery", "service"]


def test_a_segment_alone_is_an_incident_of_that_segment() -> None:
    told = walk({2: [accuracy(2, segment="plan=new")]}, last=2)
    assert [one.incident.scope for _, one in told] == ["behaviour:plan=new"]


def test_a_segment_joins_the_whole_days_trouble_of_the_same_night_and_of_later_ones() -> None:
    told = walk({2: [accuracy(2, segment="plan=new"), drift(2)], 3: [accuracy(3, segment="plan=old")]}, last=3)
    assert {one.incident.scope for _, one in told} == {"behaviour"}
    assert {item["segment"] for item in told[-1][1].incident.evidence} == {"all", "plan=new", "plan=old"}


def test_a_segment_that_had_an_incident_keeps_it_when_the_whole_falls_too() -> None:
    nights = {2: [accuracy(2, segment="plan=new")], 3: [accuracy(3), accuracy(3, segment="plan=new")]}
    told = walk(nights, last=3)
    assert [(number, one.incident.scope, one.incident.state) for number, one in told] == [
        (2, "behaviour:plan=new", "opened"),
        (3, "behaviour:plan=new", "ongoing"),
        (3, "behaviour", "opened"),
    ]


ONE_FAULT = [accuracy(2, segment="channel=TA/TO", n=300), accuracy(2, segment="segment=Online TA", n=420)]


def test_one_fault_in_two_segments_that_overlap_is_one_incident_of_the_larger() -> None:
    """On its first night and while it lasts: segments of two columns, the same figure of the same day."""
    again = [accuracy(3, segment="channel=TA/TO"), accuracy(3, segment="segment=Online TA")]
    told = walk({2: ONE_FAULT, 3: again, 4: [accuracy(4, segment="channel=TA/TO")]}, last=4)
    assert [(number, one.incident.scope, one.incident.state) for number, one in told] == [
        (2, "behaviour:segment=Online TA", "opened"),
        (3, "behaviour:segment=Online TA", "ongoing"),
        (4, "behaviour:segment=Online TA", "ongoing"),
    ]
    assert told[-1][1].incident.last_breach == day(4)


def test_a_segment_and_its_own_part_that_fall_together_are_one_incident() -> None:
    """`country=FR,plan=new` lies within `country=FR`; within `country=DE` it does not, and it is none of its rows."""
    part = accuracy(2, segment="country=FR,plan=new", n=100)
    whole, elsewhere = (accuracy(2, segment=f"country={name}", n=300) for name in ("FR", "DE"))
    (told,) = walk({2: [part, whole]}, last=2)
    assert told[1].incident.scope == "behaviour:country=FR"
    assert [one.incident.scope for _, one in walk({2: [part, elsewhere]}, last=2)] == [
        "behaviour:country=DE", "behaviour:country=FR,plan=new",
    ]  # fmt: skip


def test_a_comma_in_a_value_makes_no_pair_of_it() -> None:
    apart = [accuracy(2, segment="city=Paris, Texas"), accuracy(2, segment="city=Paris, France")]
    assert len(walk({2: apart}, last=2)) == 2


def test_the_order_of_breaches_does_not_matter_for_what_is_one_fault() -> None:
    (one,), (other,) = (walk({2: nights}, last=2) for nights in (ONE_FAULT, ONE_FAULT[::-1]))
    assert one == other


def test_late_labels_of_a_segment_that_fell_with_another_open_nothing() -> None:
    late = [accuracy(8, 7, segment="channel=TA/TO")]
    told = walk({2: ONE_FAULT, 8: late}, last=8)
    assert {one.incident.scope for _, one in told} == {"behaviour:segment=Online TA"}


def test_values_of_one_column_and_other_figures_are_troubles_of_their_own() -> None:
    apart = [
        accuracy(2, segment="country=FR"), accuracy(2, segment="country=DE"),
        drift(2, segment="plan=new"), accuracy(2, segment="shop=web", value=0.99, lower=None, upper=0.98),
    ]  # fmt: skip
    told = walk({2: apart}, last=2)
    assert [one.incident.scope for _, one in told] == [
        "behaviour:country=DE", "behaviour:country=FR", "behaviour:plan=new", "behaviour:shop=web",
    ]  # fmt: skip


def test_information_opens_nothing_but_is_kept_as_evidence() -> None:
    info = breach("score_mean", 2, severity="info")
    assert walk({2: [info]}, last=2) == []
    ((_, one),) = walk({2: [info, drift(2)]}, last=2)
    assert [item["metric"] for item in one.incident.evidence] == ["psi", "score_mean"]
    assert one.incident.title == "browsing_minutes drifted (PSI 1.24)"


# the end --------------------------------------------------------------------------------------------------------


def test_an_incident_is_resolved_after_three_judged_nights_without_a_breach() -> None:
    told = walk({2: [drift(2)], 3: [drift(3)]}, last=10)
    assert story(told) == {DRIFT: [(2, "opened"), (3, "ongoing"), (4, "ongoing"), (5, "ongoing"), (6, "resolved")]}


def test_nights_on_which_nothing_could_be_judged_are_not_quiet() -> None:
    told = walk({2: [drift(2)]}, last=12, unjudged=[4, 5, 6])
    assert story(told)[DRIFT][-1] == (8, "resolved")


def test_a_breach_before_the_end_starts_the_count_again() -> None:
    told = walk({2: [drift(2)], 5: [drift(5)]}, last=12)
    assert story(told)[DRIFT][-1] == (8, "resolved")


def test_information_does_not_keep_an_incident_open() -> None:
    nights = {number: [breach("psi", number, feature="age", severity="info")] for number in range(3, 12)}
    told = walk({2: [drift(2)]} | nights, last=12)
    assert story(told)[DRIFT][-1] == (5, "resolved")


def test_trouble_that_comes_back_after_the_end_is_a_new_incident() -> None:
    told = walk({2: [drift(2)], 8: [drift(8)]}, last=8)
    assert list(story(told)) == [DRIFT, "shop-2025-03-09-behaviour"]


def test_growing_worse_is_told_once() -> None:
    critical = {number: [drift(number, severity="critical")] for number in (3, 4)}
    told = walk({2: [drift(2)]} | critical, last=5)
    assert [(number, one.incident.state, one.changed) for number, one in told] == [
        (2, "opened", True), (3, "escalated", True), (4, "ongoing", False), (5, "ongoing", False),
    ]  # fmt: skip
    assert told[-1][1].incident.severity == "critical"


# late labels ----------------------------------------------------------------------------------------------------


def drift_of_four_days(*late: tuple[int, str]) -> list[tuple[int, grouping.Told]]:
    """Drift on days 2 to 5; accuracy at age 7 of those days speaks on nights 9 to 12."""
    nights = {number: [drift(number)] for number in range(2, 6)}
    return walk(nights | {number: [accuracy(number, 7, severity=severity)] for number, severity in late}, last=20)


def test_labels_that_come_after_the_end_open_no_second_incident_and_say_nothing() -> None:
    told = drift_of_four_days((9, "warning"), (10, "warning"), (11, "warning"), (12, "warning"))
    assert story(told)[DRIFT][-1] == (8, "resolved")
    assert list(story(told)) == [DRIFT]


def test_late_labels_that_are_worse_than_known_reopen_it() -> None:
    told = drift_of_four_days((9, "critical"), (10, "critical"))
    states = [(number, one.incident.state, one.changed) for number, one in told if number > 8]
    assert states == [
        (9, "escalated", True), (10, "ongoing", False), (11, "ongoing", False), (12, "resolved", True),
    ]  # fmt: skip


def test_a_reopened_incident_counts_its_nights_from_the_reopening_and_says_so() -> None:
    """Drift of nights 2 to 5, over on night 8; late labels are worse on nights 9 and 10, over on night 13."""
    told = {number: one.incident for number, one in drift_of_four_days((9, "critical"), (10, "critical"))}
    assert told[8].text.endswith(
        "It is over: it lasted 4 nights, from 2025-03-03 to 2025-03-06, and 3 nights since were quiet."
    )
    assert told[9].text.endswith("late figures show that it was worse than known: open again, now critical.")
    assert told[10].text.endswith("It was opened on 2025-03-03 and has been open again since 2025-03-10.")
    end = max(told)
    assert (told[end].state, told[end].nights) == ("resolved", 1)
    assert told[end].text.endswith(
        "It is over again: reopened on 2025-03-10, it lasted 1 night more, to 2025-03-10, and 3 nights since were quiet."
    )


def test_a_later_age_of_a_day_already_told_does_not_keep_an_incident_open() -> None:
    nights = {number: [accuracy(number, 1)] for number in range(2, 10)}
    late = {number: [accuracy(number, 7)] for number in range(10, 16)}
    told = walk(nights | late, last=16)
    assert story(told)[DRIFT][-1] == (12, "resolved")


def test_late_labels_of_the_whole_day_are_no_echo_of_a_segments_incident() -> None:
    nights = {2: [accuracy(2, segment="plan=new")], 8: [accuracy(8, 7), accuracy(8, 7, segment="plan=new")]}
    told = walk(nights, last=8)
    assert [one.incident.scope for _, one in told if one.incident.state == "opened"] == [
        "behaviour:plan=new",
        "behaviour",
    ]


def test_late_labels_of_a_segment_are_an_echo_of_the_whole_days_incident() -> None:
    told = walk({2: [accuracy(2)], 8: [accuracy(8, 7, segment="plan=new")]}, last=8)
    assert {one.incident.scope for _, one in told} == {"behaviour"}


def test_an_echo_does_not_extend_the_days_an_incident_answers_for() -> None:
    """Drift until day 5 answers for day 6, and what is said of day 6 does not make it answer for day 7."""
    told = drift_of_four_days((12, "warning"), (13, "warning"), (14, "warning"))
    assert [number for number, one in told if one.incident.state == "opened"] == [2, 14]


def test_late_labels_of_other_days_are_news() -> None:
    told = walk({2: [drift(2)], 30: [accuracy(30, 7)]}, last=30)
    assert list(story(told)) == [DRIFT, "shop-2025-03-31-behaviour"]


# a pure function ------------------------------------------------------------------------------------------------


def test_evidence_survives_json_unchanged() -> None:
    ((_, one),) = walk({2: [drift(2, value=1 / 3), accuracy(2, value=float("nan"))]}, last=2)
    assert json.loads(json.dumps(one.incident.evidence, allow_nan=False)) == list(one.incident.evidence)


def test_two_values_that_look_alike_once_made_plain_have_different_names() -> None:
    names = {grouping.incident_id("shop", day(0), f"behaviour:city={city}") for city in ("São Paulo", "S#o Paulo")}
    assert len(names) == 2
    assert all(name.isascii() and " " not in name and "=" not in name for name in names)
