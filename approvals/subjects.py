"""What the floor above knows of the signal that a request stands on, where an approval rests on that as well.

Approvals know nothing of tickets and alerts. As tools are put into their registry when the process starts, so are the
few looks at a subject by which a tool's target is more than what its own system tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from integrations.tools import AnyTool, Preview
from junto.tenants.models import Organization


@dataclass(frozen=True)
class Known:
    """What is known of a subject now: `state` joins `Preview.target_state`, `evidence` its sentences on the card."""

    state: Mapping[str, JsonValue] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()

    def beside(self, target_state: JsonValue) -> JsonValue:
        """A target's state with what is known of the subject."""
        return {**target_state, **self.state} if isinstance(target_state, Mapping) else target_state

    def told_on(self, preview: Preview) -> Preview:
        """A preview with what is known of the subject."""
        evidence = (*preview.evidence, *self.evidence)
        return replace(preview, target_state=self.beside(preview.target_state), evidence=evidence)


#: Takes the organization and `Origin.subject`; raises TargetRefused where nothing may be done on that subject.
Look = Callable[[Organization, str], Known]

_looks: dict[str, Look] = {}


def rests_on(*tools: str) -> Callable[[Look], Look]:
    """Declare what calls of these tools rest on beside their own target."""

    def declare(look: Look) -> Look:
        _looks.update(dict.fromkeys(tools, look))
        return look

    return declare


def known_of(tool: AnyTool, organization: Organization, subject: str) -> Known:
    """What a call of `tool` on this subject rests on; nothing for nearly all tools. Raises TargetRefused."""
    look = _looks.get(tool.name)
    return look(organization, subject) if look else Known()
