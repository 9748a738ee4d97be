"""A model whose spec says `language: zh` has its page, its calendar, the list of models and its mail in Chinese."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from jobs.engine.warehouse import open_warehouse
from jobs.language import catalogue, speaking
from jobs.periods import Period
from jobs.stages import report
from jobs.stages.report import TERMS
from reports import mail, mail_text, page, site
from reports.history import History, history_days
from reports.night import view_of
from tests.unit.reports import reading_html, sample_night

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from reports.view import NightView
    from tests.unit.reports.reading_html import Element

STORED = {"no file for this day": "no file matches labels/2025-02-19.parquet"}
ZH = sample_night.spec().model_copy(update={"language": "zh", "description": "会不会下单？", "owner": "增长组"})
_NAMES = """
    Nightjar shop browsing_time basket_value pages days_since_visit discount device channel country customer
    phone desktop tablet new returning DE FR PT ES IT NL PL v1 v2 v3 shadow EUR Europe Lisbon PSI n ms MB Wilson
    DeLong logit DDSketch numpy quantile inverted_cdf sklearn metrics Siddiqi Yurdakul Fisher chi2 N k ROC AUC F1 KS
    p95 p99 p50 accuracy_score precision_score recall_score roc_auc_score f1_score Jensen Shannon
"""
NAMES = frozenset(_NAMES.split())
"""Names of the model's own things, of people, of libraries and of measures: they are the same in every language."""
WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


def frames() -> dict[str, pd.DataFrame]:
    """The sample's night, with its stored words as a model in Chinese stores them."""
    given = sample_night.frames()
    titles = {title: f"事件{place}" for place, title in enumerate(given["incidents"]["title"].unique())}
    reasons = dict.fromkeys(given["decisions"]["reason"].dropna().unique(), "已连续 2 晚超出界限")
    deliveries = given["deliveries"].assign(reason=given["deliveries"]["reason"].replace(STORED))
    return given | {
        "incidents": given["incidents"].assign(title=given["incidents"]["title"].replace(titles), text=None),
        "decisions": given["decisions"].assign(reason=given["decisions"]["reason"].replace(reasons)),
        "deliveries": deliveries,
    }


@pytest.fixture(scope="module", autouse=True)
def chinese() -> Iterator[None]:
    with speaking("zh"):
        yield


def view(given: dict[str, pd.DataFrame] | None = None) -> NightView:
    known = History.of(frames() if given is None else given, history_days(sample_night.AGES)).at(sample_night.END)
    return view_of(known, ZH, TERMS)


def told(tree: Element) -> Iterator[str]:
    """Every text and every attribute that is read out or shown."""
    yield from tree.words
    for element in tree.all():
        yield from (element.attributes.get(name, "") for name in ("alt", "title", "aria-label", "data-s"))


def english(texts: Iterator[str] | list[str]) -> list[str]:
    """The texts with a word of Latin letters that is no name."""
    return [text for text in texts if set(WORD.findall(re.sub(r"https?://\S+|\S+/\S+", "", text))) - NAMES]


def test_a_page_has_no_english_words_but_names() -> None:
    tree = reading_html.read(page.render(view()))
    assert english(list(told(tree))) == []
    assert tree.all("html")[0].attributes["lang"] == "zh-Hans"


def test_the_check_finds_an_english_sentence() -> None:
    assert english(["准确率 94%", "PSI of browsing_time", "v1", "Not judged"]) == ["PSI of browsing_time", "Not judged"]


@pytest.mark.parametrize("what", ["empty", "gap", "quiet"])
def test_other_nights_too(what: str) -> None:
    given = {
        "empty": sample_night.empty(),
        "gap": {name: frame[frame["day"] < "2025-03-12"] if name == "metrics" else frame for name, frame in frames().items()},
        "quiet": frames() | {name: sample_night.empty()[name] for name in ("incidents", "decisions")},
    }[what]  # fmt: skip
    seen = view(given)
    assert english(list(told(reading_html.read(page.render(seen))))) == []
    mailed = mail.compose(seen, "Nightjar <n@example.org>", ["a@example.org"], "https://example.org/", "k")
    assert english([str(mailed["Subject"])]) == []


def test_the_verdict_is_a_chinese_sentence() -> None:
    """The sample's story: two incidents are open, a retrain was requested."""
    tree = reading_html.read(page.render(view()))
    first, performance, drift = (element.text for element in tree.all("h1"))
    assert first == "有两件事需要关注，首先是：事件0，自2月28日起；2月28日已请求重新训练。"
    assert performance.startswith("准确率（7 天）为 84.6%，比前 28 天的中位数低 9.7 个百分点")
    assert drift == "browsing_time（PSI 0.637）已偏离参考期；其余 9 个未触发规则。"


@pytest.fixture(scope="module")
def letter() -> Any:
    return mail.compose(view(), "Nightjar <n@example.org>", ["a@example.org"], "https://example.org/x", "key")


