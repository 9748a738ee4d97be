"""The short texts of a spec, `10%`, `2h`, `${NAME}`, and what they become."""

from __future__ import annotations

import re
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

SEGMENT_PART = re.compile(r",(?=[^,=]+=)")


def parts_of(segment: str) -> list[tuple[str, str]]:
    """Column and value of each part of a segment; a comma is of the value unless a column follows it.

    >>> parts_of("country=FR"), parts_of("country=FR,plan=new")
    ([('country', 'FR')], [('country', 'FR'), ('plan', 'new')])
    >>> parts_of("city=Paris, France,plan=a=b")
    [('city', 'Paris, France'), ('plan', 'a=b')]
    """
    parts = (part.partition("=") for part in SEGMENT_PART.split(segment))
    return [(column, value) for column, _, value in parts]


Fraction = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """Frozen, and unknown keys are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


def _zone(name: Any) -> Any:
    if isinstance(name, str) and name not in available_timezones():
        near = get_close_matches(name, sorted(available_timezones()), n=1)
        hint = f"did you mean '{near[0]}'?" if near else "examples: UTC, Europe/Lisbon, America/New_York"
        raise ValueError(f"'{name}' is not a time zone of the IANA database; {hint}")
    return name


Zone = Annotated[str, BeforeValidator(_zone)]


class Change(Strict):
    """A change against something: relative (`10%`) or in percentage points of a rate (`5pp`).

    >>> Change.parse("10%"), Change.parse("5pp").limit(0.02, falling=False)
    (Change(amount=0.1, unit='%'), 0.07)
    """

    amount: float = Field(gt=0)
    unit: Literal["%", "pp"]

    @classmethod
    def parse(cls, given: Any) -> Any:
        """`10%` or `5pp`; anything else says how to write it."""
        if not isinstance(given, str):
            return given if isinstance(given, Change | dict) else cls._refuse(given)
        for unit in ("%", "pp"):
            number = given.strip().removesuffix(unit)
            if given.strip().endswith(unit):
                try:
                    return cls(amount=float(number) / 100, unit=unit)
                except ValueError:
                    break
        return cls._refuse(given)

    @staticmethod
    def _refuse(given: object) -> Any:
        raise ValueError(f"'{given}' is not a change; write 10% (of the former value) or 5pp (percentage points)")

    def limit(self, former: float, *, falling: bool) -> float:
        """The value at which the change away from `former` is reached."""
        step = self.amount if self.unit == "pp" else abs(former) * self.amount
        return former - step if falling else former + step

    def __str__(self) -> str:
        return f"{self.amount * 100:g}{self.unit}"


ChangeText = Annotated[
    Change,
    BeforeValidator(Change.parse),
    PlainSerializer(str, when_used="always"),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(%|pp)\s*$", "examples": ["10%", "5pp"]}),
]


_ENVIRONMENT = r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$"
_CHANNEL = rf"^(mail|log|mailto:[^@\s]+@[^@\s]+|{_ENVIRONMENT[1:-1]})$"


def _secret(given: Any) -> Any:
    """A URL with its password does not belong into a file that many read."""
    if isinstance(given, str) and "://" in given:
        raise ValueError("holds a URL; put it into an environment variable and write ${NAME} here")
    return given


def _channel(given: Any) -> Any:
    if isinstance(_secret(given), str) and not re.match(_CHANNEL, given):
        raise ValueError(f"'{given}' is no channel; write mail, mailto:a@example.org, log or ${{NAME}}")
    return given


def _environment_name(given: Any) -> Any:
    if isinstance(_secret(given), str) and not re.match(_ENVIRONMENT, given):
        raise ValueError(f"'{given}' is no environment variable; write ${{NAME}}")
    return given


EnvironmentName = Annotated[
    str, BeforeValidator(_environment_name), WithJsonSchema({"type": "string", "pattern": _ENVIRONMENT})
]
Channel = Annotated[str, BeforeValidator(_channel), WithJsonSchema({"type": "string", "pattern": _CHANNEL})]


def _wait(given: Any) -> Any:
    """`2h`, `90m`, `1h30m`; a night may not wait until the next one is due."""
    if not isinstance(given, str):
        if isinstance(given, timedelta):
            return given
        raise ValueError(f"'{given}' is not a time to wait; write 90m, 2h or 1h30m")
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?", given.strip())
    length = timedelta(hours=int(found[1] or 0), minutes=int(found[2] or 0)) if found else timedelta(0)
    if not timedelta(0) < length <= LONGEST_WAIT:
        raise ValueError(f"'{given}' is not a time to wait; write 90m, 2h or 1h30m, and at most 20h")
    return length


def _wait_text(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


LONGEST_WAIT = timedelta(hours=20)
"""What a night may wait for its data; the next night comes after a day."""

Wait = Annotated[
    timedelta,
    BeforeValidator(_wait),
    PlainSerializer(_wait_text, when_used="always"),
    WithJsonSchema({"type": "string", "pattern": r"^\s*(?=\d)(\d+h)?(\d+m)?\s*$", "examples": ["2h", "90m", "1h30m"]}),
]
