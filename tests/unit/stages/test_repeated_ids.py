"""Ids that are predicted on several days: labels and outcomes that name the prediction they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.kiosk import COUNTED_BY_ID, Kiosk, day, days

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TRIANGLES = ("prediction_statistics", *COUNTED_BY_ID)
WHOLE = "version = 'all' AND segment = 'all'"
LAST = 8


def dated(kiosk: Kiosk, *sources: str, **changes: Any) -> Kiosk:
    """The kiosk with labels, outcomes or both that name the prediction's day in the column `served_on`."""
    usual = kiosk.spec
    for name in sources or ("labels", "outcomes"):
        source = getattr(usual, name).model_dump(mode="json", exclude_none=True)
        source["columns"]["predicted"] = "served_on"
        kiosk.changes[name] = source
    kiosk.changes |= changes
    return kiosk


def tell(kiosk: Kiosk, folder: str, number: int, rows: Iterable[tuple[str, object, object]]) -> Path:
    """Labels or revenues that became known on a day: (id, served_on, label or revenue); a number is a day of January."""
    frame = pd.DataFrame(list(rows), columns=["request_id", "served_on", "label"])
    frame["served_on"] = [day(on) if isinstance(on, int) else on for on in frame["served_on"]]
    if folder == "outcomes":
        frame = frame.rename(columns={"label": "revenue"})
        frame["converted"] = (frame["revenue"] > 0).astype(int)
    return kiosk.write(folder, number, frame)


def customers(kiosk: Kiosk) -> None:
    """Anna and Ben are scored on four days, all flagged; each day's labels come the day after, and Anna buys once.

    Anna is flagged rightly on days 1 and 2, Ben on day 2 only.
    """
    for number in range(1, 5):
        kiosk.predict(number, ["anna", "ben"])
    for number, anna, ben in ((1, 1, 0), (2, 1, 1), (3, 0, 0)):
        tell(kiosk, "labels", number + 1, [("anna", number, anna), ("ben", number, ben)])
    tell(kiosk, "outcomes", 3, [("anna", 2, 100.0)])


def test_a_sale_of_a_customer_scored_daily_is_counted_once(kiosk: Kiosk) -> None:
    customers(dated(kiosk))
    kiosk.run(days(1, 4))
    value = f"SELECT day, known_day, label_age, n, value_sum::INTEGER FROM outcome_statistics WHERE {WHOLE}"
    assert kiosk.rows(value) == [(day(2), day(3), 1, 1, 100)]
    acted = "SELECT SUM(n_predicted), SUM(n), SUM(value_sum)::INTEGER FROM action_statistics WHERE version = 'all'"
    assert kiosk.rows(acted) == [(8, 1, 100)]


def test_coverage_and_accuracy_at_age_one_are_of_the_days_own_labels(kiosk: Kiosk) -> None:
    customers(dated(kiosk, min_rows=1))
    kiosk.run(days(1, 4), "ingest", "statistics", "metrics")
    written = kiosk.rows(
        f"SELECT metric, day, value, n FROM metrics WHERE metric IN ('coverage', 'accuracy') AND {WHOLE} "
        "AND label_age = 1 AND day <= DATE '2025-01-03' ORDER BY ALL"
    )
    assert written == [
        ("accuracy", day(1), 0.5, 2), ("accuracy", day(2), 1.0, 2), ("accuracy", day(3), 0.0, 2),
        ("coverage", day(1), 1.0, 2), ("coverage", day(2), 1.0, 2), ("coverage", day(3), 1.0, 2),
    ]  # fmt: skip
    assert kiosk.rows("SELECT COUNT(*) FROM label_statistics WHERE day = DATE '2025-01-04' OR n < 0") == [(0,)]


def test_without_the_column_a_label_counts_for_every_prediction_of_its_id(kiosk: Kiosk) -> None:
    customers(kiosk)
    kiosk.run(days(1, 4))
    value = f"SELECT day, known_day, value_sum::INTEGER FROM outcome_statistics WHERE {WHOLE} ORDER BY day"
    assert kiosk.rows(value) == [(day(number), day(max(number, 3)), 100) for number in range(1, 5)]


