"""A page as PDF or PNG, through the system's Chromium: it renders what a reader sees, print styles included."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from jobs.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

BROWSER = "NIGHTJAR_BROWSER"
"""Environment: the browser's program, where it has another name or place."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WIDTH, SCALE = 1240, 2
TALLEST = 12_000
"""CSS pixels; a picture twice as tall is the most that browsers paint."""
SECONDS = 120.0
_TALL = re.compile(r'<html[^>]* data-tall="(\d+)"')
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def to_pdf(page: Path) -> Path:
    """The page as it prints, all views after one another; returns `report.pdf` beside it."""
    return _made(page, page.with_name("report.pdf"), lambda out: ["--no-pdf-header-footer", f"--print-to-pdf={out}"])


def to_png(page: Path) -> Path:
    """The overview as one picture, twice the resolution of a plain screen; returns `overview.png` beside it."""
    text = _run(["--dump-dom", f"--window-size={WIDTH},900", page.as_uri()])
    found = _TALL.search(text)
    tall = min(int(found[1]), TALLEST) if found else 2400
    options = [f"--window-size={WIDTH},{tall}", f"--force-device-scale-factor={SCALE}", "--hide-scrollbars"]
    return _made(page, page.with_name("overview.png"), lambda out: [*options, f"--screenshot={out}"])


def missing_fonts(page: Path) -> str:
    """What to install where the page has Chinese, Japanese or Korean letters and no font draws them; else nothing."""
    listing = shutil.which("fc-list")
    if not listing or not _CJK.search(page.read_text(encoding="utf-8")):
        return ""
    found = subprocess.run([listing, ":lang=zh"], capture_output=True, text=True, check=False, timeout=SECONDS)  # noqa: S603
    missing = "no font here draws Chinese letters, they come out as boxes; install one (Debian: fonts-noto-cjk)"
    return "" if found.returncode or found.stdout.strip() else missing


def browser() -> str:
    """The browser's program; UsageError, saying what to do, where there is none."""
    asked = os.environ.get(BROWSER)
    found = shutil.which(asked) if asked else next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        return found
    looked = f"{BROWSER} is {asked}, which is no program" if asked else f"none of {', '.join(BROWSERS)} is installed"
    raise UsageError(
        f"PDF and PNG are made by a Chromium browser and {looked}; install one (Debian: apt-get install chromium) "
        f"or set {BROWSER} to its program. The HTML page needs none"
    )


def _made(page: Path, target: Path, options: Callable[[Path], list[str]]) -> Path:
    """Let the browser write somewhere else, then put the file in place whole."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / target.name
        said = _run([*options(out), page.as_uri()], folder)
        if not out.is_file() or not out.stat().st_size:
            raise UsageError(f"{browser()} made no {target.name} of {page}: {said.strip()[-400:] or 'it said nothing'}")
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copyfile(out, beside)
    beside.replace(target)
    return target


def _as_root() -> list[str]:
    """Chromium refuses its sandbox to root; the page is our own and forbids itself every request."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


def _run(options: list[str], folder: str | None = None) -> str:
    """What the browser says; it gets a profile of its own and no network of its own accord."""
    with TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as profile:
        command = [
            browser(), "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-sync", "--disable-extensions", f"--user-data-dir={profile}", *_as_root(), *options,
        ]  # fmt: skip
        try:
            done = subprocess.run(  # noqa: S603 - our own words and a path
                command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"{command[0]} took more than {SECONDS:.0f} s; try again on a calmer machine") from error
    return done.stdout or done.stderr
