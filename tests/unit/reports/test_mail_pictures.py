"""A mail's pictures: which there are, what they show, and that the same night always gives the same bytes."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.font_manager import fontManager
from PIL import Image

from jobs.language import speaking
from reports import mail_pictures
from reports.charts import png, png_bins, png_nights, png_trend
from reports.history import History, history_days
from reports.night import view_of
from reports.view import Bin
from tests.unit.reports import sample_night
from tests.unit.reports.hostile_night import HOSTILE, hostile
from tests.unit.reports.mail_contrast import contrast
from tests.unit.reports.test_mail import view

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def part_in(picture: bytes, colour: str) -> float:
    """The part of a PNG's pixels in a colour, as far as a palette of few colours keeps it."""
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
    wanted = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return float((np.abs(pixels - wanted).max(axis=2) <= 6).mean())


def test_the_state_of_each_of_the_last_nights_is_what_its_own_report_said() -> None:
    history = History.of(sample_night.frames(), history_days(sample_night.AGES))
    told = view_of(history.at(sample_night.END), sample_night.spec()).states
    days = [sample_night.END - timedelta(days=back) for back in range(len(told) - 1, -1, -1)]
    assert list(told) == [view_of(history.at(day), sample_night.spec()).state for day in days]
    assert set(told) == {"ok", "unknown", "critical"}, "the story has quiet nights, one without data, and bad ones"


def test_nights_before_the_first_leave_a_gap() -> None:
    seen = view(day=sample_night.END - timedelta(days=sample_night.DAYS - 5))
    known = [bool(state) for state in seen.states]
    assert known == sorted(known)
    assert 0 < sum(known) < len(known)


def test_an_incident_is_shown_by_its_first_cause_and_the_next_one_by_its_effect() -> None:
    leads = [(number, trend.figure.key.metric, trend.figure.key.feature) for number, trend in view().leads]
    assert leads == [(1, "psi", "browsing_time"), (2, "accuracy", "")]


def test_a_quiet_night_shows_how_right_the_model_was_and_no_incident() -> None:
    seen = view(sample_night.frames() | {"incidents": sample_night.empty()["incidents"]})
    [shown] = mail_pictures.trends(seen)
    assert (shown.title, shown.incident) == ("Accuracy at 7 days", 0)


def test_every_picture_says_in_words_what_it_shows() -> None:
    seen = view()
    nights, bins = mail_pictures.nights(seen), mail_pictures.bins(seen)
    assert nights is not None
    assert bins is not None
    assert nights.alt == "Of the last 28 nights 13 critical, 14 well, 1 not judged."
    assert bins.alt.startswith("browsing_time: ")
    assert "≤ 1.5 from 10.0\u202f% to 28.0\u202f%" in bins.alt
    first, second = mail_pictures.trends(seen)
    assert first.alt.startswith("PSI of browsing_time. ")
    assert "Expected" in second.alt
    assert second.now.startswith("84.6\u202f%, expected ")


def test_an_empty_night_has_no_pictures() -> None:
    seen = view(sample_night.empty())
    assert mail_pictures.nights(seen) is None
    assert mail_pictures.trends(seen) == []
    assert mail_pictures.bins(seen) is None


def test_another_process_draws_the_same_bytes() -> None:
    """Nothing in a PNG depends on when, or in which order of hashes, it was drawn."""
    code = (
        "import hashlib; from tests.unit.reports.test_mail import compose, view; "
        "print(hashlib.sha256(compose(view()).as_bytes()).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONPATH": ".", "PYTHONHASHSEED": seed}, capture_output=True,
            text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1]


def test_a_png_says_nothing_but_its_pixels() -> None:
    """No tool, no time, no comment: only the chunks a palette picture needs."""
    picture = png_nights.draw(("ok",) * 28, 20_000)
    chunks, place = [], 8
    while place < len(picture):
        size = int.from_bytes(picture[place : place + 4], "big")
        chunks.append(picture[place + 4 : place + 8])
        place += size + 12
    assert set(chunks) == {b"IHDR", b"PLTE", b"IDAT", b"IEND"}


def test_worse_nights_are_taller_and_each_state_has_its_colour() -> None:
    assert list(png_nights.HEIGHTS.values())[:4] == sorted(list(png_nights.HEIGHTS.values())[:4], reverse=True)
    seen = png_nights.draw(("critical", "warning", "info", "ok", "unknown", "") * 4, 20_000)
    assert all(part_in(seen, png.TONES[state]) > 0.003 for state in png_nights.HEIGHTS)


