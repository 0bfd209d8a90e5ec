"""What a ticket is typed as in the PSA: the type, then a subtype of that type, then an item, from the board's lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Final

from pydantic import Field, JsonValue

from integrations.contracts import Choice
from signals.processors.base import (
    Abstained,
    Change,
    Guess,
    Guesser,
    Lists,
    LiveLists,
    ModelOptions,
    Outcome,
    Phase,
    Processor,
    Step,
    TicketFacts,
    Value,
    Workbench,
    WriteBackOptions,
    surest,
)
from signals.processors.model import ModelGuesser
from signals.processors.steps import entry, going_with, named, path_of

STEPS: Final = ("type", "subtype", "item")


class TicketType(Value):
    """Names of the board's lists; a subtype or an item may be missing."""

    type: str = Field(title="Type", min_length=1, max_length=80)
    subtype: str = Field("", title="Subtype", max_length=80)
    item: str = Field("", title="Item", max_length=80)

    def parts(self) -> tuple[str, str, str]:
        """Type, subtype and item."""
        return self.type, self.subtype, self.item

    def words(self) -> str:
        """The path."""
        return path_of(self.parts())

    def key(self) -> str:
        """The path, capitals aside."""
        return self.words().casefold()[:300]


class TicketTypeOptions(WriteBackOptions, ModelOptions):
    """How sure it must be, and what it keeps its hands off."""

    confidence: float = Field(
        0.70, ge=0, le=1, title="Confidence", description="Below this nothing is said, and the ticket waits for review."
    )
    reclassify: float = Field(
        0.85, ge=0, le=1, title="Confidence to reclassify", description="A type that a ticket has takes more to change."
    )
    excluded: tuple[str, ...] = Field((), title="Excluded types", description="Never given.", max_length=500)
    locked: tuple[str, ...] = Field(
        (), title="Locked types", description="A ticket that has one keeps it.", max_length=500
    )


class TicketTypeProcessor(Processor[TicketType, TicketTypeOptions]):
    """Rules, then what was learned from closed tickets and corrections: for the type, and again below it."""

    slug: ClassVar = "ticket_type"
    label: ClassVar = "Ticket type"
    description: ClassVar = "Gives a ticket its type, subtype and item, from the lists of its board in the PSA."
    phase: ClassVar = Phase.ENRICHMENT
    on_by_default: ClassVar = False
    decisive: ClassVar = True
    takes_rules: ClassVar = True
    learns: ClassVar = True
    steps: ClassVar = STEPS
    lists: ClassVar = Lists.TYPES
    writes: ClassVar = ("classify_ticket",)
    fields: ClassVar = STEPS
    names_of_list: ClassVar = ("excluded", "locked")
    thresholds: ClassVar = ("confidence", "reclassify")
    value_type = TicketType
    options_type = TicketTypeOptions

    def run(
        self, facts: TicketFacts, options: TicketTypeOptions, bench: Workbench
    ) -> Outcome[TicketType] | Abstained[TicketType]:
        """As far down as it is sure of the whole path; each step is asked only of what goes with the one above."""
        lists = bench.lists or LiveLists()
        if not lists.types:
            return Abstained(reason="The ticket’s board has no types to choose from.")
        if _among(facts.type, options.locked):
            return Abstained(reason=f"The type {facts.type} is locked: such tickets keep it.")
        held = _held(facts, bench)
        chain: list[Choice] = []
        guesses: list[Guess] = []
        sureness = 1.0
        for place, name in enumerate(STEPS):
            allowed = going_with(_of_step(lists, name), chain)
            if name == "type":
                allowed = [each for each in allowed if not _among(each.name, options.excluded)]
            chosen = [each.name for each in chain]
            step = Step(name=name, allowed=[each.name for each in allowed], chosen=chosen)
            guess, sure = surest(
                _producers(bench, step),
                facts,
                options.confidence / sureness,
                # below another type than the ticket's nothing stands
                standing=held[place] if held[:place] == [each.casefold() for each in chosen] else "",
                change=options.reclassify / sureness,
            )
            choice = named(allowed, guess.label) if guess else None
            if guess is None or choice is None:
                break
            if not sure:
                if not chain:
                    return self._unsure(facts, options, guess, choice)
                break
            chain.append(choice)
            guesses.append(guess)
            sureness *= guess.confidence
        if not chain:
            return Abstained(reason="No rule holds, and nothing was learned that fits the board’s types.")
        return _outcome(chain, guesses, sureness)

    def _unsure(
        self, facts: TicketFacts, options: TicketTypeOptions, guess: Guess, choice: Choice
    ) -> Abstained[TicketType]:
        """A person may look where the ticket has no type, or another than what is likely."""
        nearest = _outcome([choice], [guess], guess.confidence)
        if not facts.type:
            return Abstained(reason=f"Not sure enough (below {options.confidence:.2f}).", nearest=nearest)
        likely = guess.confidence >= options.confidence
        bar = max(options.confidence, options.reclassify)
        reason = f"Not sure enough to change {facts.type} (below {bar:.2f})."
        return Abstained(reason=reason, nearest=nearest if likely else None)

    def label_of(self, value: TicketType) -> str:
        """The path."""
        return value.words()

    def value_of_label(self, label: str) -> TicketType:
        """The parts of the path."""
        return TicketType.model_validate(dict(zip(STEPS, label.split(" > "), strict=False)))

    def label_of_types(self, type_name: str, subtype: str, item: str, priority: str) -> str:
        """The path that the ticket was closed with."""
        return path_of([type_name, subtype, item])

    def change(
        self, value: TicketType, facts: TicketFacts, lists: LiveLists, options: TicketTypeOptions
    ) -> Change | None:
        """Each part that is another than the ticket's; one that the lists do not have (any more) ends it."""
        arguments: dict[str, JsonValue] = {}
        expects: dict[str, str] = {}
        chain: list[Choice] = []
        for name, wanted, now in zip(STEPS, value.parts(), (facts.type, facts.subtype, facts.item), strict=True):
            choice = named(going_with(_of_step(lists, name), chain), wanted)
            if choice is None:
                break
            chain.append(choice)
            if arguments or wanted.casefold() != now.casefold():
                arguments[f"{name}_id"] = entry(choice)
                expects[name] = now
        return Change(tool=self.writes[0], arguments=arguments, expects=expects) if arguments else None

    def grantable(self, tool: str, lists: LiveLists, options: TicketTypeOptions) -> Mapping[str, Sequence[JsonValue]]:
        """All but the excluded types, and what goes with those that are left."""
        types = [each for each in lists.types if not _among(each.name, options.excluded)]
        left = {each.id for each in types}

        def fit(choices: Sequence[Choice]) -> list[JsonValue]:
            return [entry(each) for each in choices if not each.under or any(ids[0] in left for ids in each.under)]

        return {
            "type_id": [entry(each) for each in types],
            "subtype_id": fit(lists.subtypes),
            "item_id": fit(lists.items),
        }

    def choices(self, lists: LiveLists) -> Mapping[str, Sequence[str]]:
        """All names of each list; what goes together is asked when a value is kept."""
        return {step: [each.name for each in going_with_any(_of_step(lists, step))] for step in STEPS}

    def not_in(self, lists: LiveLists, value: TicketType) -> str:
        """The first part that its board does not have, or not below the one before."""
        chain: list[Choice] = []
        for step, name in zip(STEPS, value.parts(), strict=True):
            if not name:
                continue
            choice = named(going_with(_of_step(lists, step), chain), name)
            if choice is None or len(chain) < STEPS.index(step):
                below = f" below {path_of([each.name for each in chain])}" if chain else ""
                return f"The ticket’s board has no {step} {name}{below}."
            chain.append(choice)
        return ""


