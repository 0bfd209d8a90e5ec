"""What an admin types to connect a system. Credentials go in and never come back out."""

from __future__ import annotations

from django import forms

from integrations.connections import address_help, credential_fields
from integrations.errors import AddressRefused
from integrations.guard import target_of
from integrations.models import Connection
from integrations.vendors import Vendor

_ATTRIBUTES = {"class": "input", "autocomplete": "off", "spellcheck": "false"}


class ConnectionForm(forms.Form):
    """Label and address, and the vendor's credentials: all of them, or none to keep what is stored."""

    label = forms.CharField(max_length=120, widget=forms.TextInput(attrs=_ATTRIBUTES))
    base_url = forms.CharField(
        max_length=300,
        label="Address",
        widget=forms.TextInput(attrs={**_ATTRIBUTES, "inputmode": "url"}),
    )

    def __init__(self, data: object = None, *, vendor: Vendor, connection: Connection | None = None) -> None:
        initial = {"label": vendor.label}
        if connection is not None:
            initial = {"label": connection.label, "base_url": connection.base_url}
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        self.fields["base_url"].help_text = f"{address_help(vendor)} Another host needs the credentials anew."
        self._fields = credential_fields(vendor)
        self._kept = connection is not None and bool(connection.sealed_credentials)
        for one in self._fields:
            widget = forms.PasswordInput if one.secret else forms.TextInput
            self.fields[one.name] = forms.CharField(
                label=one.label,
                help_text=one.help,
                max_length=200,
                required=not self._kept,
                widget=widget(attrs={**_ATTRIBUTES, "placeholder": "Kept as it is" if self._kept else ""}),
            )

    def clean(self) -> dict[str, object]:
        """Half of the credentials is a mistake, and so is another host without any: those that worked would be gone."""
        cleaned: dict[str, object] = super().clean() or self.cleaned_data
        entered = [bool(cleaned.get(one.name)) for one in self._fields]
        if any(entered) and not all(entered):
            raise forms.ValidationError("Enter all of the credentials, or leave all of them empty to keep them.")
        if self._kept and not any(entered) and self._leads_elsewhere(str(cleaned.get("base_url") or "")):
            self.add_error("base_url", "This is another host. Enter the credentials for it too; nothing was changed.")
        return cleaned

    def _leads_elsewhere(self, address: str) -> bool:
        """Whether the address names another host; what is wrong with it otherwise is said where it is saved."""
        try:
            return target_of(address).origin != target_of(str(self.initial["base_url"])).origin
        except AddressRefused:
            return False

    @property
    def credentials(self) -> dict[str, str] | None:
        """What was entered, or None where the stored ones are kept. After `is_valid()`."""
        entered = {one.name: str(self.cleaned_data.get(one.name) or "") for one in self._fields}
        return entered if all(entered.values()) else None


class LinkForm(forms.Form):
    """Which company of ours is which at the vendor."""

    company = forms.UUIDField()
    external_id = forms.CharField(max_length=80)
