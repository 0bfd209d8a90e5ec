"""What holds of every vendor's tools at the border of a company: to be inherited, beside a case that is connected.

A vendor says which arguments its tools take, and where a record's id stands in them; what is tried with them stands
here and nowhere else. `tests/integrations/test_conformance.py` looks for the class in `test_<vendor>_border.py`.
"""

from __future__ import annotations

import json
import random
import re
import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from approvals.revealing import draw_password
from integrations.dispatch import call_tool, preview_tool
from integrations.errors import (
    IntegrationError,
    TargetRefused,
    ToolUnavailable,
    VendorDown,
    VendorGarbled,
    VendorThrottled,
    VendorTimeout,
)
from integrations.records import sent_records
from integrations.texts import REMOVED
from integrations.tools import AnyTool, Scope, registry
from junto.tenants.models import Company
from tests.integrations.rogue import Respond
from tests.wire import changed_records, changed_texts, changed_values, listening

CANARY = "CANARY-of-another-company"
SPILT = "Gr33n!Horse"
"""A password that somebody typed into a text at the vendor."""

SEED = 20261122
GENERATED = 150
"""Foreign ids for the tools of a vendor that look something up, and as many for those that do something."""

_NAMES_AN_ID = re.compile(r"(^|_)u?ids?$")