def test_the_expected_range_is_drawn_where_there_is_one() -> None:
    _, (_, accuracy) = view().leads
    assert part_in(png_trend.draw(accuracy), png.BAND) > 0.2
    _, (_, bare) = view(sample_night.frames() | {"verdicts": sample_night.empty()["verdicts"]}).leads
    assert not np.isfinite(bare.lower).any()
    assert part_in(png_trend.draw(bare), png.BAND) < 0.01


def test_words_in_pictures_stand_out_as_drawn_and_turned_dark() -> None:
    """Apple Mail turns them by `invert(.9) hue-rotate(180deg)`, which for greys is the inversion alone."""
    for ink in (png.INK, png.SOFT):
        assert contrast(ink, png.GROUND) >= 4.5
        assert contrast(inverted(ink), inverted(png.GROUND)) >= 4.5


def inverted(colour: str, part: float = 0.9) -> str:
    """CSS invert(part)."""
    values = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(value * (1 - part) + (255 - value) * part):02x}" for value in values)


@pytest.mark.parametrize("name", [*HOSTILE, "$\\frac{1}{0}$", "$a_{"], ids=lambda name: ascii(name)[:24])
def test_hostile_names_are_drawn_or_numbered(name: str) -> None:
    """No formula is parsed, no letter is drawn as an empty box (the library would warn, and warnings are errors)."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mail_pictures.trends(view(hostile(name)))
        assert png_bins.draw([Bin(name, 0.1, 0.3, 0.2), Bin("other", 0.9, 0.7, 0.1)])


@pytest.fixture
def chinese_font(tmp_path: Path) -> Iterator[str]:
    """A font with one Chinese letter, a plain box, installed under a name that Chinese fonts have."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "word"])
    builder.setupCharacterMap({ord("字"): "word"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "word": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "word": (1000, 100)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Noto Sans CJK Test", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    file = str(tmp_path / "chinese.ttf")
    builder.save(file)
    known = list(fontManager.ttflist)
    fontManager.ttflist[:] = [entry for entry in known if not entry.name.startswith(png.CHINESE)]
    for cache in (png.font_for, png.chinese_fonts):
        cache.cache_clear()
    fontManager.addfont(file)
    yield file
    fontManager.ttflist[:] = known
    for cache in (png.font_for, png.chinese_fonts):
        cache.cache_clear()


def test_chinese_is_drawn_by_an_installed_font_that_has_it(chinese_font: str) -> None:
    assert png.font_for("字") == chinese_font
    assert "DejaVuSans" in str(png.font_for("12 Mar"))
    drawn = png_bins.draw([Bin("字字字", 0.1, 0.3, 0.2)])
    assert drawn != png_bins.draw([Bin("1", 0.1, 0.3, 0.2)])
    assert part_in(drawn, png.SOFT) > part_in(png_bins.draw([Bin("", 0.1, 0.3, 0.2)]), png.SOFT) + 0.005, "three boxes"


def test_an_installed_font_draws_each_chinese_letter_as_itself() -> None:
    """The forms are those of simplified Chinese; where a font lacks a letter, every such letter is the same box."""
    assert png.font_for("准确率 3月12日"), "no font with Chinese letters is installed; fonts-noto-cjk has them"
    drawn = [letter_drawn(letter) for letter in ("准", "确", "率", "月", "\U000e0041")]
    assert len(set(drawn)) == 5, "no two letters look alike, and none like the box of a letter that no font has"
    with speaking("zh"):
        chinese = png_nights.draw(("ok", "critical"), 20159)
    assert chinese != png_nights.draw(("ok", "critical"), 20159)


def letter_drawn(letter: str) -> bytes:
    canvas = png.Canvas(40, 40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library says that it draws a box
        canvas.text(letter, 4, 30, png.INK, 28)
        return canvas.png()


def test_the_drawing_library_is_loaded_by_who_draws_and_nobody_else() -> None:
    code = (
        "import sys, reports.mail, reports.page, jobs.delivery, jobs.stages.report; print('matplotlib' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_of_many_bins_those_that_moved_most_stay_in_their_order() -> None:
    bins = [Bin(str(place), 0.1, 0.1, 0.001 * place) for place in range(25)]
    assert [one.label for one in png_bins.shown(bins)] == [str(place) for place in range(15, 25)]


def test_a_picture_is_small_enough_to_go_with_every_mail() -> None:
    seen = view()
    pictures = [mail_pictures.nights(seen), *mail_pictures.trends(seen), mail_pictures.bins(seen)]
    assert sum(len(one.png) for one in pictures if one) < 45_000
