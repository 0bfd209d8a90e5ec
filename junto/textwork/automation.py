"""How much of the work a ticket asks for the connected systems' tools could do: 0 to 100, why, and what is missing.

jobs.toml says which kinds of work there are. It is about what could be done, not about what may be done: that is for
policies and people.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

from junto.textwork.entities import Entity, Kind
from junto.textwork.names import names
from junto.textwork.reading import Reading
from junto.textwork.vocabulary import pattern_of

_JOBS: Final = Path(__file__).with_name("jobs.toml")

#: The tools there are: by the slug of their system, their names ("reset_password" or "microsoft365.reset_password").
Tools = Mapping[str, Collection[str]]


class Potential(StrEnum):
    """Bands, of a score: from 25, 50 and 75."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True)
class Automation:
    """`jobs` = what is to be done, and `limits` = why it is not more, in words.

    `matched` and `missing` = the systems, by slug, that have the tools, and that would have them if connected.
    """

    score: int
    band: Potential
    jobs: tuple[str, ...]
    matched: tuple[str, ...]
    missing: tuple[str, ...]
    limits: tuple[str, ...]
    confidence: float


@dataclass(frozen=True)
class _Job:
    title: str
    share: int
    needs: Mapping[str, Sequence[str]]
    names: Sequence[Kind]
    words: re.Pattern[str]


@dataclass(frozen=True)
class _Limit:
    reason: str
    most: int
    words: re.Pattern[str]


#: What is left of a job's share, of 1, when a name that it needs is missing: somebody has to ask first.
_NAME_MISSING: Final = 0.75
#: What is left of it when its system is not connected, of 1.
_SYSTEM_MISSING: Final = 0.2
#: The score of a ticket that asks for no work we know: the ticket itself can be kept up to date.
_NOTHING_KNOWN: Final = 10
#: The score of one about an application that no connected system reaches.
_OUT_OF_REACH: Final = 20
_ASKED_FOR: Final = {
    Kind.PERSON: "The ticket does not name the person",
    Kind.DEVICE: "The ticket does not name the device",
    Kind.APPLICATION: "The ticket does not name the application",
}


def automation_potential(reading: Reading, entities: Sequence[Entity], tools: Tools) -> Automation:
    """What `tools` could do of it; `entities` are those that `find_entities` found in it."""
    jobs, limits, _ = _catalogue()
    asked = [job for job in jobs if job.words.search(reading.folded)]
    against = [limit for limit in limits if limit.words.search(reading.folded)]
    judged = sorted(((_share(job, entities, tools), job) for job in asked), key=lambda each: -each[0])
    best = judged[:2]
    score = best[0][0] if best else _NOTHING_KNOWN
    reasons = [reason for _, job in best[:1] for reason in _wanting(job, entities)]
    for limit in against:
        score = min(score, limit.most)
        reasons.append(limit.reason)
    if unreached := _unreached(entities):
        score = min(score, _OUT_OF_REACH)
        reasons.append(f"No connected system reaches {', '.join(unreached)}")
    if not asked:
        reasons.append("No work is recognized that a tool does")
    matched, missing = _systems([job for _, job in best], tools)
    reasons += [f"{system_name(system)} is not connected, or has no tool for it" for system in missing]
    return Automation(
        score=score,
        band=_band(score),
        jobs=tuple(job.title for _, job in best),
        matched=matched,
        missing=missing,
        limits=tuple(dict.fromkeys(reasons)),
        confidence=_confidence(reading, asked, against),
    )


def all_tools() -> Tools:
    """As if every system were connected and had a tool for each job: what automation could be at most."""
    jobs, _, _ = _catalogue()
    tools: dict[str, set[str]] = {}
    for job in jobs:
        for system, abilities in job.needs.items():
            tools.setdefault(system, set()).update(abilities)
    return tools


def system_name(slug: str) -> str:
    """What people call a system."""
    return _catalogue()[2].get(slug, slug)


def _share(job: _Job, entities: Sequence[Entity], tools: Tools) -> int:
    share = job.share * (_NAME_MISSING if _wanting(job, entities) else 1.0)
    if not any(_has(tools, system, abilities) for system, abilities in job.needs.items()):
        share *= _SYSTEM_MISSING
    return round(share)


def _has(tools: Tools, system: str, abilities: Sequence[str]) -> bool:
    return any(ability in name for name in tools.get(system, ()) for ability in abilities)


def _wanting(job: _Job, entities: Sequence[Entity]) -> list[str]:
    """What must be asked first: none of the names that would do stands in the ticket."""
    if not job.names or any(entity.kind in job.names for entity in entities):
        return []
    return [_ASKED_FOR[job.names[0]]]


def _unreached(entities: Sequence[Entity]) -> list[str]:
    """Applications that none of the systems we know reaches; none where it also names one that some do."""
    reach = names().reach
    applications = [entity.text for entity in entities if entity.kind is Kind.APPLICATION]
    outside = [name for name in applications if reach.get(name.casefold()) == "nobody"]
    return outside if len(outside) == len(applications) else []


def _systems(jobs: Sequence[_Job], tools: Tools) -> tuple[tuple[str, ...], tuple[str, ...]]:
    matched: dict[str, None] = {}
    missing: dict[str, None] = {}
    for job in jobs:
        able = [system for system, abilities in job.needs.items() if _has(tools, system, abilities)]
        matched |= dict.fromkeys(able)
        if not able:
            missing |= dict.fromkeys(job.needs)
    return tuple(matched), tuple(system for system in missing if system not in matched)


def _band(score: int) -> Potential:
    if score >= 75:
        return Potential.HIGH
    if score >= 50:
        return Potential.MEDIUM
    return Potential.LOW if score >= 25 else Potential.NONE


def _confidence(reading: Reading, asked: Sequence[_Job], against: Sequence[_Limit]) -> float:
    if not reading.folded.strip(" |"):
        return 0.0
    if not reading.language:
        return 0.4
    return 0.75 if asked or against else 0.6


@cache
def _catalogue() -> tuple[Sequence[_Job], Sequence[_Limit], Mapping[str, str]]:
    """The kinds of work, what stands against them, and what the systems are called."""
    with _JOBS.open("rb") as file:
        lists: dict[str, Any] = tomllib.load(file)
    jobs = [
        _Job(
            title=row["title"],
            share=row["share"],
            needs=row["needs"],
            names=[Kind(name) for name in row["names"]],
            words=pattern_of(row["words"]),
        )
        for row in lists["job"]
    ]
    limits = [_Limit(row["reason"], row["most"], pattern_of(row["words"])) for row in lists["limit"]]
    return jobs, limits, lists["systems"]
