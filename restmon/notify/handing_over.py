"""The step after which a receiver may have a message: what senders and delivery agree on."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from restmon.errors import RestmonError


class NotSent(RestmonError):
    """A message that was not taken. ``is_final``: trying again does not help."""

    code = "not_sent"

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final


class MayHaveArrived(RestmonError):
    """A message that was handed over and got no answer."""

    code = "may_have_arrived"


@dataclass(frozen=True)
class HandOver:
    """What a sender is given: it calls ``begin`` directly before the step after which the receiver
    may have the message, and puts what can wait until the result is written down, such as a polite
    goodbye, into ``after``. ``begin`` commits, and raises LeaseLost if somebody else holds the
    message by now: then nothing must be sent."""

    begin: Callable[[], None]
    after: ExitStack
