"""`nightjar detect` as a person uses it: a CSV in, flags and pages out, and clear words where it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from jobs.cli import main

COLUMNS = ["series_id", "ds", "y", "expected", "lower", "upper", "distance", "is_anomaly", "detector", "reason"]


def visits(days: int, seed: int = 3) -> pd.DataFrame:
    """Counts with a week's shape and 5 % of noise."""
    number = np.arange(days)
    noise = np.exp(np.random.default_rng(seed).normal(0, 0.05, days))
    y = (1000 * (1 + 0.3 * np.sin(2 * np.pi * number / 7)) * noise).round()
    ds = (np.datetime64("2025-01-01") + number).astype(str)
    return pd.DataFrame({"series_id": "visits", "ds": ds, "y": y, "kind": "count"})


def calls(days: int, seed: int = 5) -> pd.DataFrame:
    """Counts by the hour: about 45 at two in the morning, 445 at two in the afternoon."""
    moments = pd.date_range("2025-01-01", periods=24 * days, freq="h")
    noise = np.exp(np.random.default_rng(seed).normal(0, 0.08, len(moments)))
    y = ((200 * (1.2 + np.sin(2 * np.pi * (moments.hour - 8) / 24)) + 5) * noise).round()
    return pd.DataFrame(
        {"series_id": "calls", "ds": moments.strftime("%Y-%m-%d %H:%M"), "y": y.to_numpy().copy(), "kind": "count"}
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.csv"


def detect(file: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["detect", str(file), "-o", str(file.with_name("flags.csv")), *more])


def flags(file: Path, rows: pd.DataFrame, *more: str) -> pd.DataFrame:
    rows.to_csv(file, index=False)
    said = detect(file, *more)
    assert said.exit_code == 0, said.output
    return pd.read_csv(file.with_name("flags.csv"), keep_default_na=True)


def test_a_halved_day_is_flagged_with_its_range_and_a_reason(file: Path) -> None:
    rows = visits(120)
    rows.loc[100, "y"] = 360
    found = flags(file, rows)
    assert list(found.columns) == COLUMNS
    assert found["ds"].tolist() == rows["ds"].tolist()
    assert found.loc[found["is_anomaly"] == 1, "ds"].tolist() == ["2025-04-11"]
    day = found.loc[100]
    assert day["detector"] == "prophet"
    assert day["y"] < day["lower"] < day["expected"] < day["upper"]
    assert day["reason"].startswith("360 is below the expected")


def test_the_first_days_say_that_nothing_was_expected_and_then_who_spoke(file: Path) -> None:
    found = flags(file, visits(40))
    assert found.loc[13, "reason"] == "only 13 nights of history, 14 needed"
    assert found.loc[13, ["expected", "distance", "detector"]].isna().all()
    assert found.loc[14, "detector"] == "seasonal_median"
    assert found["detector"].iloc[-1] == "prophet"


def test_hours_are_judged_from_the_first_week_that_has_fourteen_days_before_it(file: Path) -> None:
    found = flags(file, calls(24))
    assert found.loc[0, "reason"] == "only 0 days of history before its week, 14 needed"
    judged = found[found["distance"].notna()]
    assert judged["ds"].min() == "2025-01-20 00:00"  # the first Monday fourteen days after the first of January
    assert set(judged["detector"]) == {"prophet"}


def test_a_shop_that_opens_ten_hours_a_day_is_judged_after_fourteen_days_too(file: Path) -> None:
    rows = calls(30)
    rows = rows[rows["ds"].str[11:13].astype(int).between(9, 18)]
    found = flags(file, rows)
    assert found.loc[found["distance"].notna(), "ds"].min() == "2025-01-20 09:00"
    assert found["is_anomaly"].sum() == 0


def test_a_series_of_months_is_refused_for_it_has_no_days(file: Path) -> None:
    months = pd.date_range("2020-01-01", periods=60, freq="MS").strftime("%Y-%m-%d")
    pd.DataFrame({"series_id": "revenue", "ds": months, "y": range(60)}).to_csv(file, index=False)
    said = detect(file)
    assert said.exit_code != 0
    assert "history.csv:3: 'revenue' has a value every 31 days; days and hours are judged" in said.output


def test_the_hour_that_autumn_repeats_is_refused_with_what_to_do(file: Path) -> None:
    rows = calls(2)
    pd.concat([rows, rows.iloc[[2]]]).to_csv(file, index=False)
    said = detect(file)
    assert said.exit_code != 0
    assert "already on line 4; keep one (of the hour that autumn repeats" in said.output


def test_most_hours_of_a_quiet_month_raise_nothing(file: Path) -> None:
    found = flags(file, calls(50, seed=11))
    assert found["distance"].notna().sum() > 600
    assert found["is_anomaly"].sum() == 0


def test_a_lasting_change_of_an_hourly_level_is_told_and_then_accepted(file: Path) -> None:
    rows = calls(63)
    rows.loc[rows["ds"] >= "2025-02-10", "y"] *= 2
    found = flags(file, rows)
    told = found[found["is_anomaly"] == 1]["ds"].str[:10]
    assert told.between("2025-02-10", "2025-02-16").sum() > 100
    assert not (told >= "2025-02-24").any()


def test_a_value_too_large_to_be_squared_is_refused_with_its_line(file: Path) -> None:
    visits(40).assign(kind="level", y=1e200).to_csv(file, index=False)
    said = detect(file)
    assert said.exit_code != 0
    assert "history.csv:2: y of 'visits' is 1e+200; give larger units" in said.output


def test_a_fault_of_twenty_deviations_is_seen_on_a_level_of_a_million(file: Path) -> None:
    rows = visits(90).assign(kind="level", y=1e6 + np.random.default_rng(1).normal(0, 1, 90))
    rows.loc[80, "y"] += 20
    found = flags(file, rows)
    assert found.loc[found["is_anomaly"] == 1, "ds"].tolist() == ["2025-03-22"]


def test_public_holidays_of_a_country_are_learnt(file: Path) -> None:
    rows = visits(430)
    rows.loc[rows["ds"].isin(["2025-01-01", "2025-12-25", "2026-01-01"]), "y"] *= 0.3
    blind = flags(file, rows).set_index("ds")
    told = flags(file, rows, "--country", "PT").set_index("ds")
    assert blind.loc["2026-01-01", "expected"] > 1.5 * told.loc["2026-01-01", "expected"]


def test_a_point_is_judged_by_the_points_before_it_only(file: Path) -> None:
    rows = visits(90)
    whole = flags(file, rows)
    begun = flags(file, rows.head(63))
    pd.testing.assert_frame_equal(whole.head(63), begun)


def test_the_order_of_rows_does_not_matter(file: Path) -> None:
    rows = pd.concat([visits(50), visits(50, seed=4).assign(series_id="orders")])
    shuffled = rows.iloc[::-1]
    one, other = flags(file, rows), flags(file, shuffled)
    pd.testing.assert_frame_equal(
        one.sort_values(["series_id", "ds"], ignore_index=True),
        other.sort_values(["series_id", "ds"], ignore_index=True),
    )


def test_an_hour_is_held_against_the_same_hour_of_other_days(file: Path) -> None:
    rows = calls(50)
    night = rows.index[rows["ds"] == "2025-02-15 02:00"][0]
    rows.loc[night, "y"] = 300  # usual in the afternoon, not at two in the morning
    found = flags(file, rows)
    odd = found[(found["is_anomaly"] == 1) & (found["ds"] >= "2025-02-01")]
    assert odd["ds"].tolist() == ["2025-02-15 02:00"]
    assert odd["expected"].between(35, 55).all()


def test_only_the_side_that_hurts_is_an_anomaly_and_the_other_is_told(file: Path) -> None:
    rows = visits(120).assign(direction="down")
    rows.loc[100, "y"] = 3000
    found = flags(file, rows)
    assert found["is_anomaly"].sum() == 0
    assert found.loc[100, "reason"].startswith("on the harmless side: 3,000 is above the expected")


def test_a_series_that_goes_out_again_and_again_must_go_farther_than_it_did(file: Path) -> None:
    rows = visits(260)
    rows.loc[[120, 150, 180], "y"] *= 0.7
    rows.loc[215, "y"] *= 0.76
    rows.loc[245, "y"] *= 0.4
    found, every = flags(file, rows), flags(file, rows, "--recurring", "0")
    assert np.flatnonzero(found["is_anomaly"]).tolist() == [120, 150, 180, 245]
    assert np.flatnonzero(every["is_anomaly"]).tolist() == [120, 150, 180, 215, 245]
    assert found.loc[215, "reason"].startswith(every.loc[215, "reason"] + ", as several times before; ")
    assert found.loc[215, "reason"].endswith(" would be an anomaly")


def test_twelve_rows_raise_no_alarm_where_ten_thousand_do(file: Path) -> None:
    rng = np.random.default_rng(1)
    n = np.where(np.arange(100) == 90, 12, 10_000)
    y = rng.binomial(10_000, 0.9, 100) / 10_000
    rows = pd.DataFrame({"series_id": "accuracy", "ds": visits(100)["ds"], "y": y, "n": n, "kind": "rate"})
    rows.loc[90, "y"] = 9 / 12
    few = flags(file, rows)
    rows.loc[90, "n"] = 10_000
    many = flags(file, rows)
    assert (few.loc[90, "is_anomaly"], many.loc[90, "is_anomaly"]) == (0, 1)


@pytest.mark.parametrize("kind", ["rate", "count", "latency", "psi", "amount", "level", "real"])
def test_every_kind_is_judged_within_its_bounds(file: Path, kind: str) -> None:
    rows = visits(60).assign(kind=kind)
    if kind != "count":
        rows["y"] /= 2000
    rows.loc[55, "y"] *= 0.05
    found = flags(file, rows)
    assert found.loc[55, "is_anomaly"] == 1
    assert kind in ("amount", "level", "real") or (found["lower"].dropna() >= 0).all()


def test_a_day_without_a_value_stays_without_one(file: Path) -> None:
    rows = visits(60)
    rows["y"] = rows["y"].astype(object)
    rows.loc[50, "y"] = ""
    found = flags(file, rows)
    assert found.loc[50, "reason"] == "no value"
    assert np.isnan(found.loc[50, "y"])
    assert found.loc[50, "is_anomaly"] == 0


FAULTS = {
    "a missing column": ("series_id,day,y\na,2025-01-01,1\n", ":1: column ds missing; given: series_id, day, y."),
    "semicolons": ("series_id;ds;y\na;2025-01-01;1\n", "separated by semicolons; use commas"),
    "no rows": ("series_id,ds,y\n", ":2: there is no row below the column names"),
    "nothing at all": ("", ":1: the file is empty"),
    "a word for a number": ("series_id,ds,y\na,2025-01-01,1\na,2025-01-02,one\n", ":3: y 'one' is not a number"),
    "infinity": ("series_id,ds,y\na,2025-01-01,inf\n", ":2: y 'inf' is not a number"),
    "another order of a date": ("series_id,ds,y\na,01/02/2025,1\n", ":2: ds '01/02/2025' is not a day or an hour"),
    "a day that never was": ("series_id,ds,y\na,2025-02-30,1\n", ":2: ds '2025-02-30' is not a day or an hour"),
    "an offset": ("series_id,ds,y\na,2025-01-01 10:00+01:00,1\n", ":2: ds '2025-01-01 10:00+01:00' has an offset"),
    "a day twice": (
        "series_id,ds,y\na,2025-01-01,1\n\nb,2025-01-01,1\na,2025-01-01,2\n",
        ":5: 'a' has 2025-01-01 already on line 2; keep one",
    ),
    "minutes": (
        "series_id,ds,y\na,2025-01-01 10:00,1\na,2025-01-01 10:05,2\n",
        ":3: 'a' has 2025-01-01 10:05 besides 2025-01-01 10:00: steps are whole days or whole hours",
    ),
    "percents as a rate": ("series_id,ds,y,kind\na,2025-01-01,87.5,rate\n", ":2: y of 'a' is 87.5; a rate lies between 0 and 1"),
    "a negative count": ("series_id,ds,y,kind\na,2025-01-01,-1,count\n", ":2: y of 'a' is -1; a count is 0 or more"),
    "an unknown kind": ("series_id,ds,y,kind\na,2025-01-01,1,ratio\n", ":2: kind 'ratio' is unknown; possible: rate, count"),
    "an unknown side": ("series_id,ds,y,direction\na,2025-01-01,1,left\n", ":2: direction 'left' is unknown"),
    "two kinds": (
        "series_id,ds,y,kind\na,2025-01-01,1,rate\na,2025-01-02,1,count\n",
        ":3: kind of 'a' is 'count' here and 'rate' on line 2; a series has one",
    ),
    "a nameless series": ("series_id,ds,y\n,2025-01-01,1\n", ":2: series_id is empty"),
    "too many cells": ("series_id,ds,y\na,2025-01-01,1\na,2025-01-02,1,2,3\n", ":3: not a table of comma-separated values"),
    "a negative n": ("series_id,ds,y,n\na,2025-01-01,1,-3\n", ":2: n is -3; it counts rows"),
}  # fmt: skip


@pytest.mark.parametrize("why", FAULTS)
def test_a_fault_is_told_with_its_file_and_line_and_nothing_is_written(file: Path, why: str) -> None:
    text, expected = FAULTS[why]
    file.write_text(text)
    said = detect(file)
    assert said.exit_code == 2
    assert said.stderr.startswith(f"nightjar: {file}")
    assert expected in said.stderr
    assert said.stderr.count("\n") == 1
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_what_stood_there_stays_until_the_new_flags_are_whole(file: Path) -> None:
    file.write_text("series_id,ds,y\na,2025-01-01,one\n")
    target = file.with_name("flags.csv")
    target.write_text("yesterday's\n")
    assert detect(file).exit_code == 2
    assert target.read_text() == "yesterday's\n"
    flags(file, visits(20))
    assert sorted(one.name for one in file.parent.iterdir()) == ["flags.csv", "history.csv"]


def test_the_input_is_never_overwritten(file: Path) -> None:
    visits(20).to_csv(file, index=False)
    before = file.read_text()
    said = CliRunner().invoke(main, ["detect", str(file), "-o", str(file)])
    assert (said.exit_code, file.read_text()) == (2, before)
    assert "is the input" in said.stderr


def test_a_folder_that_is_not_there_is_told_before_the_work(file: Path) -> None:
    visits(20).to_csv(file, index=False)
    said = CliRunner().invoke(main, ["detect", str(file), "-o", str(file.parent / "none" / "flags.csv")])
    assert said.exit_code == 2
    assert "is not there; make it first" in said.stderr


def test_an_unknown_country_and_a_senseless_limit_are_told(file: Path) -> None:
    visits(20).to_csv(file, index=False)
    assert "--country XX: its holidays are not known. Known: AD" in detect(file, "--country", "XX").stderr
    assert "--limit is -1; it counts deviations" in detect(file, "--limit", "-1").stderr


def test_a_page_for_every_series_stands_alone_and_follows_light_and_dark(file: Path, tmp_path: Path) -> None:
    rows = visits(120)
    rows.loc[100, "y"] = 360
    odd = calls(20).assign(series_id="<script>alert(1)</script> / ..")
    flags(file, pd.concat([rows, odd]), "--plot", str(tmp_path / "plots"))
    names = sorted(one.name for one in (tmp_path / "plots").iterdir())
    assert names == ["1-visits.html", "2-script-alert-1-script.html", "index.html"]
    page = (tmp_path / "plots" / "1-visits.html").read_text()
    assert "1 anomaly in visits, the last on 2025-04-11." in page
    assert "<svg" in page
    assert "prefers-color-scheme: dark" in page
    for name in names:
        text = (tmp_path / "plots" / name).read_text()
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in text
        assert "<script>alert" not in text


def test_the_summary_names_the_series_with_most_anomalies(file: Path) -> None:
    rows = visits(120)
    rows.loc[[90, 100], "y"] = 360
    pd.concat([rows, visits(60, seed=8).assign(series_id="orders")]).to_csv(file, index=False)
    said = detect(file).output
    assert said.startswith(
        "2 series, 180 points, 152 judged: 2 anomalies in 1 series\n  visits: 2, the last on 2025-04-11\n"
    )
