"""From an answer on the wire to JSON, or to a named error with the vendor's own words and none of our secrets."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urljoin, urlsplit

from pydantic import JsonValue

from integrations.errors import (
    VendorDown,
    VendorError,
    VendorForbidden,
    VendorGarbled,
    VendorNotFound,
    VendorRefused,
    VendorThrottled,
    VendorUnauthorized,
)
from integrations.texts import redacted

_EXCERPT = 300
_LOOKED_THROUGH = 2_000
_LINK = re.compile(r"<([^>]*)>((?:\s*;\s*[a-zA-Z*]+\s*=\s*(?:\"[^\"]*\"|[^\s;,]*))*)")
_NEXT = re.compile(r";\s*rel\s*=\s*\"?next\"?\s*(?:;|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer with a 2xx status and JSON in it; an empty one holds None."""

    status: int
    content: JsonValue
    headers: Mapping[str, str] = field(repr=False)
    url: str = field(repr=False)

    def next_query(self) -> list[tuple[str, str]] | None:
        """The query of the next page, if there is one.

        Raises:
            VendorGarbled: the link leads to another place than this answer came from (T4).
        """
        for address, details in _LINK.findall(self.headers.get("link", "")):
            if _NEXT.search(details):
                here, there = urlsplit(self.url), urlsplit(urljoin(self.url, address))
                if (there.scheme, there.netloc, there.path) != (here.scheme, here.netloc, here.path):
                    raise VendorGarbled("The link to the next page leads to another address.", sent=True)
                return parse_qsl(there.query, keep_blank_values=True)
        return None


class AnswerReader:
    """Reads the answers of one vendor.

    `explain` draws the vendor's own words out of an error's JSON. `secrets` never appear in an error: whatever echoes
    them is cut out.
    """

    def __init__(self, *, label: str, secrets: Collection[str], explain: Callable[[JsonValue], str]) -> None:
        self._label = label
        self._secrets = [one for one in secrets if one]
        self._explain = explain

    def hide(self, secret: str) -> None:
        """Cut this out of errors, too, from here on."""
        if secret not in self._secrets:
            self._secrets.append(secret)

    def understood(self, *, url: str, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer, when its status is 2xx and it holds JSON, or says itself that it is empty; else raises the
        VendorError it means. One that was cut off in its headers is empty, too, and is no answer.
        """
        lower = {name.lower(): value for name, value in headers.items()}
        if 300 <= status < 400:
            raise VendorGarbled(
                f"{self._label} answered with a redirect, which is not followed: check the address.", sent=True
            )
        if 200 <= status < 300 and not body and _is_empty(status, lower):
            return Answer(status, None, lower, url)
        try:
            content: JsonValue = json.loads(body)
        except (ValueError, RecursionError):
            content = None
            if 200 <= status < 300:
                what = "a web page" if body.lstrip()[:1] == b"<" else "something that is no JSON"
                raise VendorGarbled(
                    f"{self._label} answered with {what}: check the address, or it is out of service.", sent=True
                ) from None
        if 200 <= status < 300:
            return Answer(status, content, lower, url)
        raise self._refusal(status, lower, self._told(content))

    def _told(self, content: JsonValue) -> str:
        """The vendor's own words: one line, short, without our secrets and what looks like a password."""
        words = " ".join(self._explain(content).split())
        for secret in self._secrets:
            words = words.replace(secret, "[removed]")
        return redacted(words[:_LOOKED_THROUGH])[:_EXCERPT]

    def _refusal(self, status: int, headers: Mapping[str, str], told: str) -> VendorError:
        said = f" It said: {told}" if told else ""
        label = self._label
        if status == 401:
            return VendorUnauthorized(f"{label} does not accept the credentials.{said}", sent=True, status=status)
        if status == 403:
            return VendorForbidden(
                f"{label} accepts the credentials, but they have no right to this.{said}", sent=True, status=status
            )
        if status == 404:
            return VendorNotFound(f"{label} has no such record or address.{said}", sent=True, status=status)
        if status == 429:
            seconds = _retry_after(headers.get("retry-after", ""))
            return VendorThrottled(
                f"{label} asks us to slow down{f' for {seconds:.0f} s' if seconds else ''}.{said}",
                sent=True,
                status=status,
                retry_after=seconds,
            )
        if 400 <= status < 500:
            return VendorRefused(f"{label} refused this ({status}).{said}", sent=True, status=status)
        return VendorDown(
            f"{label} failed with an error of its own ({status}).{said}",
            sent=True,
            status=status,
            retry_after=_retry_after(headers.get("retry-after", "")),
        )


def _is_empty(status: int, headers: Mapping[str, str]) -> bool:
    """Whether the answer itself tells that nothing follows its headers (RFC 9110, 6.4.1 and 8.6)."""
    return status in (204, 205) or headers.get("content-length", "").strip() == "0"


def _retry_after(text: str) -> float | None:
    """Seconds from now, as a Retry-After header says in either of its forms; None where it says nothing usable."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
