"""Tickets out of a file: what is guessed, what is shown before, what becomes of each row, and going on after a stop."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from integrations.vendors import FILES
from signals.files.importing import advance_import
from signals.models import RefusedRow, Signal, TicketImport
from signals.services import adopt_ticket
from signals.tasks import sweep_imports
from tests.cases import JuntoTestCase
from tests.factories import BoardFactory, ConnectionFactory, ContactFactory

EXPORT = (
    "Ticket #;Summary;Client;Requester Email;Queue;Status;Priority;Date Created\r\n"
    "1001;Outlook fragt nach Kennwort für Müller;harlow & beck;dana@harlowbeck.example;"
    "Help;Open;Priority 2;21.11.2026 09:05\r\n"
    "1002;Drucker druckt nicht;Nowhere Ltd;;Help;Closed;Priority 4;20.11.2026\r\n"
    ";Kein Ticket;Harlow & Beck;;Help;Open;Priority 4;20.11.2026\r\n"
    '1004;"=HYPERLINK(""http://x"")";Harlow & Beck;;Help;Open;Priority 4;31.02.2026\r\n'
)


class ImportCase(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log_in(self.adam)

    def upload(
        self, text: str | bytes = EXPORT, name: str = "tickets.csv", *, encoding: str = "utf-8", said: str = ""
    ) -> Any:
        content = text.encode(encoding) if isinstance(text, str) else text
        fields = {"file": SimpleUploadedFile(name, content), "encoding": said}
        return self.client.post(self.path("signals/files/"), fields)

    def kept(self, text: str | bytes = EXPORT, **options: Any) -> TicketImport:
        response = self.upload(text, **options)
        assert response.status_code == 302, response.content.decode()[:3000]
        return self.newest()

    def newest(self) -> TicketImport:
        return TicketImport.objects.for_organization(self.northwind).order_by("-created_at")[0]

    def page(self, row: TicketImport) -> str:
        response = self.client.get(self.path(f"signals/files/{row.pk}/"))
        assert response.status_code == 200
        return str(response.content.decode())

    def start(self, row: TicketImport) -> TicketImport:
        """Press the button of the page, and let the workers do the rest."""
        stamp = self.page(row).split('name="stamp" value="')[1].split('"')[0]
        self.client.post(self.path(f"signals/files/{row.pk}/start/"), {"stamp": stamp})
        self.drain()
        row.refresh_from_db()
        return row

    def read_in(self, text: str | bytes = EXPORT, **options: Any) -> TicketImport:
        return self.start(self.kept(text, **options))

    def tickets(self) -> dict[str, Signal]:
        rows = Signal.objects.for_organization(self.northwind).filter(connection__vendor=FILES)
        return {row.external_id: row for row in rows.select_related("company", "contact", "board", "connection")}


class FirstLookTests(ImportCase):
    def test_ines_and_a_manager_find_no_door(self) -> None:
        row = self.kept()
        deeds = ("read", "start", "stop", "resume", "remove")
        self.log_in(self.mara)
        for path in ("signals/files/", f"signals/files/{row.pk}/", f"signals/files/{row.pk}/refused.csv"):
            assert self.client.get(self.path(path)).status_code == 403
        assert {self.client.post(self.path(f"signals/files/{row.pk}/{deed}/")).status_code for deed in deeds} == {403}
        self.log_in(self.ines)
        own = {"organization": self.southgate}
        assert self.client.get(self.path(f"signals/files/{row.pk}/", **own)).status_code == 404
        assert {
            self.client.post(self.path(f"signals/files/{row.pk}/{deed}/", **own)).status_code for deed in deeds
        } == {404}

    def test_columns_dates_and_delimiter_are_guessed_and_nothing_is_written_before_the_button(self) -> None:
        page = self.page(self.kept())
        assert "Read in 2 rows" in page
        assert "Nowhere Ltd (1)" in page  # a company that is not known here
        assert "There is no ticket number." in page
        assert "“31.02.2026” is no day of the calendar when the day stands first." in page
        assert not self.tickets()

    def test_the_thirteenth_is_a_day_wherever_it_stands(self) -> None:
        for date, month in (("13/02/2026", 2), ("02/13/2026", 2), ("02.13.2026", 2), ("12/11/2026", 12)):
            self.read_in(f"Ticket,Subject,Created\n{date},Printer,{date}\n")
            created = self.tickets()[date].source_created_at
            assert (created.month, created.day) == (month, 11 if month == 12 else 13), date

    def test_german_headings_are_understood(self) -> None:
        row = self.read_in("Ticket-Nr.;Betreff;Firma;Geändert am\n7;Drucker brennt;Harlow;01.09.2026 10:00\n")
        assert (row.state, self.tickets()["7"].subject) == (TicketImport.State.DONE, "Drucker brennt")

    def test_a_file_in_the_encoding_of_western_windows_keeps_its_letters(self) -> None:
        self.read_in(encoding="cp1252")
        assert self.tickets()["1001"].subject == "Outlook fragt nach Kennwort für Müller"

    def test_a_file_in_any_encoding_that_is_offered_is_kept_and_reads_right_once_it_is_chosen(self) -> None:
        for encoding, subject in (
            ("cp1250", "Tiskárna netiskne: síť ťuká"),
            ("cp932", "プリンターが動かない"),
            ("mac-roman", "Le reçu ne s'imprime pas: même ça"),
            ("cp850", "Der Drucker für Müller geht nicht: groß"),
            ("cp437", "El ratón no funciona mañana"),
        ):
            row = self.kept(f"Ticket,Subject,Company\n{encoding},{subject},Harlow & Beck\n", encoding=encoding)
            if row.encoding != encoding:
                path = self.path(f"signals/files/{row.pk}/read/")
                self.client.post(path, {"encoding": encoding, "delimiter": ","})
            done = self.start(self.newest())
            assert (done.created, done.encoding) == (1, encoding)
            assert self.tickets()[encoding].subject == subject

    def test_a_file_that_excel_wrote_for_dos_is_known_by_letters_where_windows_has_quotation_marks(self) -> None:
        for text, encoding, guessed in (
            ("Drucker für Müller", "cp850", "cp850"),
            ("Es läuft nicht, möglich: Maß", "cp850", "cp850"),
            ("L'écran du côté élève est figé", "cp850", "cp850"),
            ("El ratón no funciona mañana", "cp437", "cp850"),  # the same letters
            ("Don’t “open” it – wait…then call, 5 €", "cp1252", "cp1252"),
            ("Drucker für Müller „klemmt“", "cp1252", "cp1252"),
            ("Miška ne dela, naš strežnik", "cp1250", "cp1252"),
            ("Tiskárna netiskne: síť ťuká", "cp1250", "cp1250"),
            ("プリンターが動かない", "cp932", "cp932"),
        ):
            row = self.kept(f"Ticket,Subject\n1,{text}\n", encoding=encoding)
            assert row.encoding == guessed, text

    def test_the_encoding_can_be_said_with_the_file_and_is_refused_in_words_where_it_cannot_be(self) -> None:
        cyrillic = "Ticket,Subject,Company\n9,Принтер не печатает,Harlow & Beck\n"
        assert 'value="">Detect</option>' in self.client.get(self.path("signals/files/")).content.decode()
        assert self.kept(cyrillic, encoding="cp1251").encoding != "cp1251"
        done = self.start(self.kept(cyrillic, encoding="cp1251", said="cp1251"))
        assert (done.encoding, self.tickets()["9"].subject) == ("cp1251", "Принтер не печатает")
        for said, words in (("utf-8-sig", "is not written in UTF-8"), ("rot13", "Choose one of the encodings")):
            refused = self.upload(cyrillic, encoding="cp1251", said=said)
            self.assertContains(refused, words, status_code=400)
        self.assertContains(self.upload(b"\x00", said="utf-8-sig"), 'value="utf-8-sig" selected', status_code=400)

    def test_a_guessed_encoding_is_shown_with_the_choice_and_another_keeps_the_chosen_columns(self) -> None:
        assert "The file does not tell" not in self.page(self.kept())
        row = self.kept("No,Was,Wer,Größe\n7,Drucker für Müller,Harlow,3\n", encoding="cp1252")
        page = self.page(row)
        assert "The file does not tell" in page
        assert page.index('name="encoding" form="reading"') < page.index('name="column-external_id"')
        path = self.path(f"signals/files/{row.pk}/read/")
        form = {"encoding": row.encoding, "delimiter": ",", "dates": "day", "zone": "Europe/Berlin"}
        chosen = {"column-external_id": "0", "column-subject": "1", "column-company": "2"}
        self.client.post(path, form | chosen)
        before = self.newest().reading
        self.client.post(path, form | chosen | {"encoding": "mac-roman"})
        after = self.newest()
        assert after.encoding == "mac-roman"
        assert before["columns"] == {"external_id": 0, "subject": 1, "company": 2}
        assert after.reading == before

    def test_wrong_letters_are_seen_before_any_column_is_chosen_and_right_ones_once_the_characters_are(self) -> None:
        rows = [f"{number},Printer {number},Harlow,{'x' * 90}" for number in range(1, 40)]
        rows += [f"40,Kein Toner,Harlow,{'x' * 90} Grüße", "41,Drucker für Müller,Harlow,"]
        row = self.kept("No,Was,Wer,Text\n" + "\n".join(rows) + "\n", encoding="cp850", said="cp1251")
        page = self.page(row)
        assert "Choose the column for: ticket number, subject." in page
        assert self.raw(page) == ["1", "2", "3", "40", "41"]
        assert "Drucker für Müller" not in page
        self.client.post(self.path(f"signals/files/{row.pk}/read/"), {"encoding": "cp850", "delimiter": ","})
        page = self.page(self.newest())
        assert "Drucker für Müller" in page
        assert "xxx Grüße</td>" in page  # the end of a long cell, where its letters tell
        assert self.raw(page) == ["1", "2", "3", "40", "41"]

    def raw(self, page: str) -> list[str]:
        """The numbers of the rows that are shown as they are read."""
        return re.findall(r'<th scope="row" class="num">(\d+)</th>', page)

    def test_what_programs_call_the_number_of_a_case_or_request_is_the_ticket_number(self) -> None:
        for name in ("Case", "Case number", "Case ID", "Request ID", "case_id"):
            row = self.kept(f"ID,Subject,{name}\n3,Printer,R-7\n")
            assert row.reading["columns"]["external_id"] == 2, name
        assert self.kept("ID,Subject\n3,Printer\n").reading["columns"]["external_id"] == 0

    def test_a_delimiter_that_is_not_offered_is_refused_in_words(self) -> None:
        row = self.kept("Ticket,Subject\n7,Printer\n")
        for delimiter in ("||", "x"):
            form = {"encoding": row.encoding, "delimiter": delimiter}
            page = self.client.post(self.path(f"signals/files/{row.pk}/read/"), form, follow=True)
            assert "Choose one of the delimiters." in page.content.decode()
            assert self.newest().delimiter == ","

    def test_the_line_in_which_a_spreadsheet_tells_its_delimiter_is_no_head(self) -> None:
        row = self.kept("sep=;\r\nTicket;Subject\r\n7;Printer, on fire\r\n;none\r\n")
        assert (row.head, row.delimiter) == (["Ticket", "Subject"], ";")
        done = self.start(row)
        assert self.tickets()["7"].subject == "Printer, on fire"
        assert RefusedRow.objects.for_organization(self.northwind).get(ticket_import=done).line == 4

    def test_columns_of_one_name_are_told_apart(self) -> None:
        assert self.kept("A,A (3),A,Ticket,Subject\n1,2,3,4,5\n").head[:3] == ["A", "A (3)", "A (3) (3)"]

    def test_a_column_with_a_name_of_its_own_is_chosen_by_hand(self) -> None:
        row = self.kept("Nr,What\n7,Printer on fire\n")
        assert "Choose the column for: ticket number, subject." in self.page(row)
        chosen = {"column-external_id": "0", "column-subject": "1", "dates": "day", "zone": "UTC"}
        form = {**chosen, "encoding": row.encoding, "delimiter": row.delimiter, "closed_words": "Closed"}
        self.client.post(self.path(f"signals/files/{row.pk}/read/"), form)
        self.start(row)
        assert self.tickets()["7"].subject == "Printer on fire"

    def test_what_is_no_table_is_refused_with_what_to_do(self) -> None:
        cases = (
            (b"", "The file is empty."),
            (b"a,b\n", "The file names columns, and has no row below them."),
            (b"PK\x03\x04\0\0\0\0", "The file is no text. Save it as CSV first."),
            (b"id,subject\n" + b"1,a\n" * 3_000_000, "larger than 10 MB"),
            (b'id,subject\n1,"open\n2,b\n3,c\n', "The row that begins at line 2 is broken. A quotation mark is opened"),
            (b'id,subject\n1,a\n2,"b" c\n', "The row that begins at line 3 is broken. A cell in quotation marks"),
        )
        for content, words in cases:
            response = self.upload(content)
            assert (response.status_code, words in response.content.decode()) == (400, True), words
        assert not TicketImport.objects.for_organization(self.northwind).exists()


class ReadingInTests(ImportCase):
    def test_rows_become_signals_with_company_contact_and_board_found_by_name(self) -> None:
        psa = ConnectionFactory(organization=self.northwind)
        board = BoardFactory(organization=self.northwind, connection=psa, name="Help")
        dana = ContactFactory(company=self.harlow, connection=psa, email="Dana@HarlowBeck.example")
        done = self.read_in()
        assert (done.state, done.created, done.refused, bytes(done.content)) == ("done", 2, 2, b"")
        first, second = self.tickets()["1001"], self.tickets()["1002"]
        assert (first.company, first.contact, first.board) == (self.harlow, dana, board)
        assert f"{first.source_created_at:%Y-%m-%d %H:%M}" == "2026-11-21 09:05"
        assert (second.state, second.company) == ("resolved", None)

    def test_a_ticket_of_an_unknown_company_waits_for_a_person(self) -> None:
        self.read_in("Ticket,Subject,Company\n5,VPN down,Nowhere Ltd\n")
        ticket = self.tickets()["5"]
        assert ticket.state == "needs_review"
        assert "Nowhere Ltd" in ticket.state_reason

    def test_the_same_file_again_changes_nothing_and_a_corrected_one_only_what_is_new(self) -> None:
        self.read_in()
        again = self.read_in()
        assert (again.created, again.changed, again.unchanged) == (0, 0, 2)
        better = self.read_in(EXPORT.replace("Drucker druckt nicht", "Drucker druckt wieder"))
        assert (better.created, better.changed, better.unchanged) == (0, 1, 1)
        assert self.tickets()["1002"].subject == "Drucker druckt wieder"

    def test_an_older_file_does_not_overwrite_a_newer_one(self) -> None:
        self.read_in("Ticket,Subject,Updated\n5,New words,2026-11-20 10:00\n")
        old = self.read_in("Ticket,Subject,Updated\n5,Old words,2026-11-19 10:00\n")
        assert (old.older, self.tickets()["5"].subject) == (1, "New words")

    def test_of_two_rows_with_one_number_the_later_stands_however_often_they_are_read_in(self) -> None:
        for _ in range(2):
            done = self.read_in("Ticket,Subject\n5,First words\n5,Last words\n")
            assert (done.older, self.tickets()["5"].subject) == (1, "Last words")
        assert done.unchanged == 1

    def test_refused_rows_come_back_as_a_file_that_no_spreadsheet_runs_and_that_can_be_read_in_again(self) -> None:
        done = self.read_in()
        response = self.client.get(self.path(f"signals/files/{done.pk}/refused.csv"))
        rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
        assert response["Content-Disposition"] == 'attachment; filename="tickets-refused.csv"'
        assert rows[0][-2:] == ["Line in the file", "What is wrong"]
        assert [row[-2] for row in rows[1:]] == ["4", "5"]
        assert rows[2][1].startswith("'=HYPERLINK")
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
        corrected = response.content.decode("utf-8-sig").replace("31.02.2026", "28.02.2026")
        self.read_in(corrected)
        assert self.tickets()["1004"].subject == '=HYPERLINK("http://x")'

    def test_no_cell_of_refused_rows_begins_a_formula_however_it_is_written(self) -> None:
        cells = ("=1+1", "+1", "-1", "@SUM(A1)", " @SUM(A1)", "\t=1", "＝1", "＠SUM(A1)")
        for cell in cells:
            done = self.read_in(f'Ticket,Subject\n1,Printer\n,"{cell}"\n')
            response = self.client.get(self.path(f"signals/files/{done.pk}/refused.csv"))
            _, row = csv.reader(io.StringIO(response.content.decode("utf-8-sig")))
            assert row[1] == f"'{cell}", cell

    def test_a_stopped_import_goes_on_behind_the_last_row_that_was_done(self) -> None:
        text = "Ticket,Subject\n" + "".join(f"{number},Printer {number}\n" for number in range(1, 7))
        row = self.kept(text)
        TicketImport.objects.for_organization(self.northwind).filter(pk=row.pk).update(state="stopped", position=4)
        self.client.post(self.path(f"signals/files/{row.pk}/resume/"))
        self.drain()
        row.refresh_from_db()
        assert (row.state, row.position, row.created) == ("done", 6, 2)
        assert set(self.tickets()) == {"5", "6"}

    def test_a_worker_that_died_is_followed_by_another_and_no_row_comes_twice(self) -> None:
        row = self.kept("Ticket,Subject\n1,One\n2,\n3,Three\n")
        TicketImport.objects.for_organization(self.northwind).filter(pk=row.pk).update(state="running", fence=1)
        stale = TicketImport.objects.for_organization(self.northwind).get(pk=row.pk)
        sweep_imports.call()
        self.drain()
        advance_import(stale)  # the dead one wakes up
        row.refresh_from_db()
        assert (row.state, row.created, row.refused) == ("done", 2, 1)
        assert RefusedRow.objects.for_organization(self.northwind).count() == 1

    def test_who_lost_the_right_meanwhile_reads_nothing_more_in(self) -> None:
        row = self.kept("Ticket,Subject\n1,One\n")
        TicketImport.objects.for_organization(self.northwind).filter(pk=row.pk).update(
            state="running", asked_by=self.theo
        )
        sweep_imports.call()
        self.drain()
        row.refresh_from_db()
        assert (row.state, "Theo Okafor may not write signals" in row.detail, self.tickets()) == ("stopped", True, {})

    def test_a_ticket_of_a_file_that_got_one_in_the_psa_is_not_brought_a_second_time(self) -> None:
        self.read_in("Ticket,Subject,Company\n5,VPN down,Harlow & Beck\n")
        adopt_ticket(
            signal=self.tickets()["5"], connection=ConnectionFactory(organization=self.northwind), external_id="48500"
        )
        self.read_in("Ticket,Subject,Company\n5,VPN still down,Harlow & Beck\n")
        live = Signal.objects.for_organization(self.northwind).filter(state__in=Signal.OPEN)
        assert [(row.external_id, row.subject) for row in live] == [("48500", "VPN down")]
