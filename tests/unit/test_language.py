"""Every sentence there is can be said in Chinese, with the same gaps, and the incidents of a night are."""

from __future__ import annotations

import re
from string import Formatter
from typing import get_args

import pytest
from jinja2 import nodes

from jobs.language import APART, CATALOGUES, catalogue, join, say, speaking
from jobs.methods import story, titles, wording
from jobs.methods.definitions import DEFINITIONS
from jobs.methods.judgement import Verdict
from jobs.methods.sentences import NOUNS, SENTENCES
from jobs.pipeline import STAGE_NAMES
from jobs.spec.named import MetricName
from reports.reasons import REASONS, RULES, SCOPES
from reports.sections import baselines
from reports.sections.drift import BINS, PSEUDO
from reports.sentence import STATES
from reports.words import OWN, WORDS
from tests.kiosk import Kiosk, day, days
from tests.unit import saying

PAPER = re.compile(r"[A-Z][\w, ]* (et al\. )?\(\d{4}\)(; [a-z][\w.]+)?|[a-z]\w*\.[\w.]+(, [\w, ]+)?|Wilson")
"""Names of papers, functions and methods: they are the same in every language."""


def sentences() -> set[str]:
    """Everything that must be known: all that is said, and what is stored in English and said by whoever shows it."""
    tables = {*SENTENCES.values(), *wording.AGAINST.values(), "expected {value}", "{former}: {value}"}
    words = {"critical", "warning", "info", "retrain", "fallback", "rollback", "predictions", "labels", "outcomes"}
    words |= {*NOUNS.values(), *baselines.NAMES.values(), *baselines.MEANT.values()}
    names = {wording.name(metric) for metric in get_args(MetricName)} | set(wording.NAMES.values())
    bins = {"Missing values", "Values never seen before", "Infinite values", "The rarer values"}
    coded = saying.in_code("jobs", "reports") | saying.in_templates() | tables | words | names | bins
    shown = {word.name for word in WORDS.values()} | set(STATES.values()) | set(PSEUDO.values())
    titles = {
        "Largest PSI",
        "Latency percentiles",
        "Agreement",
        "shadow",
        "challenger",
        "cause",
        "effect",
        "trusted",
        "service",
    }
    defined = {text for one in DEFINITIONS for text in (one.words, one.interval, one.n, one.source) if text}
    defined = {text for text in defined if not PAPER.fullmatch(text)}
    rules = {f"rule{APART}{one}" for one in (*RULES, "no data", "no labels", "refused delivery", "stuck", "expected")}
    stored = saying.literals("jobs/methods", "jobs/families", "jobs/stages")
    reasons = {text for text in stored if re.fullmatch("no [a-z ]+[a-z]", text) and text not in NOT_SHOWN}
    return coded | shown | titles | defined | rules | reasons | set(REASONS) | CODES


CODES = {
    f"{context}{APART}{word}"
    for context, told in {
        "bin": BINS, "comparison": get_args(Verdict), "delivery": ("delivered", "missing", "refused"),
        "decision": ("requested", "held", "dry run"), "estimates": ("unproven", "off"), "feature": OWN,
        "scope": tuple(SCOPES.values()), "state": ("ok", "unknown"),
    }.items()
    for word in told
}  # fmt: skip
"""Words with a meaning of their own in tables."""
NOT_SHOWN = {"no data"}


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", sorted(path.name for path in CATALOGUES.iterdir()))
def test_the_catalogue_has_every_sentence_and_no_other_with_the_same_gaps(language: str) -> None:
    known, said = set(catalogue(language)), sentences()
    assert {one for one in said if one not in known and f"metric{APART}{one}" not in known} == set()
    written = saying.literals("jobs", "reports") | {f"no {definition.n}" for definition in DEFINITIONS}
    assert {one for one in known - said if one.rpartition(APART)[2] not in written} == set()
    assert {english for english, other in catalogue(language).items() if gaps(english) != gaps(other)} == set()


@pytest.mark.parametrize("language", sorted(path.name for path in CATALOGUES.iterdir()))
def test_markup_in_a_sentence_stays_the_same(language: str) -> None:
    tags = re.compile(r"</?[a-z]+[^>]*>")
    for english, other in catalogue(language).items():
        assert sorted(tags.findall(english)) == sorted(tags.findall(other)), english


def test_what_comes_from_data_is_never_taken_for_a_template_s_own_markup() -> None:
    """`say` in a template trusts its sentence, so that has to stand there; `spoken` is for words from data."""
    says = [call for call in saying.template_calls() if call.node.name == "say"]  # type: ignore[attr-defined]
    assert len(says) > 200
    assert [call.lineno for call in says if not isinstance(call.args[0], nodes.Const)] == []


def test_the_catalogue_is_whole_and_nothing_in_it_is_uncertain() -> None:
    files = [path.read_text(encoding="utf-8") for path in (CATALOGUES / "zh" / "LC_MESSAGES").glob("*.po")]
    assert [text for text in files if "fuzzy" in text] == []
    entries = sum(len(re.findall(r"^msgid", text, re.MULTILINE)) - 1 for text in files)  # less each one's head
    assert entries == len(catalogue("zh")), "a sentence is there twice, or without a translation"


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
        title, text = titles.title([DRIFT, fall]), story.tell([DRIFT, fall])
    assert title == "browsing_minutes 漂移（PSI 4.85） → 准确率 78.9%（预期 95.4%）"
    assert text == (
        "browsing_minutes 自 2025-03-04 起发生漂移：2025-03-05 的均值为 2，此前为 10.1；中位数为 1.9，此前为 9.2"
        "（PSI 4.85，界限为 0.30）。不超过 3.2 的值占全部行的 92.0%，参考期为 10.0%。"
        "按 1 天后已知的标签，2025-03-04 的准确率为 78.9%，预期 95.4%（n 434）。"
        "其中 80% 来自 customer=new：该分群现为 50.0%，此前为 90.0%。当日已有 56.0% 的标签到达，与往常一样。"
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
