"""Reading a runbook's text: steps, decisions, mentions with their arguments, and problems with their lines."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runbooks.document import (
    Constant,
    FactReference,
    InputReference,
    Mention,
    RunbookDocument,
    parse,
    resolve,
    undeclared_inputs,
)
from runbooks.rendering import draw_document
from signals.facts import DeviceFacts, PersonFacts, SignalFacts

FACTS = SignalFacts(
    id="1",
    organization="Northwind MSP",
    vendor="connectwise",
    vendor_label="ConnectWise PSA",
    external_id="48213",
    subject="Locked out",
    description="",
    status="New",
    closed=False,
    priority="",
    priority_number=None,
    board_id="1",
    board="Service Desk",
    type="",
    subtype="",
    item="",
    assignee="",
    created_at=datetime(2026, 11, 20, tzinfo=UTC),
    updated_at=datetime(2026, 11, 20, tzinfo=UTC),
    revision=1,
    company_id="c",
    company="Harlow & Beck",
    company_external_ids={"connectwise": "250"},
    contact=PersonFacts(external_id="7", name="Dana", email="dana@harlow.example", phone="", title=""),
    device=None,
)


def only(text: str) -> Mention:
    """The one mention in a text."""
    [mention] = parse(text).mentions
    return mention


def lines(document: RunbookDocument) -> list[int]:
    return [problem.line for problem in document.problems]


class TestSteps:
    def test_items_of_numbered_lists_are_steps_with_their_text(self) -> None:
        document = parse("# Reset\n\nIntro.\n\n1. Look **here**.\n   More.\n2. Then there.\n")
        assert [(step.number, step.title, step.text, step.line) for step in document.steps] == [
            (1, "Look here.", "Look **here**.\nMore.", 5),
            (2, "Then there.", "Then there.", 7),
        ]

    def test_without_lists_every_section_is_a_step(self) -> None:
        document = parse("# Reset\n\n## 1. Look\n\nRead it.\n\n## 2. Act\n\nDo it.\n")
        assert [(step.title, step.text) for step in document.steps] == [("Look", "Read it."), ("Act", "Do it.")]

    def test_a_long_title_ends_with_a_whole_word(self) -> None:
        [step] = parse(f"1. {'Find the cause ' * 12}from there\n").steps
        assert step.title.endswith(("Find…", "the…", "cause…"))

    def test_checklists_are_steps(self) -> None:
        assert [step.title for step in parse("- [ ] Call back\n- [x] Check\n").steps] == ["Call back", "Check"]

    def test_a_section_that_mentions_a_tool_outside_the_list_is_a_step_too(self) -> None:
        document = parse("## Before\n\nRead @a.read.\n\n## Steps\n\n1. Do @b.write.\n")
        assert [step.title for step in document.steps] == ["Before", "Do @b.write."]

    def test_an_empty_step_is_a_problem_with_its_line(self) -> None:
        assert lines(parse("1. One\n2.\n3. Three\n")) == [2]
        assert lines(parse("## One\n\nText.\n\n## Two\n")) == [5]

    def test_a_text_without_steps_is_a_problem(self) -> None:
        assert lines(parse("")) == [1]


class TestNumbers:
    """A step is called what its readers see, and an answer leads to the step that they would go to."""

    def called(self, text: str) -> list[str]:
        document = parse(text)
        assert [step.number for step in document.steps] == list(range(1, len(document.steps) + 1))
        return [step.label for step in document.steps]

    def test_steps_are_called_by_the_numbers_of_their_lists(self) -> None:
        assert self.called("## A\n\n1. One\n1. Two\n\n## B\n\n3. Three\n4. Four\n") == ["1", "2", "3", "4"]
        assert self.called("1. One\n2. Two\n\n## Again\n\n1. Three\n") == ["1", "2", "1"]

    def test_what_has_no_number_takes_the_one_before_and_a_letter(self) -> None:
        decision = "> [!DECISION] So?\n> - Yes\n"
        inside = "1. One\n\n   > [!DECISION] So?\n   > - Yes\n\n   > [!DECISION] And?\n   > - Yes\n2. Two\n"
        assert self.called(inside) == ["1", "1a", "1b", "2"]
        assert self.called(f"{decision}\n1. One\n\n{decision}\n- [ ] Call\n\n2. Two\n") == ["a", "1", "1a", "1b", "2"]
        assert self.called("1. One\n2. > [!DECISION] So?\n   > - Yes\n3. Three\n") == ["1", "2", "3"]

    def test_headings_are_called_by_their_numbers_where_they_are_the_steps(self) -> None:
        text = "## 1. Look\n\nRead.\n\n> [!DECISION] So?\n> - Yes\n\n## Step 2: Act\n\nDo it.\n\n## After\n\nRest.\n"
        assert self.called(text) == ["1", "1a", "2", "2a"]
        assert [step.title for step in parse(text).steps] == ["Look", "So?", "Act", "After"]

    def test_steps_that_nobody_numbered_are_counted(self) -> None:
        assert self.called("- [ ] One\n- [ ] Two\n") == ["1", "2"]
        assert self.called("## One\n\nX\n\n> [!DECISION] So?\n> - Yes\n\n## Two\n\nX\n") == ["1", "2", "3"]

    def asked(self, *answers: str) -> RunbookDocument:
        """Steps 1, 1a (asks), 2, 3; line 4 is the first answer."""
        options = "".join(f"   > - {answer}\n" for answer in answers)
        return parse(f"1. Read\n\n   > [!DECISION] Are they who they say?\n{options}2. Tell\n3. Hang up\n")

    def test_an_answer_leads_to_the_step_that_readers_see(self) -> None:
        document = self.asked("Yes, go on", "No: go to step 3", "Else, continue with\n   >   Step 3", "Never → step 3")
        asking = document.steps[1]
        assert document.problems == ()
        assert [document.steps[place - 1].title for place in asking.leads.values()] == ["Hang up"] * 3
        assert asking.options[0] not in asking.leads

    def test_a_word_about_a_step_leads_nowhere(self) -> None:
        document = self.asked("Yes, as in step 3", "No (see step 99)", '@a.b(note="go to step 3")')
        assert (document.problems, document.steps[1].leads) == ((), {})

    def test_an_answer_that_leads_to_no_later_step_is_a_problem_on_its_line(self) -> None:
        document = self.asked("Go to step 99", "Go to step 1", "Go to step 1a", "Go to step 2, or go to step 3")
        assert lines(document) == [4, 5, 6, 7]
        words = [problem.message for problem in document.problems]
        for message, part in zip(words, ("there is none", "not behind it", "not behind it", "name one"), strict=True):
            assert part in message
        assert document.steps[1].leads == {}

    def test_an_answer_that_says_stop_here_leads_behind_the_last_step(self) -> None:
        document = self.asked("Yes", "No: **stop here** and tell the lead", "Stop\n   >   here")
        asking = document.steps[1]
        assert document.problems == ()
        assert asking.stops == set(asking.options[1:])
        assert asking.leads == dict.fromkeys(asking.options[1:], len(document.steps) + 1)

    def test_other_words_for_it_are_not_guessed(self) -> None:
        document = self.asked("Stop", "Escalate", "No: change nothing and end here", '@a.b(note="stop here")')
        assert (document.problems, document.steps[1].leads, document.steps[1].stops) == ((), {}, frozenset())

    def test_an_answer_that_says_both_or_not_to_stop_here_is_a_problem_on_its_line(self) -> None:
        document = self.asked("Stop here, or go to step 3", "Do not stop here", "Don't stop here")
        assert lines(document) == [4, 5, 6]
        assert ["name one" in each.message for each in document.problems] == [True, False, False]
        assert (document.steps[1].leads, document.steps[1].stops) == ({}, frozenset())

    def test_no_answer_leads_to_a_number_that_is_there_twice(self) -> None:
        document = parse("> [!DECISION] So?\n> - No: go to step 1\n\n## A\n\n1. One\n\n## B\n\n1. Two\n")
        [problem] = document.problems
        assert (problem.line, "number the steps through" in problem.message) == (2, True)


class TestDecisions:
    def test_options_stand_in_the_quote_or_behind_it(self) -> None:
        for text in ("> [!DECISION] Verified?\n> - Yes\n> - No\n", "> [!DECISION] Verified?\n\n- Yes\n- No\n"):
            [step] = parse(text).steps
            assert (step.kind, step.title, step.options) == ("decision", "Verified?", ("Yes", "No"))

    def test_a_decision_inside_a_step_follows_it(self) -> None:
        document = parse("1. Call.\n   > [!DECISION] Verified?\n   > - Yes\n2. Go on.\n")
        assert [(step.kind, step.title) for step in document.steps] == [
            ("step", "Call."),
            ("decision", "Verified?"),
            ("step", "Go on."),
        ]

    def test_a_decision_without_options_or_question_is_a_problem(self) -> None:
        assert lines(parse("> [!DECISION] Verified?\n")) == [1]
        assert lines(parse("> [!DECISION]\n> - Yes\n")) == [1]

    def test_an_unknown_callout_is_a_problem(self) -> None:
        assert lines(parse("1. One\n   > [!DANGER] Mind.\n")) == [2]


class TestMentions:
    def test_arguments_are_constants_inputs_and_facts(self) -> None:
        mention = only(
            '1. Do @m.reset(user=ticket.contact, days=3, rate=-0.5, force=true, note="a, (b) \\"c\\"", x=input.y)'
        )
        assert dict(mention.bindings) == {
            "user": FactReference("ticket.contact"),
            "days": Constant(3),
            "rate": Constant(-0.5),
            "force": Constant(True),
            "note": Constant('a, (b) "c"'),
            "x": InputReference("y"),
        }
        assert not mention.ask

    def test_ask_stands_behind_the_name_or_the_arguments(self) -> None:
        assert only("1. @a.b(ask)").ask
        assert only("1. @a.b (ask)").ask
        assert only("1. @a.b(x=1) (ask)").ask
        assert not only("1. @a.b(x=1), then ask.").ask

    def test_marks_of_emphasis_inside_arguments_are_no_emphasis(self) -> None:
        assert only('1. @a.b(text="_x_ *y*")').bindings == {"text": Constant("_x_ *y*")}

    def test_code_addresses_and_escapes_mention_nothing(self) -> None:
        assert parse("1. `@a.b` ``@a.b `` bob@a.example.com \\@a.b\n\n   ```\n   @a.b\n   ```\n").mentions == ()

    def test_a_mention_that_readers_would_not_see_is_a_problem(self) -> None:
        for text in ('[see](http://a "x @a.b(x=1)")', "[see](http://a/@a.b)", "![so @a.b](image:1)"):
            assert lines(parse(f"1. One\n2. Then\n   {text}")) == [3]
        assert parse("1. [@a.b](http://a) and [see](http://a) @a.b(x=1), <http://a/@a.b>").problems == ()

    def test_a_mention_hidden_in_a_picture_or_link_by_reference_is_a_problem(self) -> None:
        for text in ("![so @a.b(x=1)][p]", "[see][@a.b(x=1)]", "![@a.b(x=1)]", "![so][@a.b(x=1)]"):
            document = parse(f"1. One\n2. {text}\n\n[p]: image:1\n[@a.b(x=1)]: http://a\n")
            assert (lines(document), "readers do not see it" in document.problems[0].message) == ([2], True), text
        seen = "1. [@a.b(x=1)][p] and ![so @a.b][none]\n\n[p]: http://a\n"
        assert parse(seen).problems == ()

    def test_a_struck_mention_is_drawn_struck_and_is_a_problem_as_it_still_counts(self) -> None:
        text = "1. One ~~done~~ @a.b(x=1)\n2. ~~@c.d(x=1)~~"
        document = parse(text)
        assert (lines(document), "delete it" in document.problems[0].message) == ([2], True)
        assert '<s><span class="badge mono">@c.d</span>(x=1)</s>' in draw_document(text).html

    def test_a_slip_in_the_arguments_is_a_problem_and_never_an_unbound_grant(self) -> None:
        for text in (
            "@a.b(x=)",
            "@a.b(x=1",
            "@a.b(see below)",
            "@a.b(x=ticket.subject)",
            "@a.b(x=1, x=2)",
            "@a.b(x=1 y=2)",
        ):
            document = parse(f"1. One\n2. {text}")
            assert lines(document) == [2]
            assert document.mentions[0].ask

    def test_lines_count_inside_paragraphs_and_tables(self) -> None:
        document = parse("1. One\n   two @a.b\n\n## More\n\n| a |\n|---|\n| @c.d |\n")
        assert [(mention.tool, mention.line) for mention in document.mentions] == [("a.b", 2), ("c.d", 8)]

    def test_an_undeclared_input_is_a_problem(self) -> None:
        document = parse("1. One\n2. @a.b(x=input.note, y=input.days)")
        [problem] = undeclared_inputs(document, {"days"})
        assert (problem.line, "input.note" in problem.message) == (2, True)


class TestResolving:
    def test_facts_and_inputs_become_values_and_missing_ones_are_named(self) -> None:
        mention = only(
            "1. @a.b(ticket=ticket.id, who=ticket.contact, mail=ticket.contact.email, firm=ticket.company.name, "
            "pc=ticket.device, note=input.note, gone=input.gone, n=4)"
        )
        resolved = resolve(mention, FACTS, {"note": "Hello"})
        assert resolved.arguments == {
            "ticket": 48213,
            "who": 7,
            "mail": "dana@harlow.example",
            "firm": "Harlow & Beck",
            "note": "Hello",
            "n": 4,
        }
        assert resolved.unresolved == ("pc", "gone")

    def test_a_device_is_given_by_id_or_name(self) -> None:
        device = DeviceFacts(external_id="9", name="HB-PC-1", kind="", operating_system="", serial_number="")
        facts = SignalFacts(**{**vars(FACTS), "device": device})
        resolved = resolve(only("1. @a.b(x=ticket.device, y=ticket.device.name)"), facts, {})
        assert resolved.arguments == {"x": 9, "y": "HB-PC-1"}


MARKDOWN = st.text(
    alphabet=st.sampled_from(list("ab @.()=,\"'`>[]!-#*_|\\\n1234567890\t~:DECISIONask\u200b\x00é")), max_size=300
)


class TestAnyText:
    @settings(max_examples=300, deadline=None)
    @given(st.one_of(MARKDOWN, st.text(max_size=300)))
    def test_no_text_breaks_the_parser_or_the_page(self, text: str) -> None:
        document = parse(text)
        assert all(1 <= step.line <= len(re.split("\r\n|\r|\n", text)) for step in document.steps)
        assert "<script" not in draw_document(text).html

    def test_no_naughty_string_breaks_the_parser(self, eval_dir: Path) -> None:
        strings: list[Any] = json.loads((eval_dir / "fuzz-strings" / "blns.json").read_text())
        for text in strings:
            parse(str(text))
            parse(f"1. {text}\n2. @a.b({text})")
            assert "<script" not in draw_document(str(text)).html.lower()
