"""Hidden characters of a finished page, however large it is."""

from __future__ import annotations

import time

import pytest

from junto.desk.visible import show_page


def test_hidden_characters_are_written_out_but_in_what_a_form_sends_back() -> None:
    page = (
        '<p title="a\u202eb">c\u200bd</p><input name="e" value="f\u202eg"><textarea>h\u202ei</textarea>'
        ' value="j\u202ek"'
    )
    assert show_page(page) == (
        '<p title="a[U+202E]b">c[U+200B]d</p><input name="e" value="f\u202eg"><textarea>h\u202ei</textarea>'
        ' value="j[U+202E]k"'
    )


@pytest.mark.parametrize("words", [' value="a"', "<textarea>", "<", "Printer. "])
def test_no_text_makes_a_page_slow(words: str) -> None:
    began = time.process_time()
    show_page("\u202e" + words * 200_000)
    assert time.process_time() - began < 5
