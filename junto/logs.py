"""The server's log: one JSON object a line, from our own code and from the libraries we stand on alike."""

from __future__ import annotations

from logging import LogRecord
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
)


def _failed_page(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Name a failed request by its route and the number its page showed.

    The path itself stays out: the one of an invitation holds its secret.
    """
    record: LogRecord | None = event.get("_record")
    request = getattr(record, "request", None)
    if request is not None:
        match = getattr(request, "resolver_match", None)
        event["event"] = "request failed"
        event["status"] = getattr(record, "status_code", None)
        event["route"] = f"{getattr(request, 'method', '')} {match.route if match else '(none)'}"
        event["fault"] = getattr(request, "fault", None)
    return event


def configure() -> None:
    """How our own modules log."""
    structlog.configure(
        processors=[*_SHARED, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(),
    )


#: Django's LOGGING. Refused requests (4xx) are no faults; failed ones are, each with its traceback.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": [*_SHARED, _failed_page],
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        }
    },
    "handlers": {
        "log": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json", "level": "WARNING"}
    },
    "root": {"handlers": ["log"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.request": {"level": "ERROR"},
        "django.channels": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        "mcp.client": {"level": "CRITICAL"},  # what a stranger's server says of itself is told where it is asked
    },
}
