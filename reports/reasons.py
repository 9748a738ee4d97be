"""Reasons and names of rules as they are stored, in the language that is spoken.

Figures are stored with their reason in English, whatever a model's language: it is part of the figure, and a page that
is written again in another language must not need the figures anew. So a page recognises the sentences there are.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from jobs.language import SOURCE, say, spoken

if TYPE_CHECKING:
    from collections.abc import Callable

REASONS = (
    "{count} labels of age {days} known, {least} needed",
    "{count} rows with labels or outcomes, {least} needed",
    "{count} rows with labels, {least} needed",
    "{count} rows, {least} are needed",
    "{count} rows, rule needs {least}",
    "checked against labels on {count} days so far, {least} needed",
    "only {count} of the last {whole} estimates held what labels said later",
    "only {count} nights of history in the recent window, {least} needed",
    "only {count} nights of history, {least} needed",
    "Prophet failed ({problem}); the seasonal median spoke instead",
    "scores on fewer than {least} of {days} days",
    "measured for {share} of the day, {least} needed",
    "{count} of {whole} outcome deliveries are missing or refused",
    "{count} of {whole} conversions say their value",
    "{count} of {whole} outcomes say whether they were clicked",
    "{count} of {whole} groups has {least} {what}, two are needed",
    "{count} of {whole} groups have {least} {what}, two are needed",
    "the reference keeps no {metric}",
    "no file matches {file}",
    "{file}: cannot be read as {format}: {problem}",
    "{file}: column '{column}' is empty in {count} rows",
    "{file}: column '{column}' is not {kind}, for example '{example}', in {count} rows",
    "{share} of the labels are in, and early ones are not like the others: {least} needed",
    "{share} of the outcomes are in, and early ones are not like the others: {least} needed",
    "{who} is right more often ({model}), but {whom} converts more ({money})",
    "{who} is right more often ({model}), but {whom} ranks better (AUC {ranking}): compare their thresholds first",
    "{who} is right more often: {other} has {model}; both rank alike (AUC {ranking}), "
    "so another threshold may do as much",
    "{who} is right more often: {model}; both rank alike (AUC {ranking}), so another threshold may do as much",
    "{who} is right more often: {other} has {value} points ({rest})",
    "{who} is right more often: {model}",
    "{who} converts more ({money}), but {whom} earns more ({earned})",
    "{who} is right more often ({model}), but {whom} earns more ({money})",
    "{who} is closer to the truth ({model}), but {whom} converts more ({money})",
    "{who} is closer to the truth ({model}), but {whom} earns more ({money})",
    "{who} is closer to the truth: {other} has {value} ({rest})",
    "{who} is closer to the truth: {model}",
    "{who} converted more: {money}",
    "{who} converts more: {other} had {money}",
    "{who} earned more: {money}",
    "{who} earns more: {other} had {money}",
    "both are equally far off, within {share} of the error: {model}",
    "both are right equally often, within {points} points: {model}",
    "both convert equally often, within {points} points: {money}",
    "the difference may be chance: {model}",
    "{value} points ({lower} to {upper}, n = {n})",
    "{value} ({lower} to {upper}, n = {n})",
    "{version} replaced {former}",
    "{version} began",
    "{count} {what}, {least} needed",
)
"""Sentences with gaps, in the order in which they are tried; those without gaps are in the catalogue as they are."""
SCOPES = {"behaviour": "the model's behaviour", "service": "the service", "delivery": "what is delivered"}
"""What an incident's trouble is in."""
RULES = (
    "{told} on reference", "{told} on previous version", "{told} by segment", "{told} for {names}",
    "{metric} above {size}", "{metric} below {size}", "{metric} drop {size}", "{metric} rise {size}",
    "{metric} outside {size}",
)  # fmt: skip


def retold(reason: str) -> str:
    """A stored reason, spoken; as it is where it is none we know.

    >>> from jobs.language import speaking
    >>> retold("12 labelled decisions, 30 needed")
    '12 labelled decisions, 30 needed'
    >>> with speaking("zh"):
    ...     retold("12 labelled decisions, 30 needed"), retold("what nobody knows")
    ('12 条有标签的决策，至少需要 30 条', 'what nobody knows')
    """
    return reason if spoken() == SOURCE or not reason else _retold(reason, spoken())


def rule_name(rule: str) -> str:
    """What a rule is called.

    >>> from jobs.language import speaking
    >>> with speaking("zh"):
    ...     rule_name("psi above 0.2"), rule_name("accuracy drop 10% by segment"), rule_name("stuck")
    ('PSI 高于 0.2', '准确率 下降 10%（按分群）', '序列停滞')
    """
    return rule if spoken() == SOURCE or not rule else _rule(rule, spoken())


def scope_name(scope: str) -> str:
    """What kind of trouble an incident is, and the segment it is limited to.

    >>> from jobs.language import speaking
    >>> scope_name("behaviour:country=FR")
    "the model's behaviour for country=FR"
    >>> with speaking("zh"):
    ...     scope_name("behaviour:country=FR")
    'country=FR：模型行为'
    """
    kind, _, where = scope.partition(":")
    told = say(SCOPES.get(kind, kind), context="scope")
    return say("{told} for {segment}", told=told, segment=where) if where else told


@cache
def _rule(rule: str, language: str) -> str:
    from reports.words import WORDS, word

    if rule in WORDS:
        return word(rule).name
    known = say(rule, context="rule")
    return known if known != rule else _matched(rule, RULES, "rule", lambda part: _rule(part, language))


@cache
def _retold(reason: str, language: str) -> str:
    known = say(reason)
    if known == reason:
        known = _matched(reason, REASONS, "", lambda part: _retold(part, language))
    if known == reason and "; " in reason:
        return say("; ").join(_retold(part, language) for part in reason.split("; "))
    return known


def _matched(text: str, sentences: tuple[str, ...], context: str, part: Callable[[str], str]) -> str:
    """The first of the sentences that the text is, its gaps spoken too; the text itself where it is none of them."""
    for sentence in sentences:
        if found := _pattern(sentence).fullmatch(text):
            return say(sentence, context=context, **{name: part(told) for name, told in found.groupdict().items()})
    return text


@cache
def _pattern(sentence: str) -> re.Pattern[str]:
    """A sentence's words as they are, anything in its gaps."""
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(sentence)), re.DOTALL)
