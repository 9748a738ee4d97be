"""Deliveries: what replaces what, what is refused, what is counted."""

from __future__ import annotations

import gzip
import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from jobs.engine.warehouse import open_warehouse
from tests.kiosk import Kiosk, day, days


def ledger(kiosk: Kiosk, source: str = "predictions") -> pd.DataFrame:
    rows = kiosk.table("deliveries")
    rows = rows[rows["source"] == source]
    return rows.set_index(rows["day"].dt.date)


def test_a_delivered_day_replaces_what_it_delivered_before(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a", "b"])
    kiosk.run(days(1, 1), "ingest")
    kiosk.predict(1, ["b", "c"], score=0.5)
    kiosk.run(days(1, 1), "ingest")
    assert kiosk.rows("SELECT id, score FROM predictions ORDER BY id") == [("b", 0.5), ("c", 0.5)]


def test_other_days_are_left_alone_by_a_replaced_day(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a"])
    kiosk.predict(2, ["b"])
    kiosk.run(days(1, 2), "ingest")
    kiosk.predict(2, ["c"])
    kiosk.run(days(2, 2), "ingest")
    assert kiosk.rows("SELECT id FROM predictions ORDER BY id") == [("a",), ("c",)]


def test_duplicates_keep_the_last_delivered_and_are_counted(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a", "b", "a", "a"], score=[0.1, 0.2, 0.3, 0.4])
    kiosk.run(days(1, 1), "ingest")
    assert kiosk.rows("SELECT id, score FROM predictions ORDER BY id") == [("a", 0.4), ("b", 0.2)]
    assert ledger(kiosk).loc[day(1), ["rows", "duplicates"]].tolist() == [2, 2]


def test_a_later_file_of_the_same_day_wins_over_an_earlier_one(kiosk: Kiosk) -> None:
    kiosk.changes["predictions"] = {"path": f"{kiosk.root}/predictions/{{day}}/*.csv"}
    for part, score in enumerate((0.1, 0.9, 0.5)):
        made = kiosk.predict(1, ["a"], score=score)
        target = kiosk.root / "predictions" / str(day(1)) / f"part-{part}.csv"
        target.parent.mkdir(exist_ok=True)
        made.rename(target)
    kiosk.run(days(1, 1), "ingest")
    assert kiosk.rows("SELECT id, score FROM predictions") == [("a", 0.5)]


def test_the_last_delivered_wins_among_many_large_files(kiosk: Kiosk) -> None:
    kiosk.changes["predictions"] = {"path": f"{kiosk.root}/predictions/{{day}}/*.parquet"}
    folder = kiosk.root / "predictions" / str(day(1))
    folder.mkdir(parents=True)
    for part in range(6):
        frame = pd.DataFrame(
            {"request_id": [f"{row}" for row in range(20_000)], "ts": pd.Timestamp(day(1)), "score": part / 10}
        )
        frame.assign(price=1.0, colour="red", country="FR").to_parquet(
            folder / f"part-{part}.parquet", row_group_size=5_000
        )
    kiosk.run(days(1, 1), "ingest")
    assert kiosk.rows("SELECT score, COUNT(*) FROM predictions GROUP BY ALL") == [(0.5, 20_000)]
    assert ledger(kiosk).loc[day(1), "duplicates"] == 100_000


def test_a_missing_day_is_recorded_as_missing(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a"])
    kiosk.predict(3, ["b"])
    kiosk.run(days(1, 3), "ingest")
    assert ledger(kiosk)["status"].to_dict() == {day(1): "delivered", day(2): "missing", day(3): "delivered"}
    assert "no file matches" in ledger(kiosk).loc[day(2), "reason"]


def test_files_that_vanish_later_take_nothing_away(kiosk: Kiosk) -> None:
    path = kiosk.predict(1, ["a"])
    kiosk.run(days(1, 1), "ingest")
    path.unlink()
    kiosk.run(days(1, 1), "ingest")
    assert kiosk.rows("SELECT id FROM predictions") == [("a",)]
    assert ledger(kiosk).loc[day(1), "status"] == "delivered"


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("request_id,ts,score\na,2025-01-01,0.5\n", "column 'model_version' is missing"),
        ("", "the file is empty (0 bytes)"),
        ("HEADER", "column 'score' is not a number, for example 'high', in 1 rows"),
        ("RAGGED", "cannot be read as csv"),
        ("NO ID", "column 'request_id' is empty in 1 rows"),
        ("BAD TIME", "column 'ts' is not a timestamp, for example 'yesterday', in 1 rows"),
        ("BAD DECISION", "column 'decision' is not 0 or 1, for example 'yes', in 1 rows"),
    ],
)
def test_a_malformed_file_is_refused_whole_with_its_path_column_and_reason(
    kiosk: Kiosk, broken: str, reason: str
) -> None:
    path = kiosk.predict(1, ["a", "b"])
    good = path.read_text()
    text = {
        "HEADER": good.replace("0.75", "high", 1),
        "RAGGED": good + "c,d\n",
        "NO ID": good.replace("\na,", "\n,", 1),
        "BAD TIME": good.replace("2025-01-01 12:00:00", "yesterday", 1),
        "BAD DECISION": good.replace(",0.75,1,", ",0.75,yes,", 1),
    }.get(broken, broken)
    path.write_text(text)
    (summary,) = kiosk.run(days(1, 1), "ingest")
    assert kiosk.rows("SELECT COUNT(*) FROM predictions") == [(0,)]
    row = ledger(kiosk).loc[day(1)]
    assert row["status"] == "refused"
    assert str(path) in row["reason"]
    assert reason in row["reason"]
    assert reason in summary.notes[0]


def test_a_truncated_parquet_file_is_refused_and_the_other_days_are_taken(kiosk: Kiosk) -> None:
    kiosk.changes["predictions"] = {"path": f"{kiosk.root}/predictions/{{day}}.parquet"}
    for number in (1, 2):
        pd.read_csv(kiosk.predict(number, ["a", "b"])).to_parquet(kiosk.root / "predictions" / f"{day(number)}.parquet")
    torn = kiosk.root / "predictions" / f"{day(1)}.parquet"
    torn.write_bytes(torn.read_bytes()[:-40])
    kiosk.run(days(1, 2), "ingest")
    assert ledger(kiosk)["status"].tolist() == ["refused", "delivered"]
    assert "cannot be read as parquet" in ledger(kiosk).loc[day(1), "reason"]


@pytest.mark.parametrize("column", ["request_id", "price"])
def test_parquet_damaged_inside_is_refused_alone(kiosk: Kiosk, column: str) -> None:
    kiosk.changes["predictions"] = {"path": f"{kiosk.root}/predictions/{{day}}.parquet"}
    for number in (1, 2):
        frame = pd.read_csv(kiosk.predict(number, [f"id-{n}" for n in range(500)], price=[n * 1.5 for n in range(500)]))
        frame.to_parquet(kiosk.root / "predictions" / f"{day(number)}.parquet", compression="zstd")
    torn = kiosk.root / "predictions" / f"{day(1)}.parquet"
    content = bytearray(torn.read_bytes())
    chunk = pq.ParquetFile(torn).metadata.row_group(0)
    hurt = next(chunk.column(n) for n in range(chunk.num_columns) if chunk.column(n).path_in_schema == column)
    start = hurt.data_page_offset if hurt.dictionary_page_offset is None else hurt.dictionary_page_offset
    content[start : start + 64] = b"\0" * 64
    torn.write_bytes(content)
    kiosk.run(days(1, 2), "ingest")
    assert ledger(kiosk)["status"].tolist() == ["refused", "delivered"]


def test_a_refused_delivery_leaves_the_rows_delivered_before(kiosk: Kiosk) -> None:
    path = kiosk.predict(1, ["a", "b"])
    kiosk.run(days(1, 1), "ingest")
    path.write_text("nonsense")
    kiosk.run(days(1, 1), "ingest")
    assert kiosk.rows("SELECT COUNT(*) FROM predictions") == [(2,)]
    assert "the 2 rows delivered before are kept" in ledger(kiosk).loc[day(1), "reason"]


def test_an_empty_day_is_delivered_with_no_rows(kiosk: Kiosk) -> None:
    path = kiosk.predict(1, ["a"])
    path.write_text(path.read_text().splitlines()[0] + "\n")
    kiosk.run(days(1, 1), "ingest")
    assert ledger(kiosk).loc[day(1), ["status", "rows"]].tolist() == ["delivered", 0]


def test_label_corrections_are_kept_beside_what_they_correct(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a"])
    kiosk.label(1, {"a": 1})
    kiosk.label(3, {"a": 0})
    kiosk.run(days(1, 3), "ingest")
    assert kiosk.rows("SELECT known_day, label FROM labels ORDER BY ALL") == [(day(1), 1), (day(3), 0)]


def test_a_label_that_is_neither_0_nor_1_is_refused(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a"])
    kiosk.label(1, {"a": 2})
    kiosk.run(days(1, 1), "ingest")
    assert "column 'label' is not 0 or 1, for example '2'" in ledger(kiosk, "labels").loc[day(1), "reason"]


def test_labels_may_be_words(kiosk: Kiosk) -> None:
    kiosk.changes |= {
        "labels": {"path": f"{kiosk.root}/labels/{{day}}.csv", "positive": "Cancelled"},
        "predictions": {"path": f"{kiosk.root}/predictions/{{day}}.csv", "columns": {"decision": "decision"}},
    }
    kiosk.predict(1, ["a", "b"], decision=["cancelled", "kept"])
    kiosk.label(1, {"a": "Cancelled", "b": "kept"})
    kiosk.run(days(1, 1), "ingest")
    assert kiosk.rows("SELECT id, label FROM labels ORDER BY id") == [("a", 1), ("b", 0)]
    assert kiosk.rows("SELECT id, decision FROM predictions ORDER BY id") == [("a", 1), ("b", 0)]


def test_nan_is_missing_and_infinity_is_kept(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a", "b", "c"], price=["NaN", "inf", ""])
    kiosk.run(days(1, 1), "ingest")
    assert kiosk.rows("SELECT id, price FROM predictions ORDER BY id") == [
        ("a", None),
        ("b", float("inf")),
        ("c", None),
    ]


def test_json_lines_and_gzip_are_read_like_any_other(kiosk: Kiosk) -> None:
    kiosk.changes["predictions"] = {"path": f"{kiosk.root}/predictions/{{day}}.jsonl.gz"}
    rows = pd.read_csv(kiosk.predict(1, ["a", "b"], score=[0.125, 0.5])).to_dict("records")
    with gzip.open(kiosk.root / "predictions" / f"{day(1)}.jsonl.gz", "wt") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)
    kiosk.run(days(1, 1), "ingest")
    assert kiosk.rows("SELECT id, score, price, version FROM predictions ORDER BY id") == [
        ("a", 0.125, 2.0, "1"),
        ("b", 0.5, 2.0, "1"),
    ]


def test_without_a_decision_the_score_decides_at_the_threshold(kiosk: Kiosk) -> None:
    kiosk.changes |= {"predictions": {"path": f"{kiosk.root}/predictions/{{day}}.csv"}, "threshold": 0.6}
    kiosk.predict(1, ["a", "b", "c"], score=["0.6", "0.59", ""])
    kiosk.run(days(1, 1), "ingest")
    assert kiosk.rows("SELECT decision FROM predictions ORDER BY id") == [(1,), (0,), (None,)]


def test_one_file_for_all_days_is_cut_by_the_timestamp(kiosk: Kiosk) -> None:
    kiosk.changes["predictions"] = {"path": f"{kiosk.root}/predictions/*.csv"}
    kiosk.predict(9, ["a", "b", "c"], ts=[f"{day(1)} 23:59:59", f"{day(2)} 00:00:00", f"{day(5)} 00:00:00"])
    kiosk.run(days(1, 2), "ingest")
    assert kiosk.rows("SELECT id, day FROM predictions ORDER BY id") == [("a", day(1)), ("b", day(2))]


def test_files_cut_in_utc_are_put_on_the_business_days_of_the_models_zone(kiosk: Kiosk) -> None:
    source = {"path": f"{kiosk.root}/predictions/{{day}}.csv", "files_zone": "UTC"}
    kiosk.changes |= {"predictions": source, "timezone": "America/New_York"}
    kiosk.predict(1, ["early", "noon"], ts=[f"{day(1)} 04:59:00", f"{day(1)} 17:00:00"])
    kiosk.predict(2, ["evening", "next"], ts=[f"{day(2)} 04:59:00", f"{day(2)} 05:00:00"])
    kiosk.run(days(1, 1), "ingest")
    assert kiosk.rows("SELECT id, ts::VARCHAR FROM predictions ORDER BY ts") == [
        ("noon", "2025-01-01 12:00:00"),
        ("evening", "2025-01-01 23:59:00"),
    ]


def test_timestamps_with_an_offset_are_read_in_the_models_zone(kiosk: Kiosk) -> None:
    kiosk.changes["timezone"] = "Asia/Tokyo"
    kiosk.predict(2, ["a", "b"], ts=["2025-01-01T15:30:00Z", "2025-01-02T00:30:00+09:00"])
    kiosk.run(days(1, 2), "ingest")
    assert kiosk.rows("SELECT DISTINCT ts::VARCHAR FROM predictions") == [("2025-01-02 00:30:00",)]


def test_a_row_dated_on_another_day_counts_on_the_day_it_was_delivered_for(kiosk: Kiosk) -> None:
    kiosk.predict(2, ["a", "b"], ts=[f"{day(1)} 23:00:00", f"{day(2)} 01:00:00"])
    kiosk.run(days(1, 2), "ingest")
    assert kiosk.rows("SELECT id, day FROM predictions ORDER BY id") == [("a", day(2)), ("b", day(2))]
    assert ledger(kiosk).loc[day(2), "misdated"] == 1


def test_a_changed_delivery_reopens_the_later_stages_from_its_day_on(kiosk: Kiosk) -> None:
    for number in (1, 2, 3):
        kiosk.predict(number, ["a", "b"])
    kiosk.run(days(1, 3))
    kiosk.predict(2, ["a"])
    kiosk.run(days(2, 2), "ingest")
    with open_warehouse(kiosk.home, "kiosk") as warehouse:
        statistics, ingest = warehouse.progress("statistics"), warehouse.progress("ingest")
    assert statistics is not None
    assert ingest is not None
    assert (statistics.through, ingest.through) == (day(1), day(3))


def test_an_unchanged_delivery_reopens_nothing(kiosk: Kiosk) -> None:
    for number in (1, 2):
        kiosk.predict(number, ["a"])
    kiosk.run(days(1, 2))
    kiosk.run(days(1, 1), "ingest")
    with open_warehouse(kiosk.home, "kiosk") as warehouse:
        done = warehouse.progress("statistics")
    assert done is not None
    assert done.through == day(2)


def test_a_feature_that_is_constant_all_null_or_hostile_is_taken_as_it_is(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a", "b"], price=None, colour=["'; DROP TABLE labels; --", '"quoted", 雪 <script>'])
    kiosk.run(days(1, 1), "ingest")
    assert kiosk.rows("SELECT price, colour FROM predictions ORDER BY id") == [
        (None, "'; DROP TABLE labels; --"),
        (None, '"quoted", 雪 <script>'),
    ]
