"""CSV import in the browser: an export becomes signals, what is wrong in it is told before and after."""

import csv

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

EXPORT = """\
Our sign;Summary;Client;Status;Date Created
C-1;Scanner in the lobby jams;Harlow & Beck;Open;2026-11-20 08:15
C-2;Badge reader is slow;Nobody GmbH;Open;2026-11-20 08:20
C-3;;Harlow & Beck;Open;2026-11-20 08:25
C-4;@SUM(1+1) in every cell;Harlow & Beck;Closed;31.02.2026
"""


def test_csv_import(enter, tmp_path):
    file = tmp_path / "old system.csv"
    file.write_text(EXPORT, encoding="utf-8")
    page = enter("olivia").open("signals/")
    page.get_by_role("link", name="From a file").click()
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()

    preview = page.locator("#preview")
    expect(preview).to_contain_text("Choose the column for: ticket number.")
    expect(page.locator("#raw")).to_contain_text("Scanner in the lobby jams")
    page.get_by_label("Ticket number").select_option("Our sign")
    expect(preview).to_contain_text("Nobody GmbH (1)")
    problems = page.locator("[data-problems]")
    expect(problems).to_contain_text("There is no subject.")
    expect(problems.locator("tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Read in 2 rows").click()

    expect(page.locator("#import-progress")).to_contain_text("Done")
    expect(page.locator("#import-progress")).to_contain_text("4 of 4 rows")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download them").click()
    with open(download.value.path(), encoding="utf-8-sig", newline="") as refused:
        rows = list(csv.reader(refused))
    assert [row[0] for row in rows[1:]] == ["C-3", "C-4"]
    assert rows[2][1] == "'@SUM(1+1) in every cell"

    page.goto(page.url.split("signals/")[0] + "signals/?q=C-2")
    expect(page.locator("tr.sig")).to_have_count(1)
    page.locator("tr.sig a").click()
    expect(page.locator("aside[data-ticket]")).to_contain_text("Nobody GmbH")


def test_letters_that_look_wrong_are_put_right_before_a_column_is_chosen(enter, tmp_path):
    file = tmp_path / "old windows.csv"
    columns = [f"Column {number}" for number in range(1, 18)]
    file.write_text(";".join(columns) + "\n" + ";".join(["Нет бумаги"] * 17) + "\n", encoding="cp1251")
    page = enter("olivia", viewport={"width": 1440, "height": 900}).open("signals/files/")
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()

    rows = page.locator("#raw tbody tr")
    expect(rows.first).to_be_in_viewport()
    expect(rows.first).not_to_contain_text("Нет бумаги")
    characters = page.get_by_label("Characters")
    expect(characters).to_be_in_viewport()
    characters.select_option("Windows, Cyrillic")
    expect(rows.first).to_contain_text("Нет бумаги")
    expect(page.locator("#preview")).to_contain_text("Choose the column for")
    page.get_by_role("button", name="Remove").click()