def test_a_correction_is_of_one_prediction(kiosk: Kiosk) -> None:
    dated(kiosk)
    for number in (1, 2):
        kiosk.predict(number, ["anna"])
    tell(kiosk, "labels", 2, [("anna", 1, 1)])
    tell(kiosk, "labels", 3, [("anna", 2, 0)])
    tell(kiosk, "labels", 4, [("anna", 1, 0)])
    kiosk.run(days(1, 4))
    triangle = f"SELECT day, known_day, label, n FROM label_statistics WHERE {WHOLE} ORDER BY ALL"
    assert kiosk.rows(triangle) == [
        (day(1), day(2), 1, 1), (day(1), day(4), 0, 1), (day(1), day(4), 1, -1), (day(2), day(3), 0, 1),
    ]  # fmt: skip
    arrived = "SELECT known_day, n, n_corrected, n_unknown FROM arrival_statistics ORDER BY ALL"
    assert kiosk.rows(arrived) == [(day(2), 1, 0, 0), (day(3), 1, 0, 0), (day(4), 1, 1, 0)]


def test_of_one_id_and_day_the_last_delivered_stays_and_other_days_stay_beside_it(kiosk: Kiosk) -> None:
    dated(kiosk)
    kiosk.predict(1, ["anna"])
    tell(kiosk, "labels", 3, [("anna", 1, 0), ("anna", 2, 0), ("anna", 1, 1)])
    kiosk.run(days(1, 3), "ingest")
    assert kiosk.rows("SELECT predicted_day, label FROM labels ORDER BY ALL") == [(day(1), 1), (day(2), 0)]
    assert kiosk.rows("SELECT rows, duplicates FROM deliveries WHERE source = 'labels' AND rows > 0") == [(2, 1)]


def test_a_label_of_a_day_without_the_prediction_is_unknown_until_it_comes(kiosk: Kiosk) -> None:
    dated(kiosk)
    kiosk.predict(1, ["anna"])
    tell(kiosk, "labels", 2, [("anna", 1, 1), ("anna", 3, 1), ("ben", 1, 1)])
    kiosk.predict(3, ["anna"])
    kiosk.run(days(1, 2))
    assert kiosk.rows("SELECT n, n_unknown FROM arrival_statistics") == [(3, 2)]
    kiosk.run(days(3, 3))
    triangle = f"SELECT day, known_day, label_age FROM label_statistics WHERE {WHOLE} ORDER BY ALL"
    assert kiosk.rows(triangle) == [(day(1), day(2), 1), (day(3), day(3), 0)]


def test_where_only_labels_name_days_outcomes_still_count_for_each_prediction(kiosk: Kiosk) -> None:
    dated(kiosk, "labels", segments=["country", "colour"])
    customers(kiosk)
    kiosk.run(days(1, 4))
    assert kiosk.rows(f"SELECT SUM(n) FROM label_statistics WHERE {WHOLE}") == [(6,)]
    assert kiosk.rows(f"SELECT SUM(value_sum)::INTEGER FROM outcome_statistics WHERE {WHOLE}") == [(400,)]
    crossed = "SELECT SUM(n), SUM(n_labelled), SUM(n_known) FROM crossed_statistics"
    assert kiosk.rows(crossed) == [(8, 6, 4)]
    arrived = (
        "SELECT source, SUM(n), SUM(n_corrected), SUM(n_unknown) FROM arrival_statistics GROUP BY ALL ORDER BY ALL"
    )
    assert kiosk.rows(arrived) == [("labels", 6, 0, 0), ("outcomes", 1, 0, 0)]


# the day that is named ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "cut"),
    [
        ("2025-01-02", 2),
        ("2025-01-02 23:30:00", 2),  # without an offset: in the model's zone
        ("2025-01-03T03:30:00Z", 2),  # half past ten in the evening in New York
        ("2025-01-03T08:00:00+02:00", 3),
    ],
)
def test_a_moment_is_cut_to_the_business_day_of_the_models_zone(kiosk: Kiosk, written: str, cut: int) -> None:
    dated(kiosk, timezone="America/New_York")
    kiosk.predict(1, ["anna"])
    tell(kiosk, "labels", 3, [("anna", written, 1)])
    kiosk.run(days(1, 3), "ingest")
    assert kiosk.rows("SELECT predicted_day FROM labels") == [(day(cut),)]


