"""The texts of the template library: each can be read, and mentions only tools that exist or are listed here."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from integrations.tools import registry
from junto.retrieval.documents import Document
from junto.retrieval.index import DocumentIndex, Query
from runbooks.document import parse, undeclared_inputs
from runbooks.grants import argument_problems, compile_grants
from runbooks.models import Runbook
from runbooks.templates import Template, missing_tools, template, templates
from tests.factories import ConnectionFactory
from tests.runbooks.cases import RunbookCase
from tests.runbooks.tickets import TICKETS

#: Templates that stay drafts, with the tools that Junto does not have yet. A tool that comes to be leaves this list.
DRAFTS: dict[str, str] = {}

everyone = pytest.mark.parametrize("each", templates().values(), ids=templates())


def named(words: str) -> set[str]:
    """`vendor: verb_noun verb_noun; vendor: ...` as names of tools."""
    systems = (system.split(":") for system in words.split(";"))
    return {f"{vendor.strip()}.{tool}" for vendor, tools in systems for tool in tools.split()}


def test_the_library_holds_thirty_for_every_audience_and_most_categories() -> None:
    found = [each.content for each in templates().values()]
    assert len(found) == 30
    audiences = Counter(content.audience for content in found)
    assert all(audiences[audience] >= 4 for audience in Runbook.Audience.values), audiences
    assert {content.category for content in found} == set(Runbook.Category.values)
    assert len({content.title for content in found}) == len({each.file.key for each in templates().values()}) == 30


def test_the_tools_that_keep_templates_drafts_are_exactly_these() -> None:
    missing = {name: set(missing_tools(each)) for name, each in templates().items()}
    assert {name: tools for name, tools in missing.items() if tools} == {
        name: named(words) for name, words in DRAFTS.items()
    }


@everyone
def test_a_template_can_be_read_and_its_key_is_its_files_name(each: Template) -> None:
    document = parse(each.content.body)
    declared = {declaration.name for declaration in each.content.declarations}
    assert not document.problems
    assert not undeclared_inputs(document, declared)
    assert each.file.key == f"library-{each.name}"
    assert not each.file.company
    assert each.content.description
    assert len(each.content.tags) >= 6
    assert len(document.steps) >= 5


@everyone
def test_no_step_is_cut_off_where_its_line_ends(each: Template) -> None:
    for step in parse(each.content.body).steps:
        assert not step.title.endswith("…"), step.title
        assert all(not option.endswith("…") for option in step.options), step.options


@everyone
def test_steps_are_called_by_the_numbers_that_people_read_and_answers_lead_to_them(each: Template) -> None:
    lines, document = each.content.body.split("\n"), parse(each.content.body)
    for step in document.steps:
        written = re.match(r"(\d+)\. |- \[ \] ", lines[step.line - 1])
        assert written is not None, step.title
        assert written[1] in (None, step.label), step.title
        for option in step.options:
            named = re.search(r"go to step (\d+)", option)
            assert (option in step.leads) == (named is not None or "stop here" in option), option
            assert (option in step.stops) == ("stop here" in option), option
            assert named is None or document.steps[step.leads[option] - 1].label == named[1], option


@pytest.mark.parametrize(("name", "day"), [("offboarding", "last_day"), ("new-user-onboarding", "start_date")])
def test_what_has_its_day_waits_for_a_person_to_say_that_it_has_come(name: str, day: str) -> None:
    steps = parse(template(name).content.body).steps
    asked = next(step for step in steps if step.kind == "decision" and f"input.{day}" in step.title)
    before = [mention.tool for step in steps if step.number < asked.number for mention in step.mentions]
    assert before
    assert not [tool for tool in before if registry.get(tool).is_write]
    assert [option for option in asked.options if option in asked.stops]


@everyone
def test_what_exists_takes_the_arguments_that_the_text_binds(each: Template) -> None:
    mentions = [mention for mention in parse(each.content.body).mentions if mention.tool not in missing_tools(each)]
    assert [problem for mention in mentions for problem in argument_problems(mention, registry.get(mention.tool))] == []


@everyone
def test_every_mention_of_an_unattended_template_is_bound_and_needs_nobody(each: Template) -> None:
    if each.content.audience != Runbook.Audience.AI:
        return
    document = parse(each.content.body)
    missing = missing_tools(each)
    compiled = compile_grants(document, lambda name: None if name in missing else registry.get(name))
    assert compiled.problems == ()
    assert compiled.asked == ()
    assert all(step.kind == "step" for step in document.steps)
    unbound = {mention.tool for mention in document.mentions if not mention.bound}
    assert unbound <= {"microsoft365.risky_users", "microsoft365.license_pool"}  # these take no arguments


def test_most_tickets_find_their_template_first_by_words_alone() -> None:
    names = list(templates())
    index = DocumentIndex.of({place: ranked(templates()[name]) for place, name in enumerate(names)})
    first, among_three, count = 0, 0, 0
    for wanted, subjects in TICKETS.items():
        for subject in subjects:
            found = [names[hit.place] for hit in index.rank(Query.of(subject), limit=3)]
            first += found[:1] == [wanted]
            among_three += wanted in found
            count += 1
    assert TICKETS.keys() == set(names)
    assert first / count >= 0.8, f"{first} of {count}"
    assert among_three / count >= 0.9, f"{among_three} of {count}"


def test_no_template_holds_the_subjects_that_it_is_tried_with() -> None:
    for wanted, subjects in TICKETS.items():
        text = templates()[wanted].text.casefold()
        assert [subject for subject in subjects if subject.casefold() in text] == []


def ranked(each: Template) -> Document:
    """What is ranked of a runbook that says what the template says."""
    return Document(each.content.title, "\n".join([each.content.description, each.content.body, *each.content.tags]))


class PublishingTests(RunbookCase):
    def test_every_template_whose_tools_exist_is_published_as_it_is(self) -> None:
        for vendor in ("itglue", "ninjaone", "pax8", "sophos", "microsoft365"):
            ConnectionFactory(organization=self.northwind, vendor=vendor, label=vendor)
        published = [
            self.published(**{name: getattr(each.content, name) for name in ("title", "body", "audience", "inputs")})
            for name, each in templates().items()
            if name not in DRAFTS
        ]
        assert len(published) == len(templates()) - len(DRAFTS) >= 15
        assert all(runbook.status == Runbook.Status.PUBLISHED for runbook in published)
