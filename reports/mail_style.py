"""How a mail looks: styles by name, written into each element, since mail programs drop style sheets.

The only style sheet is for what cannot be inlined, a dark screen and a narrow one; a mail without it is whole. Colours
are neither pure black nor pure white and always come with their ground, so that a program that turns a light mail dark
of its own accord turns text and ground together.
"""

from __future__ import annotations

from markupsafe import Markup

FONT = (
    "font-family:-apple-system,BlinkMacSystemFont,Segoe UI,Roboto,Helvetica,Arial,PingFang SC,Microsoft YaHei,"
    "Noto Sans CJK SC,sans-serif;"
)
PAGE, CARD, INK, SOFT, RULE, BUTTON, ON_BUTTON = (
    "#f1f2f5", "#fefefe", "#1c1d21", "#5b5d66", "#e1e3ea", "#2f4b9a", "#fefefe",
)  # fmt: skip
TONES = {
    "critical": ("#b3261e", "#fbe9e7"),
    "warning": ("#8a5500", "#fdf1d8"),
    "info": ("#2b5d8a", "#e6f0f8"),
    "ok": ("#23693c", "#e5f3e9"),
    "unknown": ("#5b5d66", "#ecedf1"),
}
"""Text and tint of a state."""
DARK = {
    "page": "#121317", "card": "#1b1d23", "ink": "#ececee", "soft": "#a9acb7", "rule": "#33363f",
    "button": "#9db4ff", "on-button": "#14161c",
}  # fmt: skip
DARK_TONES = {
    "critical": ("#ff9a91", "#3b1c1b"),
    "warning": ("#f2bd5c", "#362a12"),
    "info": ("#8dbfeb", "#182a3a"),
    "ok": ("#7fd09a", "#16301f"),
    "unknown": ("#a9acb7", "#282a31"),
}
BREAK = "word-wrap:break-word;word-break:break-word;"


def _text(size: int, line: int, colour: str, more: str = "") -> str:
    return f"{FONT}font-size:{size}px;line-height:{line}px;color:{colour};{more}"


STYLES: dict[str, str] = {
    "body": f"margin:0;padding:0;width:100%;background-color:{PAGE};color:{INK};-webkit-text-size-adjust:100%;",
    "page": f"background-color:{PAGE};",
    "card": f"width:100%;max-width:600px;background-color:{CARD};border:1px solid {RULE};",
    "eyebrow": _text(14, 20, SOFT, f"padding:24px 28px 8px 28px;{BREAK}"),
    "h1": _text(22, 30, INK, f"margin:0;font-weight:bold;{BREAK}"),
    "lead": "padding:2px 28px 6px 28px;",
    "facts": _text(14, 20, SOFT, "padding:0 28px 18px 28px;"),
    "part": "padding:6px 28px 16px 28px;",
    "h2": _text(17, 24, INK, "margin:0 0 8px 0;font-weight:bold;"),
    "incident": "padding:4px 28px 14px 28px;",
    "title": _text(16, 23, INK, f"padding:2px 0 4px 14px;{BREAK}"),
    "words": _text(15, 22, INK, f"margin:6px 0 0 0;{BREAK}"),
    "soft": f"color:{SOFT};",
    "now": f"color:{SOFT};font-weight:normal;",
    "note": _text(14, 20, SOFT, "padding:0 28px 14px 28px;"),
    "picture": _text(14, 20, INK, f"margin:0 0 6px 0;font-weight:bold;{BREAK}"),
    "image": f"{_text(13, 18, SOFT)}display:block;width:100%;max-width:544px;height:auto;border:0;",
    "key": _text(13, 18, SOFT, "margin:6px 0 0 0;"),
    "table": f"width:100%;border-top:1px solid {RULE};",
    "head": _text(13, 18, SOFT, f"padding:8px 8px 6px 0;font-weight:normal;border-bottom:1px solid {RULE};"),
    "head-right": _text(13, 18, SOFT, f"padding:8px 0 6px 10px;font-weight:normal;border-bottom:1px solid {RULE};"),
    "name": _text(15, 20, INK, f"padding:9px 8px 9px 0;font-weight:normal;border-bottom:1px solid {RULE};{BREAK}"),
    "value": _text(15, 20, INK, f"padding:9px 0 9px 10px;border-bottom:1px solid {RULE};white-space:nowrap;"),
    "change": _text(14, 20, SOFT, f"padding:9px 0 9px 10px;border-bottom:1px solid {RULE};"),
    "bar": f"padding:9px 0 9px 10px;border-bottom:1px solid {RULE};",
    "fill": "font-size:1px;line-height:10px;",
    "action": "padding:0 28px 22px 28px;",
    "button": f"background-color:{BUTTON};mso-padding-alt:12px 22px 12px 22px;",
    "link": _text(16, 22, ON_BUTTON, f"display:inline-block;padding:12px 22px;font-weight:bold;text-decoration:none;"
                  f"background-color:{BUTTON};"),
    "more": f"color:{SOFT};text-decoration:underline;",
    "foot": _text(13, 19, SOFT, "padding:14px 16px 24px 16px;max-width:568px;"),
}  # fmt: skip
"""What each kind of element looks like on a light screen."""


def tone(state: str) -> str:
    """Bold text in the colour of a state."""
    return f"color:{TONES.get(state, TONES['info'])[0]};font-weight:bold;white-space:nowrap;"


def pill(state: str) -> str:
    """The same on its tint."""
    ink, tint = TONES.get(state, TONES["info"])
    return f"background-color:{tint};color:{ink};font-weight:bold;padding:4px 3px;"


def fill(state: str) -> str:
    """A bar of that colour."""
    return f"background-color:{TONES.get(state, TONES['info'])[0]};font-size:1px;line-height:10px;"


def sheet() -> Markup:
    """The style sheet for a dark screen and for a narrow one.

    A picture has a light ground of its own; where the program can, it is turned dark with hues kept.
    """
    dark = [f".{name}{{background-color:{DARK[name]}!important}}" for name in ("page", "card")]
    dark += [f".{name}{{color:{DARK[name]}!important}}" for name in ("ink", "soft")]
    dark += [f".rule,.card{{border-color:{DARK['rule']}!important}}"]
    dark += [f".button{{background-color:{DARK['button']}!important;color:{DARK['on-button']}!important}}"]
    for state, (ink, tint) in DARK_TONES.items():
        dark += [
            f".t-{state}{{color:{ink}!important}}",
            f".f-{state}{{background-color:{ink}!important}}",
            f".p-{state}{{color:{ink}!important;background-color:{tint}!important}}",
        ]
    dark += [".pic{filter:invert(.9) hue-rotate(180deg)}"]
    narrow = (
        ".edge{padding-left:16px!important;padding-right:16px!important}.sides{padding:0!important}"
        ".card{border-left:0!important;border-right:0!important}.h1{font-size:20px!important;line-height:27px!important}"
    )
    return Markup(  # noqa: S704 - our own text
        f"@media (prefers-color-scheme:dark){{{''.join(dark)}}}\n@media (max-width:480px){{{narrow}}}"
    )
