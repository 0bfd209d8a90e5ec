"""How anything that goes outside can fail. Every message is written for a person and holds no secret."""

from __future__ import annotations

from dataclasses import dataclass


class IntegrationError(Exception):
    """Base of every refusal and failure of this floor.

    For a write, each of them means that nothing was changed at the vendor, `OutcomeUnknown` alone excepted.
    """


class EgressRefused(IntegrationError):
    """Our own gate did not let the request out."""


class AddressRefused(EgressRefused):
    """The address is none that requests may go to, or could not be resolved (which counts as the same)."""


class WarrantRefused(EgressRefused):
    """A request that may change something had no warrant, or one that does not cover it."""


class ToolRefused(IntegrationError):
    """The call was not made: what it asks for is not allowed or makes no sense."""


class UnknownTool(ToolRefused):
    """No tool bears exactly this name."""


@dataclass(frozen=True, slots=True)
class ArgumentProblem:
    """What is wrong with one argument; `field` is empty where the arguments as a whole are meant."""

    field: str
    message: str


class InvalidArguments(ToolRefused):
    """The arguments do not fit the tool's schema."""

    def __init__(self, problems: tuple[ArgumentProblem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{one.field}: {one.message}" if one.field else one.message for one in problems))


class TargetRefused(ToolRefused):
    """A record named in the arguments is not there for this company (I7). Never says whose it is instead."""


class ToolUnavailable(ToolRefused):
    """The tool's system is not connected, is paused, or does not know this company."""


class NotConsented(ToolUnavailable):
    """The company has not let our app in at a vendor that is let in by each company itself."""


class NotACompany(ToolRefused):
    """What should be linked is no company there, or none that may be linked."""


class VendorError(IntegrationError):
    """The vendor did not do what it was asked.

    `sent` tells whether the request may have reached the vendor. For a read that matters to nobody; a write whose
    outcome is open is raised as `OutcomeUnknown` and as nothing else.
    """

    def __init__(
        self, message: str, *, sent: bool, status: int | None = None, retry_after: float | None = None
    ) -> None:
        self.sent = sent
        self.status = status
        self.retry_after = retry_after  # seconds
        super().__init__(message)


class VendorDown(VendorError):
    """Unreachable, or broke off, or answered 5xx."""


class VendorTimeout(VendorError):
    """Did not answer within the time there was."""


class VendorUnauthorized(VendorError):
    """401: the credentials are not, or no longer, accepted."""


class VendorForbidden(VendorError):
    """403: the credentials are good but have not this right."""


class VendorNotFound(VendorError):
    """404: no such record, or no such path."""


class VendorThrottled(VendorError):
    """429: too many requests; `retry_after` as far as the vendor said."""


class VendorRefused(VendorError):
    """Another definite no (400, 409, 412, 422): the message holds the vendor's own words."""


class VendorGarbled(VendorError):
    """Something answered, but not what the vendor's contract promises: HTML, broken JSON, too much, a redirect."""


class VendorTooMuch(VendorGarbled):
    """More came than is read at once. Another request may well fit."""


class OutcomeUnknown(VendorError):
    """A write left and no definite answer came back: it may have happened or not. Never repeated by itself (I17)."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message, sent=True, status=status)
