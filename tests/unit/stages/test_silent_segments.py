"""A segment that a delivered day has no row of has a volume of 0, for as long as it is missed."""

from __future__ import annotations

from tests.kiosk import Kiosk, day, days

STAGES = ("ingest", "statistics", "metrics")


def served(kiosk: Kiosk, number: int, *countries: str) -> None:
    ids = [f"{number}-{row}" for row in range(len(countries))]
    kiosk.predict(number, ids, country=list(countries))


def volumes(kiosk: Kiosk, segment: str) -> dict[int, float | None]:
    """Volume by day number."""
    rows = kiosk.rows(
        f"SELECT day, value FROM metrics WHERE metric = 'volume' AND version = 'all' AND segment = '{segment}'"
    )
    return {(one - day(1)).days + 1: value for one, value in rows}


def test_a_country_that_is_gone_has_no_rows_which_is_nought(kiosk: Kiosk) -> None:
    served(kiosk, 1, "FR", "DE")
    served(kiosk, 2, "FR")
    served(kiosk, 3, "FR", "DE", "DE")
    kiosk.run(days(1, 3), *STAGES)
    assert volumes(kiosk, "country=DE") == {1: 1, 2: 0, 3: 2}


def test_a_country_is_not_missed_before_it_first_came(kiosk: Kiosk) -> None:
    served(kiosk, 1, "FR")
    served(kiosk, 2, "FR", "IT")
    kiosk.run(days(1, 2), *STAGES)
    assert volumes(kiosk, "country=IT") == {2: 1}


def test_a_day_without_delivery_says_nothing_of_segments(kiosk: Kiosk) -> None:
    served(kiosk, 1, "FR", "DE")
    served(kiosk, 3, "FR")
    kiosk.run(days(1, 3), *STAGES)
    assert volumes(kiosk, "country=DE") == {1: 1, 3: 0}


def test_after_four_weeks_it_is_not_missed_any_more(kiosk: Kiosk) -> None:
    served(kiosk, 1, "FR", "DE")
    for number in range(2, 33):
        served(kiosk, number, "FR")
    kiosk.run(days(1, 32), *STAGES)
    assert max(volumes(kiosk, "country=DE")) == 29


def test_night_by_night_and_one_range_write_the_same(kiosk: Kiosk, tmp_path_factory) -> None:
    for number in range(1, 35):
        served(kiosk, number, "FR", *["DE"] * (number % 3 == 0), *["IT"] * (number == 1))
    kiosk.run(days(1, 34), *STAGES)
    other = Kiosk(kiosk.root, kiosk.changes, house=tmp_path_factory.mktemp("nightly"))
    for number in range(1, 35):
        other.run(days(number, number), *STAGES)
    for country in ("FR", "DE", "IT"):
        assert volumes(kiosk, f"country={country}") == volumes(other, f"country={country}")