class BorderConformance:
    """No tool crosses the border of a company, whatever ids a model names and whatever the vendor answers."""

    slug: ClassVar[str]

    arguments: ClassVar[Mapping[str, Mapping[str, Any]]]
    """Every tool that touches a company's records, without its vendor. A word of `plant` stands for a record's id."""

    collections: ClassVar[Mapping[str, str]] = {}
    """For a `VendorTestCase`: the collections that records are looked up in, and the field of each that names the
    company. They are the words. Whoever leaves it empty says by `plant`, `own` and `astray` how it is there."""

    common: ClassVar[frozenset[str]] = frozenset()
    """Arguments with an id of what all companies share, as a board or a product is."""

    makes: ClassVar[frozenset[str]] = frozenset()
    """Tools that make something new of our own company's and are told no record."""

    names_new: ClassVar[frozenset[str]] = frozenset()
    """Tools that are told the name of what they make, so that no record is looked up by it."""

    silent: ClassVar[frozenset[str]] = frozenset()
    """Tools that look up, and whose answer for the other company would not hold the canary either."""

    def plant(self, *, times: int = 1) -> Mapping[str, list[Any]]:
        """Records of other companies with the canary in what is told of them, about so many; their ids by word."""
        kessler = self.there(self.companies, self.kessler.name)["id"]
        for name, field in self.collections.items():
            self.sandbox.put_in_many(self.slug, name, [{"name": CANARY, field: kessler} for _ in range(times)])
        held = {name: self.held(name) for name in self.collections}
        return {name: [one["id"] for one in rows if one["name"] == CANARY] for name, rows in held.items()}

    def own(self) -> Mapping[str, Any]:
        """A record of Harbor's for each word."""
        harbor = self.there(self.companies, self.harbor.name)["id"]
        return {
            name: next(one["id"] for one in self.held(name) if one[field] == harbor)
            for name, field in self.collections.items()
        }

    def astray(self) -> Respond:
        """A server between us and the vendor that answers whatever is asked with records of Kessler's."""
        kessler = self.there(self.companies, self.kessler.name)["id"]
        fields = set(self.collections.values())

        def kesslers(record: dict[str, Any]) -> dict[str, Any]:
            return {"name": CANARY, **{one: kessler for one in fields if one in record}} if fields & set(record) else {}

        return listening(self.sandbox.port, [], change=changed_records(kesslers))

    def unlinked(self) -> Company:
        """A company of Northwind's that is not linked at this vendor."""
        found: Company = self.linked("252")
        return found

    def test_every_tool_that_touches_a_companys_records_is_tried_here(self) -> None:
        ours = [tool for tool in registry if tool.vendor == self.slug]
        assert {self.short(tool) for tool in ours if tool.scope is not Scope.FREE} == set(self.arguments)
        assert self.makes | self.silent <= set(self.arguments)

    def test_every_argument_that_names_a_record_is_given_a_foreign_one(self) -> None:
        foreign = self.plant()
        for name, given in self.arguments.items():
            named = {one for one in self.tool(name).arguments.model_fields if _NAMES_AN_ID.search(one)}
            assert named - self.common <= set(self.words(given, foreign)), name
            assert name not in self.makes or not self.words(given, foreign), name

    def test_no_tool_finds_or_changes_anything_of_another_company(self) -> None:
        foreign, own = self.plant(), self.own()
        for name in self.attempted():
            for at in range(2):
                ids = {**own, **{word: found[at % len(found)] for word, found in foreign.items()}}
                if not self.tool(name).is_write:
                    self.keeps_out(name, self.filled(name, ids, without=foreign))
                self.refuses(name, self.filled(name, ids), foreign)
        assert self.acted() == []

    def test_one_foreign_record_among_our_own_is_enough(self) -> None:
        foreign, own = self.plant(), self.own()
        for name in self.naming(foreign):
            for word in self.words(self.arguments[name], foreign).values():
                self.refuses(name, self.filled(name, {**own, word: foreign[word][0]}), {word: foreign[word]})
        assert self.acted() == []

    def test_a_foreign_record_and_one_that_is_not_there_are_refused_alike(self) -> None:
        foreign, own, chance = self.plant(), self.own(), random.Random(SEED)
        for name in self.naming(foreign):
            for previewed in {False, self.tool(name).preview is not None}:
                words = []
                for invented in (False, True):
                    ids = {w: made_up(found[0], chance) if invented else found[0] for w, found in foreign.items()}
                    told, _ = self.attempt(name, self.filled(name, {**own, **ids}), previewed=previewed)
                    for number in sorted(map(str, ids.values()), key=len, reverse=True):
                        told = told.replace(number, "N")
                    words.append(told)
                assert words[0] == words[1], name

    def test_the_other_company_itself_reaches_its_records(self) -> None:
        """Or else what is tried here would prove nothing."""
        foreign, own = self.plant(), self.own()
        ids = {**own, **{word: found[0] for word, found in foreign.items()}}
        told: dict[str, str] = {}
        for name in (one for one in self.attempted() if not self.tool(one).is_write):
            ways = (self.filled(name, ids), self.filled(name, ids, without=foreign))
            told[name] = " ".join(self.attempt(name, arguments, company=self.kessler)[0] for arguments in ways)
        assert {name for name, words in told.items() if CANARY not in words} == self.silent, told

    def test_nothing_comes_through_though_the_vendor_answered_for_another_company(self) -> None:
        """With our own ids and with foreign ones: whatever comes is of the other company, and says so."""
        foreign, own = self.plant(), self.own()
        with self.detour(self.astray()):
            for name in self.attempted():
                for ids in (own, {**own, **{word: found[0] for word, found in foreign.items()}}):
                    for previewed in (False, True):
                        told = self.keeps_out(name, self.filled(name, ids), previewed=previewed)
                        assert self.kessler.name not in told, name
        assert self.acted() == []

    def test_a_record_that_bears_another_id_than_the_one_asked_for_is_refused(self) -> None:
        """Though it is the company's: what would be done or told is of a record that nobody named."""
        own, chance = self.own(), random.Random(SEED)
        for word, number in own.items():
            other = made_up(number, chance)
            with self.detour(listening(self.sandbox.port, [], change=changed_values(swapping(number, other)))):
                for name in sorted(set(self.naming({word: number})) - self.makes - self.names_new):
                    named = self.words(self.arguments[name], {word: number})
                    if not any(self.tool(name).arguments.model_fields[one].is_required() for one in named):
                        continue
                    for previewed in {False, self.tool(name).preview is not None}:
                        told, error = self.attempt(name, self.filled(name, own), previewed=previewed)
                        refused = isinstance(error, TargetRefused | VendorGarbled)
                        nothing = not self.tool(name).is_write and str(other) not in told
                        assert refused or nothing, (name, previewed, told[:300])
        assert self.acted() == []

    def test_a_password_that_somebody_typed_into_a_text_comes_through_no_look_up(self) -> None:
        """Behind every word or two of whatever the vendor answers: names, notes, descriptions, what a script said."""
        own, looks = self.own(), [name for name in self.attempted() if not self.tool(name).is_write]
        plain = {name: self.keeps_out(name, self.filled(name, own)) for name in looks}
        with self.detour(listening(self.sandbox.port, [], change=changed_texts(spilt))):
            told = {name: self.attempt(name, self.filled(name, own))[0] for name in looks}
        leaks = {
            name: words[max(words.index(SPILT) - 200, 0) :][:300] for name, words in told.items() if SPILT in words
        }
        assert not leaks, leaks
        assert {name for name, words in told.items() if words.count(REMOVED) > plain[name].count(REMOVED)}, told

    def test_a_company_without_a_link_and_a_rivals_company_have_no_tools(self) -> None:
        companies, ids = (self.unlinked(), self.quayside), self.own() | {w: f[0] for w, f in self.plant().items()}
        asked = len(self.sandbox.log())
        for company in companies:
            for name in self.arguments:
                for previewed in {False, self.tool(name).preview is not None}:
                    _, error = self.attempt(name, self.filled(name, ids), company=company, previewed=previewed)
                    assert isinstance(error, ToolUnavailable), (name, error)
        assert len(self.sandbox.log()) == asked

    def test_none_of_many_foreign_ids_gets_through_a_look_up(self) -> None:
        self.try_many(writes=False)

    def test_none_of_many_foreign_ids_gets_through_a_change(self) -> None:
        self.try_many(writes=True)

    def try_many(self, *, writes: bool) -> None:
        """Ids of planted records, of rivals' and of none, alone and among our own: `GENERATED` of them."""
        chance, foreign, own = random.Random(SEED + writes), self.plant(times=40), self.own()
        named = [name for name in self.naming(foreign) if self.tool(name).is_write is writes]
        for at in range(GENERATED if named else 0):
            name = named[at % len(named)]
            words = sorted(set(self.words(self.arguments[name], foreign).values()))
            strange = chance.sample(words, chance.randint(1, len(words)))
            ids = {word: self.drawn(foreign[word], chance) for word in strange}
            self.refuses(name, self.filled(name, {**own, **ids}), ids, previewed=writes and at % 3 == 0)
        assert self.acted() == []

    def drawn(self, found: list[Any], chance: random.Random) -> Any:
        """The id of a foreign record, or one of the same kind that nobody has."""
        return chance.choice(found) if chance.random() < 0.7 else made_up(chance.choice(found), chance)

    def refuses(
        self, name: str, arguments: dict[str, Any], foreign: Mapping[str, Any], *, previewed: bool | None = None
    ) -> None:
        """A foreign id is refused where a record has to be named or something would be done; where it only narrows a
        list, nothing of it is told."""
        tool = self.tool(name)
        words = self.words(self.arguments[name], foreign)
        must = tool.is_write or any(tool.arguments.model_fields[one].is_required() for one in words)
        for shown in {False, tool.preview is not None} if previewed is None else {previewed}:
            told, error = self.attempt(name, arguments, previewed=shown)
            assert CANARY not in told, (name, arguments)
            assert not (must and words) or isinstance(error, TargetRefused), (name, arguments, told[:300])

    def keeps_out(self, name: str, arguments: dict[str, Any], *, previewed: bool = False) -> str:
        """What is told, with nothing of the other company's in it, and not for want of an answer."""
        told, error = self.attempt(name, arguments, previewed=previewed)
        assert CANARY not in told, (name, arguments)
        assert not isinstance(error, VendorDown | VendorTimeout | VendorThrottled), (name, told)
        return told

    def attempt(
        self, name: str, arguments: dict[str, Any], *, company: Company | None = None, previewed: bool = False
    ) -> tuple[str, IntegrationError | None]:
        """Everything that came back; of a refusal its words, but for what was asked."""
        tool = self.tool(name)
        where = {"organization": self.northwind, "company": company or self.harbor}
        self.hurry()
        try:
            if previewed and tool.preview is not None:
                return str(preview_tool(tool=tool, arguments=arguments, **where)), None
            warrant = self.warrant(tool.name, arguments) if tool.is_write else None
            drawn = draw_password() if tool.draws_secret else ""
            result = call_tool(tool=tool, arguments=arguments, warrant=warrant, drawn_secret=drawn, **where)
        except IntegrationError as error:
            told = str(error)
            for value in filter(lambda one: one == CANARY, arguments.values()):
                told = told.replace(value, "")
            return told, error
        shown = [result.content, result.summary, result.secret, sent_records(result.records)]
        return json.dumps(shown, ensure_ascii=False), None

    def attempted(self) -> list[str]:
        """The tools that could show or change something that is there already."""
        return sorted(set(self.arguments) - self.makes)

    def naming(self, foreign: Mapping[str, Any]) -> list[str]:
        """The tools that a record is named to."""
        return sorted(name for name, given in self.arguments.items() if self.words(given, foreign))

    def words(self, given: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, str]:
        """Those arguments that a word stands in, and the word."""
        inner = {key: value[0] if isinstance(value, list) and value else value for key, value in given.items()}
        return {key: value for key, value in inner.items() if isinstance(value, str) and value in known}

    def filled(
        self, name: str, ids: Mapping[str, Any], *, without: Mapping[str, Any] = MappingProxyType({})
    ) -> dict[str, Any]:
        """The arguments with ids in place of the words; `without` = those of these words left out that may be."""
        fields = self.tool(name).arguments.model_fields
        left = {key for key in self.words(self.arguments[name], without) if not fields[key].is_required()}

        def inserted(value: Any) -> Any:
            if isinstance(value, list):
                return [inserted(one) for one in value]
            return ids.get(value, value) if isinstance(value, str) else value

        return {key: inserted(value) for key, value in self.arguments[name].items() if key not in left}

    def tool(self, name: str) -> AnyTool:
        """A tool of this vendor's."""
        return registry.get(f"{self.slug}.{name}")

    def short(self, tool: AnyTool) -> str:
        """Its name without the vendor."""
        return tool.name.partition(".")[2]


def swapping(asked: Any, given: Any) -> Callable[[Any], Any]:
    """Makes one id another, as a number or as text."""
    return lambda value: type(value)(given) if isinstance(value, str | int) and str(value) == str(asked) else value


def spilt(text: str) -> str:
    """What a person wrote, with a password behind it."""
    return f"{text}\n\nPassword: {SPILT}" if re.search(r"[^\W\d] +[^\W\d]", text) else text


def made_up(like: Any, chance: random.Random) -> Any:
    """An id that no record has, of the same shape."""
    if isinstance(like, int):
        return chance.randrange(10**8, 2**31)
    if "@" in like:
        return f"u{chance.getrandbits(48):x}@{like.partition('@')[2]}"
    try:
        uuid.UUID(like)
    except ValueError:
        return f"{chance.getrandbits(64):x}"
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