@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us"), pa.timestamp("us", tz="UTC")])
def test_days_and_moments_of_parquet_are_read_as_they_are_typed(kiosk: Kiosk, kind: pa.DataType) -> None:
    dated(kiosk, timezone="America/New_York")
    kiosk.changes["outcomes"]["path"] = f"{kiosk.root}/outcomes/{{day}}.parquet"
    kiosk.predict(1, ["anna"])
    (kiosk.root / "outcomes").mkdir()
    on = pd.Timestamp(day(2)).to_pydatetime()
    table = pa.table({"request_id": ["anna"], "served_on": pa.array([on], kind), "converted": [1], "revenue": [1.0]})
    pq.write_table(table, kiosk.root / "outcomes" / f"{day(3)}.parquet")
    kiosk.run(days(1, 3), "ingest")
    midnight_in_utc = kind == pa.timestamp("us", tz="UTC")  # is seven in the evening of the day before
    assert kiosk.rows("SELECT predicted_day FROM outcomes") == [(day(1 if midnight_in_utc else 2),)]


@pytest.mark.parametrize(
    ("written", "reason"),
    [("", "column 'served_on' is empty in 1 rows"), ("soon", "is not a day or timestamp, for example 'soon', in 1")],
)
def test_a_file_that_does_not_name_the_day_of_each_row_is_refused(kiosk: Kiosk, written: str, reason: str) -> None:
    dated(kiosk)
    kiosk.predict(1, ["anna", "ben"])
    tell(kiosk, "labels", 1, [("anna", 1, 1), ("ben", written, 1)])
    (summary,) = kiosk.run(days(1, 1), "ingest")
    assert kiosk.rows("SELECT COUNT(*) FROM labels") == [(0,)]
    assert any(reason in note for note in summary.notes), summary.notes


# the same as ids of their own --------------------------------------------------------------------------------


def world(task: str, seed: int = 5) -> pd.DataFrame:
    """Thirty customers scored on most of eight days: one row a prediction, what became known of it, and when."""
    random = np.random.default_rng(seed)
    grid = [(number, f"c{one}") for number in range(1, LAST + 1) for one in range(30) if random.random() < 0.8]
    rows = pd.DataFrame(grid, columns=["number", "customer"])
    n = len(rows)
    rows["score"] = random.integers(1, 100, n) / 100
    rows["other_score"] = random.integers(1, 100, n) / 100
    values = {"binary": [0, 1], "multiclass": ["apple", "pear", "plum"], "regression": [0.25, 0.5, 0.75]}[task]
    for name in ("decision", "other_decision", "label", "second_label"):
        rows[name] = random.choice(values, n)
    rows["country"], rows["colour"] = random.choice(["DE", "FR"], n), random.choice(["red", "blue"], n)
    rows["label_age"], rows["outcome_age"] = random.choice([-1, 0, 1, 2, 5], n), random.choice([0, 1, 2, 5], n)
    rows["again"], rows["paid_again"] = random.random(n) < 0.3, random.random(n) < 0.3
    rows["revenue"], rows["second_revenue"] = random.integers(0, 9, n) / 8, random.integers(0, 9, n) / 8
    return rows


