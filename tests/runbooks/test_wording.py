"""Comparisons as people read them: which lines, and in them which words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runbooks.differences import pair_up
from runbooks.wording import Piece, Row, compare_lines, compare_words

texts = st.text(alphabet="ab \n@.", max_size=40)


def test_a_changed_line_shows_its_words_in_place() -> None:
    (row,) = compare_lines("1. Reset the password now", "1. Reset the token now")
    assert (row.mark, row.old, row.new) == ("changed", 1, 1)
    assert row.pieces == (
        Piece("same", "1. Reset the "),
        Piece("removed", "password"),
        Piece("added", "token"),
        Piece("same", " now"),
    )


def test_words_next_to_each_other_are_read_as_one_change() -> None:
    assert compare_words("a quick fix", "one slow fix") == (
        Piece("removed", "a quick"),
        Piece("added", "one slow"),
        Piece("same", " fix"),
    )


def test_a_mention_is_one_word() -> None:
    pieces = compare_words("@connectwise.add_internal_note", "@connectwise.add_customer_note")
    assert [piece.kind for piece in pieces] == ["removed", "added"]


def test_a_line_with_nothing_in_common_is_removed_and_another_added() -> None:
    marks = [row.mark for row in compare_lines("1. Look at it", "2. Call Harlow today")]
    assert sorted(marks) == ["added", "removed"]


def test_a_new_line_does_not_hide_that_its_neighbour_only_changed() -> None:
    rows = compare_lines("a\n1. Reset the password\nz", "a\n0. Something new here\n1. Reset the token\nz")
    assert [(row.mark, row.old, row.new) for row in rows] == [
        ("same", 1, 1),
        ("added", None, 2),
        ("changed", 2, 3),
        ("same", 3, 4),
    ]


def test_far_lines_are_left_out_and_near_ones_shown() -> None:
    before = "\n".join(str(number) for number in range(30))
    rows = compare_lines(before, before.replace("15", "15 and more"))
    assert [row.mark for row in rows] == ["gap", *["same"] * 3, "changed", *["same"] * 3, "gap"]
    assert rows[4] == Row("changed", 16, 16, (Piece("same", "15"), Piece("added", " and more")))


def test_the_same_text_shows_nothing() -> None:
    assert compare_lines("a\r\nb", "a\nb") == ()


@given(before=texts, after=texts)
def test_the_pieces_are_both_texts(before: str, after: str) -> None:
    pieces = compare_words(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "added") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == after


@given(before=st.lists(texts, max_size=6), after=st.lists(texts, max_size=6))
def test_every_line_is_paired_at_most_once_and_in_order(before: list[str], after: list[str]) -> None:
    pairs = pair_up(before, after)
    assert [left for left, _ in pairs if left is not None] == list(range(len(before)))
    assert [right for _, right in pairs if right is not None] == list(range(len(after)))