def test_both_parts_of_a_mail_and_its_subject_are_chinese(letter: Any) -> None:
    html = reading_html.read(letter.get_body(("html",)).get_content())
    assert english(list(told(html))) == []
    assert html.all("html")[0].attributes["lang"] == "zh-Hans"
    assert letter["Subject"] == "[严重] shop 3月12日：事件0（另有 1 项）"
    assert english(letter.get_body(("plain",)).get_content().splitlines()) == []
    assert "CID" not in str(letter["Subject"])


def test_the_lines_of_the_text_part_fit_where_a_chinese_letter_is_two_columns_wide(letter: Any) -> None:
    lines = letter.get_body(("plain",)).get_content().splitlines()
    assert max(map(mail_text.wide, lines)) <= mail_text.WIDTH
    assert not [line for line in lines if line.strip() and line.strip()[0] in mail_text.CLOSING]
    figures = [line for line in lines if re.match(r"(预测量|准确率|召回率)", line)]
    assert len({mail_text.wide(re.split(r"(?<=\S)  ", line)[0]) <= 34 for line in figures}) == 1


def test_numbers_days_and_units_are_those_of_the_language() -> None:
    text = reading_html.read(page.render(view())).text
    assert "2025年3月12日（星期三）夜" in text
    assert "84.6%" in text
    assert "\u202f%" not in text, "Chinese puts no space before the sign"
    assert "百分点" in text
    assert not re.search(r"\b(pp|Mar|March)\b", text)
    assert re.search(r"\d万", text), "an axis counts in ten thousands"


def site_of(home: Path) -> dict[str, str]:
    nights = Period(sample_night.END, sample_night.END)
    with open_warehouse(home, "shop") as warehouse:
        warehouse.digest = "test"
        for name, frame in frames().items():
            warehouse.insert(name, frame)
        warehouse.replace("ingest", nights, {})
        warehouse.replace("report", nights, {})
        report.run(ZH, nights, warehouse)
    root = home / "reports"
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in root.rglob("*.html")}


def test_the_calendar_and_the_list_of_models_are_chinese(tmp_path: Path) -> None:
    pages = site_of(tmp_path)
    for name in ("index.html", "shop/index.html"):
        tree = reading_html.read(pages[name])
        assert tree.all("html")[0].attributes["lang"] == "zh-Hans"
        assert english(list(told(tree))) == [], name
    assert "2025年3月" in pages["shop/index.html"]
    assert reading_html.read(pages["index.html"]).all("h1")[0].text == "1 个模型需要关注。"


def card(language: str, model: str) -> dict[str, Any]:
    figures = {"Predictions": ["count", "", 10.0, *(["预测量"] if language == "zh" else [])]}
    entry = site.Entry(
        state="ok", said="一切正常。" if language == "zh" else "All quiet.", incidents=[], figures=figures
    )
    spec = sample_night.spec().model_copy(update={"model": model, "language": language})
    return dict(site.card(spec, {"2025-03-12": entry}))


def test_a_list_of_models_of_two_languages_is_english_and_says_which_parts_are_not() -> None:
    """Whatever language the model speaks whose night was written last."""
    mixed = site.index_page([card("zh", "a"), card("en", "b")])
    with speaking("en"):
        assert site.index_page([card("zh", "a"), card("en", "b")]) == mixed
    tree = reading_html.read(mixed)
    assert tree.all("html")[0].attributes["lang"] == "en"
    chinese_line, english_line = tree.all("li", class_="model")
    assert chinese_line.all("p", class_="said")[0].attributes["lang"] == "zh-Hans"
    assert chinese_line.all("dt")[0].text == "预测量"
    assert "lang" not in english_line.all("p", class_="said")[0].attributes


def test_a_model_that_changes_its_language_keeps_its_lines_whole() -> None:
    """The figures of its nights are found under one name."""
    seen = view()
    new = site.entry(seen)
    with speaking("en"):
        old = site.entry(replace(seen, state="ok"))
    assert set(new["figures"]) == set(old["figures"])
    one = site.card(ZH, {"2025-03-11": old, "2025-03-12": new})
    name, _, _, values = one["figures"][0]
    assert name == "预测量"
    assert None not in values
    assert len(values) == 2


def test_english_is_as_it_was_after_chinese_was_spoken() -> None:
    with speaking("en"):
        before = page.render(view())
    page.render(view())
    with speaking("en"):
        assert page.render(view()) == before
    assert not re.search("[\u4e00-\u9fff]", before.replace("会不会下单", "").replace("增长组", "").replace("百分点", "")
                         .replace("事件", "").replace("已连续", "").replace("晚超出界限", ""))  # fmt: skip


def test_an_untranslated_word_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {key: text for key, text in catalogue("zh").items() if key != "Key figures"}
    monkeypatch.setattr("jobs.language.catalogue", lambda _: known)
    assert "Key figures" in english(list(told(reading_html.read(page.render(view())))))
