"""What a three-way merge of texts promises, by example and for any texts."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbooks.differences import changes
from runbooks.merging import Conflict, Settled, merge_texts

BASE = "1. Look\n2. Reset\n3. Tell\n4. Close"

texts = st.lists(st.sampled_from(["1. Look", "2. Reset", "3. Tell", "", "- a"]), max_size=12).map("\n".join)


def test_changes_of_both_sides_come_together() -> None:
    merged = merge_texts(BASE, BASE.replace("Look", "Look twice"), BASE.replace("Close", "Close it"))
    assert (merged.clean, merged.text) == (True, "1. Look twice\n2. Reset\n3. Tell\n4. Close it")


def test_steps_next_to_each_other_may_be_changed_by_different_people() -> None:
    merged = merge_texts(BASE, BASE.replace("Reset", "Reset it"), BASE.replace("Tell", "Tell them"))
    assert merged.text == "1. Look\n2. Reset it\n3. Tell them\n4. Close"


def test_the_same_line_changed_twice_is_a_conflict_that_shows_all_three() -> None:
    merged = merge_texts(BASE, BASE.replace("Reset", "Reset it"), BASE.replace("Reset", "Unlock"))
    assert merged.conflicts == (Conflict(("2. Reset",), ("2. Reset it",), ("2. Unlock",)),)
    assert merged.resolved([("2. Unlock", "3. Reset it")]).split("\n")[1:3] == ["2. Unlock", "3. Reset it"]
    assert "<<<<<<< ours\n2. Reset it\n=======\n2. Unlock\n>>>>>>> theirs" in merged.text


def test_of_neighbouring_lines_only_those_that_both_changed_are_to_decide() -> None:
    ours = BASE.replace("Tell", "Tell them")
    theirs = "1. Look twice\n2. Reset at once\n3. Tell her\n4. Close"
    merged = merge_texts(BASE, ours, theirs)
    assert merged.conflicts == (Conflict(("3. Tell",), ("3. Tell them",), ("3. Tell her",)),)
    assert merged.resolved([("3. Tell",)]) == "1. Look twice\n2. Reset at once\n3. Tell\n4. Close"


def test_two_new_steps_in_the_same_place_are_a_conflict() -> None:
    merged = merge_texts("a\nz", "a\nours\nz", "a\ntheirs\nz")
    assert merged.conflicts == (Conflict((), ("ours",), ("theirs",)),)


def test_what_one_side_removed_and_the_other_changed_is_a_conflict() -> None:
    merged = merge_texts(BASE, "1. Look\n4. Close", BASE.replace("Tell", "Call"))
    assert merged.conflicts == (Conflict(("2. Reset", "3. Tell"), (), ("2. Reset", "3. Call")),)


def test_the_same_change_on_both_sides_is_none_to_decide() -> None:
    both = BASE.replace("Reset", "Unlock")
    assert merge_texts(BASE, both, both).text == both


def test_it_says_from_which_side_a_change_came() -> None:
    merged = merge_texts("a\nb\nc", "A\nb\nc", "a\nb\nC")
    assert merged.hunks == (Settled(("A",), "ours"), Settled(("b",), "both"), Settled(("C",), "theirs"))


def test_line_ends_of_another_system_are_no_change() -> None:
    assert merge_texts("a\nb", "a\r\nb", "a\nc").text == "a\nc"


def test_every_conflict_needs_its_answer() -> None:
    with pytest.raises(ValueError, match="1 conflicts need as many answers"):
        merge_texts("a", "b", "c").resolved([])


def test_a_long_text_of_equal_lines_is_merged_in_bounded_time() -> None:
    base = "\n" * 50_000 + "x" + "\n" * 40_000
    began = time.monotonic()
    merged = merge_texts(base, "a\n" * 20_000 + base[7:], "\n".join("ab" * 20_000) + base[9:])
    assert time.monotonic() - began < 5
    assert merged.hunks


@given(base=texts, side=texts)
def test_a_side_that_changed_nothing_gives_way(base: str, side: str) -> None:
    assert merge_texts(base, base, side).text == side
    assert merge_texts(base, side, base).text == side
    assert merge_texts(base, side, side).text == side


@given(base=texts, ours=texts, theirs=texts)
def test_no_line_of_either_side_is_lost_and_none_invented(base: str, ours: str, theirs: str) -> None:
    merged = merge_texts(base, ours, theirs)
    assert merged.resolved([conflict.ours for conflict in merged.conflicts]).count("<<<") == 0
    mirrored = merge_texts(base, theirs, ours)
    assert [(each.theirs, each.ours) for each in mirrored.conflicts] == [
        (each.ours, each.theirs) for each in merged.conflicts
    ]
    if merged.clean:
        assert merged.text == mirrored.text
    shown = {line for hunk in merged.hunks for line in _lines(hunk)}
    kept = set(base.split("\n"))
    assert shown <= kept | set(ours.split("\n")) | set(theirs.split("\n"))
    assert (set(ours.split("\n")) - kept) | (set(theirs.split("\n")) - kept) <= shown


@given(before=texts, after=texts)
def test_changes_turn_one_text_into_the_other(before: str, after: str) -> None:
    old, new = before.split("\n"), after.split("\n")
    built, done = [], 0
    for change in changes(old, new):
        built += [*old[done : change.start], *new[change.new_start : change.new_end]]
        done = change.end
    assert [*built, *old[done:]] == new


def _lines(hunk: Settled | Conflict) -> list[str]:
    return list(hunk.lines) if isinstance(hunk, Settled) else [*hunk.ours, *hunk.theirs]