def deliver(kiosk: Kiosk, task: str, rows: pd.DataFrame, ids: pd.Series[str], *, name_days: bool) -> None:
    """The world's files with these ids; `served_on` stands in them where days are named."""
    columns = {"version": "model_version"} | ({} if task == "regression" else {"decision": "decision"})
    source = {"columns": columns}
    kiosk.changes |= {
        "task": task, "segments": ["country", "colour"], "features": {},
        "predictions": {"path": f"{kiosk.root}/predictions/{{day}}.csv"} | source,
        "others": [{"path": f"{kiosk.root}/shadow/{{day}}.csv", "role": "shadow"} | source],
    }  # fmt: skip
    if name_days:
        dated(kiosk)
    rows = rows.assign(id=ids, served_on=[day(number) for number in rows["number"]])
    for number, today in rows.groupby("number"):
        known = {name: today[name].to_numpy() for name in ("country", "colour")}
        said = {name: today[name].to_numpy() for name in ("score", "decision")}
        other = {name: today[f"other_{name}"].to_numpy() for name in ("score", "decision")}
        kiosk.predict(int(number), today["id"].to_list(), **known, **said)
        usual = {"request_id": today["id"].to_numpy(), "ts": f"{day(int(number))} 12:00:00", "model_version": "v2"}
        kiosk.write("shadow", int(number), pd.DataFrame(usual | known | other))
    told = [("labels", "label", "label_age", "again", "second_label"),
            ("outcomes", "revenue", "outcome_age", "paid_again", "second_revenue")]  # fmt: skip
    for folder, value, age, again, second in told:
        first = rows.assign(known=rows["number"] + rows[age], value=rows[value])
        later = first[first[again]]
        every = pd.concat([first, later.assign(known=later["known"] + 2, value=later[second])])
        for number, mine in every[every["known"].between(1, LAST)].groupby("known"):
            tell(kiosk, folder, int(number), zip(mine["id"], mine["served_on"], mine["value"], strict=True))


def tables(kiosk: Kiosk) -> dict[str, pd.DataFrame]:
    return {name: kiosk.table(name) for name in TRIANGLES}


def assert_same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    for name, expected in one.items():
        pd.testing.assert_frame_equal(expected, other[name], check_exact=True, obj=name)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_named_days_count_as_ids_of_their_own_would_in_whichever_order_nights_run(tmp_path: Path, task: str) -> None:
    """The witness: the same world with an id of its own for each prediction, whose labels need name no day."""
    rows = world(task)
    own, named = Kiosk(tmp_path / "own"), Kiosk(tmp_path / "named")
    deliver(own, task, rows, rows["customer"] + "@" + rows["number"].astype(str), name_days=False)
    deliver(named, task, rows, rows["customer"], name_days=True)
    for kiosk in (own, named):
        kiosk.reference(**({"decision": ["apple", "pear"] * 20} if task == "multiclass" else {}))
        kiosk.run(days(1, LAST))
    expected = tables(own)
    empty = {name for name, table in expected.items() if table.empty}
    assert len(empty) == 3  # the triangles of the two other tasks, and one of the two tables of versions that met
    assert_same(expected, tables(named))
    nights = Kiosk(named.root, named.changes, tmp_path / "nights")
    for number in (3, 1, 2, 6, 5, 6, 8, 8):
        nights.run(days(number, number))
    assert_same(expected, tables(nights))


# what is told ------------------------------------------------------------------------------------------------


def test_a_run_says_once_that_ids_repeat_while_labels_name_no_day(kiosk: Kiosk) -> None:
    customers(kiosk)
    kiosk.predict(4, ["anna", "ben", "carl"])
    (summary,) = kiosk.run(days(1, 4), "ingest")
    assert summary.notes == (
        "2 of 3 ids of 2025-01-04 were predicted before; labels and outcomes without `columns.predicted` count for each "
        "of them",
    )
    (again,) = kiosk.run(days(2, 2), "ingest")
    assert again.notes[0].startswith("2 of 2 ids of 2025-01-02")


def test_nothing_is_said_where_days_are_named_or_ids_do_not_repeat(kiosk: Kiosk, tmp_path: Path) -> None:
    customers(dated(kiosk))
    assert kiosk.run(days(1, 4), "ingest")[0].notes == ()
    other = Kiosk(tmp_path / "other")
    other.reference()
    ids = [f"id-{number}" for number in range(1001)]
    other.predict(1, ids[:501])
    other.predict(2, ids[500:])  # one of 501 came again, as a retry around midnight does
    assert other.run(days(1, 2), "ingest")[0].notes == ()
    other.predict(3, ids[100:201])
    other.predict(5, ids[:90])
    (summary,) = other.run(days(5, 6), "ingest")
    assert summary.notes[0].startswith("90 of 90 ids of 2025-01-05")