def why_excluded(label: str, options: TicketTypeOptions) -> str:
    """Why a rule that gives this path gives nothing; empty where its type is not excluded."""
    name = label.partition(" > ")[0].strip()
    return (
        f"“{name[:80]}” is among the excluded types, which are never given." if _among(name, options.excluded) else ""
    )


def _producers(bench: Workbench, step: Step) -> Sequence[Guesser]:
    """Who is asked for this step, cheapest first; nobody where there is nothing to choose."""
    if not step.allowed:
        return ()
    above = f" It is already said to be: {path_of(step.chosen)}." if step.chosen else ""
    task = f"Say which {step.name} this ticket has, of those listed.{above}"
    return [*bench.of_step(step), ModelGuesser(bench.model, task, lambda: step.allowed)]


def going_with_any(choices: Sequence[Choice]) -> list[Choice]:
    """Each name once."""
    return list({choice.name.casefold(): choice for choice in choices}.values())


def _of_step(lists: LiveLists, step: str) -> Sequence[Choice]:
    return {"type": lists.types, "subtype": lists.subtypes, "item": lists.items}[step]


def _held(facts: TicketFacts, bench: Workbench) -> list[str]:
    """What the ticket has, else what we last said of it; small letters."""
    said = bench.standing.parts() if isinstance(bench.standing, TicketType) else ("", "", "")
    parts = (facts.type, facts.subtype, facts.item) if facts.type else said
    return [part.casefold() for part in parts]


def _among(name: str, names: Collection[str]) -> bool:
    return bool(name) and name.casefold() in {each.casefold() for each in names}


def _outcome(chain: Sequence[Choice], guesses: Sequence[Guess], sureness: float) -> Outcome[TicketType]:
    """The path so far; said to be by whoever answered last."""
    last = guesses[-1]
    return Outcome(
        value=TicketType.model_validate({step: each.name for step, each in zip(STEPS, chain, strict=False)}),
        confidence=sureness,
        reason=" ".join(dict.fromkeys(each.reason for each in guesses)),
        producer=last.producer,
        model=last.model,
        microcents=sum(each.microcents for each in guesses),
    )
