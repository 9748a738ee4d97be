"""What is worth a word in a spec that has no fault: somebody who would not be told, something nobody would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.spec.sense_rules import lacking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.spec.model import ModelSpec


def notes(spec: ModelSpec) -> Iterator[str]:
    """Sentences that begin with `note: `.

    >>> from jobs.spec.model import ModelSpec
    >>> for said in notes(ModelSpec(model="m", predictions={"path": "{day}.csv"}, channels={"warning": []})):
    ...     print(said)
    note: critical incidents go to nobody: mail.to is empty, and channels.critical has nothing but mail
    note: warning incidents go to nobody: channels.warning is empty
    """
    nobody = {severity: said for severity in ("critical", "warning") if (said := _nobody(spec, severity))}
    for severity, said in nobody.items():
        yield f"note: {severity} incidents go to nobody: {said}"
    for action in ("rollback", "fallback"):  # a retrain starts the shipped DAG wherever nothing else is said
        asking = [rule for rule in spec.all_rules if rule.action == action and not lacking(spec, rule.metric)]
        policy = getattr(spec.actions, action)
        if asking and policy.consumer is None and not policy.dry_run:
            yield (
                f"note: '{asking[0].name}' asks for a {action}, and nobody carries it out but a DAG that listens to "
                f"the asset nightjar://{spec.model}/{action}; name a dag, a webhook or a command in actions.{action}"
            )


def _nobody(spec: ModelSpec, severity: str) -> str:
    """Why nobody is told of incidents of this severity; empty where somebody is."""
    channels = getattr(spec.channels, severity)
    if not channels:
        return f"channels.{severity} is empty"
    only_mail = set(channels) == {"mail"} and not spec.mail.to
    return f"mail.to is empty, and channels.{severity} has nothing but mail" if only_mail else ""
