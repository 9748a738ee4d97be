"""What a version did wrong is no reason to act on the one that replaced it."""

from __future__ import annotations

import pandas as pd
import pytest

from jobs.engine import registry
from jobs.methods.answering import RULE_ENGINE, Answering
from tests.unit.methods.given_breaches import day


def answered(*rows: tuple[int, str, float]) -> Answering:
    days, versions, values = zip(*rows, strict=True)
    return Answering.of(
        pd.DataFrame({"day": pd.to_datetime([day(one) for one in days]), "version": versions, "value": values})
    )


PROMOTED = answered(*((number, "v1" if number < 10 else "v2", 500.0) for number in range(20)))
"""v2 took over on day 10."""


def test_a_day_that_the_former_version_answered_says_nothing_of_the_new_one() -> None:
    told = PROMOTED.replaced("fallback", "all", day(6), 1, day(13))
    assert told == "v1 answered on 2025-03-07, and v2 has answered since 2025-03-11"
    assert PROMOTED.replaced("fallback", "v1", day(6), 1, day(13)) == told


def test_a_day_that_the_same_version_answered_counts() -> None:
    assert PROMOTED.replaced("fallback", "all", day(6), 1, day(9)) == ""
    assert PROMOTED.replaced("fallback", "all", day(10), 1, day(13)) == ""
    assert PROMOTED.replaced("fallback", "v2", day(10), 1, day(13)) == ""


def test_nights_in_a_row_must_all_have_been_answered_by_it() -> None:
    assert PROMOTED.replaced("fallback", "all", day(10), 2, day(10)).startswith("v1 answered on 2025-03-10")
    assert PROMOTED.replaced("fallback", "all", day(11), 2, day(11)) == ""


def test_after_a_rollback_the_bad_versions_days_ask_for_nothing_more() -> None:
    back = answered((1, "v1", 9.0), (2, "v2", 9.0), (3, "v1", 9.0))
    assert (
        back.replaced("fallback", "v2", day(2), 1, day(3))
        == "v2 answered on 2025-03-03, and v1 has answered since 2025-03-04"
    )


@pytest.mark.parametrize(("share", "says_something"), [(0.1, True), (0.4, True), (0.6, False), (1.0, False)])
def test_a_canary_leaves_the_old_days_standing_until_it_answers_most(share: float, says_something: bool) -> None:
    rows = [(1, "v1", 1.0), (2, "v2", share), *([(2, "v1", 1 - share)] if share < 1 else [])]
    assert (answered(*rows).replaced("fallback", "all", day(1), 1, day(2)) == "") is says_something


def test_stragglers_do_not_keep_a_version_alive() -> None:
    rest = answered((1, "v1", 1000.0), (2, "v2", 1000.0), (2, "v1", 2.0))
    assert rest.replaced("fallback", "all", day(1), 1, day(2)) != ""
    assert rest.gone("fallback", "v1", day(2))


def test_days_without_predictions_change_nobody() -> None:
    """Nothing came since day 9: those who answered then are still the ones in place."""
    early = answered(*((number, "v1", 1.0) for number in range(10)))
    assert early.replaced("fallback", "all", day(8), 1, day(15)) == ""
    assert not early.gone("fallback", "v1", day(15))


def test_where_nobody_knows_who_answered_everything_counts() -> None:
    assert Answering().replaced("fallback", "all", day(1), 1, day(9)) == ""
    assert not Answering().gone("fallback", "v1", day(9))


def test_while_the_rule_engine_answers_the_model_behind_it_may_be_retrained_and_not_rolled_back() -> None:
    fallen = answered((1, "v1", 9.0), (2, RULE_ENGINE, 9.0))
    assert fallen.replaced("retrain", "all", day(1), 1, day(2)) == ""
    assert not fallen.gone("retrain", "v1", day(2))
    assert fallen.replaced("rollback", "all", day(1), 1, day(2)) != ""
    assert fallen.gone("rollback", "v1", day(2))


def test_the_rule_engine_is_called_what_the_registry_calls_it() -> None:
    assert RULE_ENGINE == registry.RULES


CANARY = answered(*((n, "v1", 97.0) for n in range(9)), (4, "v2", 3.0), (5, "v2", 3.0), (9, "v1", 4.0), (9, "v3", 6.0))
"""v2 is tried on days 4 and 5; v3 answers most of day 9."""


def test_what_asked_of_all_versions_passes_with_the_mix_of_answers_and_not_with_a_canary() -> None:
    assert not CANARY.passed("retrain", ["all"], day(5), day(7))
    assert CANARY.passed("retrain", ["all"], day(5), day(9))


def test_what_asked_of_one_version_passes_when_that_one_answers_no_more() -> None:
    assert CANARY.passed("retrain", ["v2"], day(5), day(7))
    assert not CANARY.passed("retrain", ["v1"], day(5), day(9))
    assert not CANARY.passed("retrain", ["all", "v1"], day(5), day(9))


def test_an_action_is_about_the_version_that_its_evidence_names_or_the_one_that_answers_most() -> None:
    """An even split is told of the newer one; a rollback for figures of all versions undoes the last change."""
    tried = CANARY.serving(day(5), {"v2": "v1"})
    main, newest = {"current": "v1", "previous": None}, {"current": "v2", "previous": "v1"}
    assert (tried.about("retrain", ["all"]), tried.about("fallback", ["v1", "all"])) == (main, main)
    assert (tried.about("retrain", ["v2"]), tried.about("rollback", ["all"])) == (newest, newest)
    assert tried.about("rollback", ["v1"]) == main
    even = answered((1, "v1", 5.0), (2, "v1", 5.0), (2, "v2", 5.0))
    assert even.serving(day(2), {"v2": "v1"}).about("retrain", ["all"]) == newest
