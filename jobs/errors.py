"""Every error Nightjar raises on purpose, in one small tree.

    NightjarError
    ├── SpecError        a spec cannot be used: file, line, key, what is possible
    ├── DataError        a delivered file cannot be accepted: path, column, reason
    ├── WarehouseError   a model's file cannot be opened, locked or written now
    ├── OrderError       a stage was asked for days that the stage before has not finished
    ├── UsageError       the command line or a DAG was asked for something impossible
    ├── RegistryError    the registry of models cannot be reached, or refuses what it is asked
    └── DeliveryError    a message or a trigger could not be handed over
        └── RecipientError   a mail was taken for some of its recipients and refused for others

The text of each is one sentence a person can act on: where, what was given, what is possible, what to do.
"""


class NightjarError(Exception):
    """Base of all errors that carry a sentence for a person; anything else is a defect of Nightjar."""


class SpecError(NightjarError):
    """A spec cannot be used."""


class DataError(NightjarError):
    """A delivered file cannot be accepted."""


class WarehouseError(NightjarError):
    """A model's file cannot be opened, locked or written now."""


class OrderError(NightjarError):
    """A stage was asked for days that the stage before it has not finished."""


class UsageError(NightjarError):
    """The caller asked for something impossible."""


class DeliveryError(NightjarError):
    """A message or a trigger could not be handed over."""


class RecipientError(DeliveryError):
    """A mail was taken for some of its recipients and refused for others; trying again would repeat it to the former.

    `answer` is what the ledger keeps.
    """

    def __init__(self, sentence: str, answer: str) -> None:
        super().__init__(sentence)
        self.answer = answer


class RegistryError(NightjarError):
    """The registry of models cannot be reached, or refuses what it is asked."""
