"""What a spec says of actions and of the shipped retraining: guard rails, and who carries them out."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from jobs.spec.notation import EnvironmentName, Fraction, Strict


class ActionPolicy(Strict):
    """Guard rails of one action, and who carries it out."""

    cooldown_days: int = Field(14, ge=0)
    """Days after it in which it is not asked for again."""
    min_labels: int = Field(500, ge=0)
    """Labels known in the last 28 days that it needs."""
    open_days: int = Field(28, ge=0)
    """Days for which a request counts as open while its incident lasts; one may be open at a time."""
    approval: bool = False
    """Whether a person must approve: in Airflow's own page, or with `nightjar approve`."""
    dry_run: bool = False
    """Decided and written down, and nothing is started."""
    dag: str | None = None
    """Airflow: the DAG that is started with the payload; of retrain, absent: `retrain`."""
    webhook: EnvironmentName | None = None
    """`${NAME}`: the environment variable with the URL that gets the payload, where no DAG is started."""
    command: tuple[str, ...] | None = None
    """Program and arguments that get the payload on standard input, where no DAG is started."""

    @model_validator(mode="after")
    def _one_consumer(self) -> Self:
        given = [name for name in ("dag", "webhook", "command") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"needs at most one of dag, webhook, command; given: {' and '.join(given)}")
        if self.command is not None and not self.command:
            raise ValueError("command is an empty list; name the program, or leave the key out")
        return self

    @property
    def consumer(self) -> str | None:
        """Which of dag, webhook and command carries it out; None where the spec names nobody."""
        return next((name for name in ("dag", "webhook", "command") if getattr(self, name) is not None), None)


class FallbackPolicy(ActionPolicy):
    """Guard rails of switching to the rule engine."""

    cooldown_days: int = Field(7, ge=0)
    """Days after it in which it is not asked for again."""
    min_labels: int = Field(100, ge=0)
    """Labels known in the last 28 days that it needs."""


class RollbackPolicy(ActionPolicy):
    """Guard rails of going back to the previous version."""

    min_labels: int = Field(0, ge=0)
    """Labels known in the last 28 days that it needs."""


class Actions(Strict):
    """What may be asked for, and its guard rails."""

    retrain: ActionPolicy = ActionPolicy()
    fallback: FallbackPolicy = FallbackPolicy()
    rollback: RollbackPolicy = RollbackPolicy()


class Retraining(Strict):
    """How a candidate is trained, what it must show before it becomes champion, and how long it is watched then."""

    label_age: Annotated[int, Field(ge=0, le=730)] | None = None
    """Days after which a day's labels count as complete; younger days are not learned from. Absent: the last of the
    label ages, because early labels are a biased sample."""
    later_share: float = Field(0.2, gt=0, le=0.5)
    """The newest whole days with at least this share of the rows are kept for the comparison."""
    metrics: tuple[Literal["accuracy", "recall", "roc_auc"], ...] = ("accuracy", "recall", "roc_auc")
    """In these the candidate must not be worse than the champion beyond chance."""
    guarded: tuple[str, ...] | None = None
    """Segments in none of whose values it may be worse; absent: all segments, and the pairs of `crossed`."""
    min_segment: int = Field(200, ge=20)
    """Rows of a segment's value to be judged by itself; smaller ones are judged together."""
    max_loss: Fraction = 0.02
    """A loss of accuracy larger than this must be ruled out; with too few later rows for that, it is refused."""
    min_accuracy: Fraction | None = None
    """What the candidate must reach; absent: the bound of the rules `accuracy below`, where there is one."""
    threshold: float | None = None
    """Score from which the candidate decides positive; absent: `threshold` of the model, or, where the files carry
    decisions, the score that decides positive as often as the champion did on the later days."""
    max_missing_rise: Fraction = 0.1
    """A feature may be missing this much more often than in the reference, as a share of all rows."""
    approval: bool = False
    """Whether a person must approve before the candidate becomes champion."""
    watch_nights: int = Field(7, ge=0, le=365)
    """Nights on which a new champion's figures are held against those of the version before it."""
