"""The form in which a person enters a signal by hand."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from integrations.models import Contact
from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, PermissionDenied
from junto.tenants.scoping import TenantQuerySet
from signals.intake.columns import SUBJECT_LENGTH
from signals.intake.entry import Entry, EntryRefused, enter_signal
from signals.models import Board, Signal
from signals.words import USUAL_PRIORITIES

#: The element that htmx replaces when another company is chosen.
CONTACT_TARGET = "contact-field"
#: What an organization without any ticket may choose from.
_ATTRIBUTES = {"class": "input"}


class EntryForm(forms.Form):
    """Who has which problem. Only what the reader may see can be chosen."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    company = forms.ModelChoiceField(Company.unscoped.none(), empty_label="Choose a company")
    contact = forms.ModelChoiceField(Contact.unscoped.none(), required=False, empty_label="Nobody")
    subject = forms.CharField(max_length=SUBJECT_LENGTH, help_text="One line that names the problem.")
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={**_ATTRIBUTES, "rows": 6}))
    board = forms.ModelChoiceField(Board.unscoped.none(), required=False, empty_label="None")
    priority = forms.ChoiceField(required=False)

    def __init__(self, data: object = None, *, actor: Actor, company: str = "") -> None:
        super().__init__(data, initial={"key": uuid.uuid4(), "company": company})  # type: ignore[arg-type]
        chosen = str(self.data.get("company") or company)
        for name, rows in (
            ("company", Company.objects.visible_to(actor).filter(is_active=True)),
            ("contact", _contacts(actor, chosen)),
            ("board", Board.objects.for_organization(actor.organization)),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows
        priority = self.fields["priority"]
        assert isinstance(priority, forms.ChoiceField)
        priority.choices = [("", "None"), *((word, word) for word in _priorities(actor))]
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "input")


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request", "HX-Target")
def new_signal(request: MemberRequest) -> HttpResponse:
    """Enter a signal; its page follows."""
    actor = request.actor
    if not actor.can_anywhere(Permission.RUN_SESSIONS):
        raise PermissionDenied(actor, Permission.RUN_SESSIONS)
    if request.method != "POST":
        form = EntryForm(actor=actor, company=request.GET.get("company", ""))
        only = request.headers.get("HX-Target") == CONTACT_TARGET
        return render(request, "signals/_entry_contact.html" if only else "signals/entry.html", {"form": form})
    form = EntryForm(request.POST, actor=actor)
    if form.is_valid():
        try:
            signal = enter_signal(actor=actor, entry=Entry(**form.cleaned_data))
        except EntryRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("signal", signal_id=signal.pk)
    return render(request, "signals/entry.html", {"form": form}, status=400)


def _contacts(actor: Actor, company: str) -> TenantQuerySet[Contact]:
    """The people of the chosen company; none before one is chosen."""
    rows: TenantQuerySet[Contact] = Contact.objects.visible_to(actor).filter(gone_at=None)
    try:
        return rows.filter(company=uuid.UUID(company))
    except ValueError:
        return rows.none()


def _priorities(actor: Actor) -> Sequence[str]:
    """What the tickets here bear, most urgent first by name."""
    return Signal.objects.visible_to(actor).words_of("priority", most=50) or USUAL_PRIORITIES
