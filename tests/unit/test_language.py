"""Every sentence there is can be said in Chinese, with the same gaps, and the incidents of a night are."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from jobs.language import CATALOGUES, catalogue, join, say, speaking
from jobs.methods import story, wording
from jobs.pipeline import STAGE_NAMES
from jobs.spec.model import MetricName
from tests.kiosk import Kiosk, day, days

JOBS = Path(__file__).resolve().parents[2] / "jobs"


def literal(node: ast.expr) -> set[str]:
    """The texts that an argument can be: a constant, or either side of a choice."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    return literal(node.body) | literal(node.orelse) if isinstance(node, ast.IfExp) else set()


def said_in_code() -> set[str]:
    """The first argument of every call of `say`."""
    found: set[str] = set()
    for path in JOBS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say" and node.args:
                found |= literal(node.args[0])
    return found


def sentences() -> set[str]:
    """Everything that can be said."""
    tables = {*wording.SENTENCES.values(), *wording.AGAINST.values(), "expected {value}", "{former}: {value}"}
    words = {"critical", "warning", "info", "retrain", "fallback", "rollback", "predictions", "labels", "outcomes"}
    names = {wording.name(metric) for metric in get_args(MetricName)} | set(wording.NAMES.values())
    bins = {"Missing values", "Values never seen before", "Infinite values", "The rarer values"}
    return (
        said_in_code()
        | tables
        | words
        | names
        | bins
        | {"{action} was last requested on {last}; it cools down until {free}"}
    )


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", sorted(path.name for path in CATALOGUES.iterdir()))
def test_the_catalogue_has_every_sentence_and_no_other_with_the_same_gaps(language: str) -> None:
    known = catalogue(language)
    assert sentences() - set(known) == set()
    assert set(known) - sentences() == set()
    assert {english for english, other in known.items() if gaps(english) != gaps(other)} == set()


def test_the_catalogue_is_whole_and_nothing_in_it_is_uncertain() -> None:
    text = (CATALOGUES / "zh" / "LC_MESSAGES" / "nightjar.po").read_text(encoding="utf-8")
    assert "fuzzy" not in text
    assert len(re.findall(r"^msgid", text, re.MULTILINE)) == len(catalogue("zh")) + 1  # and its head


def test_what_is_spoken_ends_with_the_work_it_was_set_for() -> None:
    with speaking("zh"):
        assert say("critical") == "严重"
        assert join(["甲。", "乙。"]) == "甲。乙。"
    assert say("critical") == "critical"
    with pytest.raises(RuntimeError), speaking("zh"):
        raise RuntimeError
    assert say("critical") == "critical"


DRIFT = {
    "role": "cause", "metric": "psi", "feature": "browsing_minutes", "segment": "all", "version": "all", "rule": "",
    "severity": "critical", "value": 4.85, "lower": None, "upper": 0.3, "expected": None, "label_age": None,
    "day": "2025-03-05", "first_day": "2025-03-04", "n": 741, "detector": "bound", "reason": "",
    "before": {"mean": 10.1, "median": 9.2}, "after": {"mean": 2.0, "median": 1.9},
    "bins": [{"kind": "interval", "lower": None, "upper": 3.2, "expected": 0.1, "observed": 0.92}],
}  # fmt: skip
FALL = {
    "role": "effect", "metric": "accuracy", "feature": "", "segment": "all", "version": "all", "rule": "",
    "severity": "critical", "value": 0.789, "lower": 0.93, "upper": 0.97, "expected": 0.954, "label_age": 1,
    "day": "2025-03-04", "first_day": "2025-03-04", "n": 434, "detector": "prophet", "reason": "",
    "coverage": 0.56, "usual_coverage": 0.57,
    "carried": [{"kind": "rate", "part": 0.8, "segment": "customer=new", "value": 0.5, "before": 0.9}],
}  # fmt: skip


def test_an_incident_reads_in_chinese() -> None:
    """Each sentence is whole: no English word stays but names of features, segments and indices."""
    shares = {"share": 0.2, "share_before": 0.2}
    fall = FALL | {"carried": [one | shares for one in FALL["carried"]]}  # type: ignore[operator,attr-defined]
    with speaking("zh"):
        title, text = wording.title([DRIFT, fall]), story.tell([DRIFT, fall])
    assert title == "browsing_minutes 漂移（PSI 4.85） → 准确率 78.9 %（预期 95.4 %）"
    assert text == (
        "browsing_minutes 自 2025-03-04 起发生漂移：2025-03-05 的均值为 2，此前为 10.1；中位数为 1.9，此前为 9.2"
        "（PSI 4.85，界限为 0.30）。不超过 3.2 的值占全部行的 92.0 %，参考期为 10.0 %。"
        "按 1 天后已知的标签，2025-03-04 的准确率为 78.9 %，预期 95.4 %（n 434）。"
        "其中 80 % 来自 customer=new：该分群现为 50.0 %，此前为 90.0 %。当日已有 56.0 % 的标签到达，与往常一样。"
    )


def test_a_spec_in_chinese_writes_incidents_and_messages_in_chinese(kiosk: Kiosk) -> None:
    kiosk.changes |= {
        "labels": None, "outcomes": None, "language": "zh", "owner": "小王",
        "rules": [{"metric": "psi", "above": 50.0}], "channels": {"critical": ["log"]},
    }  # fmt: skip
    for number in range(1, 16):
        kiosk.predict(number, [f"{number}-{row}" for row in range(60)])
    kiosk.run(days(1, 16), *STAGE_NAMES)
    incident = kiosk.table("incidents").iloc[-1]
    assert incident["title"] == f"{day(16)} 没有预测数据"
    assert incident["text"] == f"{day(16)} 没有收到任何预测数据。今晚新出现。"
    [(subject, payload)] = kiosk.rows("SELECT subject, payload FROM outbox WHERE channel = 'log'")
    assert subject == f"[严重] kiosk：{day(16)} 没有预测数据"
    assert "负责人：小王。" in payload
