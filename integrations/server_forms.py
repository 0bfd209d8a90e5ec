"""What an Admin enters of an MCP server, and says of its tools."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms

from integrations.errors import AddressRefused
from integrations.guard import origin_of
from integrations.mcp.client import ADDRESS_HELP
from integrations.mcp.places import is_in_use, reading_of
from integrations.models import Connection, McpTool
from integrations.servers import Said, company_arguments
from integrations.tools import Category, DefaultPolicy, Flag, Risk
from junto.tenants.models import Company
from junto.tenants.scoping import TenantQuerySet

_ATTRIBUTES = {"class": "input", "autocomplete": "off", "spellcheck": "false"}

CATEGORY_WORDS = (
    (Category.READ, "Reads: it looks something up and changes nothing"),
    (Category.WRITE, "Writes: it changes records"),
    (Category.EXECUTE, "Executes: it makes something run"),
)
RISK_WORDS = ((Risk.LOW, "Low"), (Risk.MEDIUM, "Medium"), (Risk.HIGH, "High"))
POLICY_WORDS = (
    (DefaultPolicy.AUTO, "Runs by itself"),
    (DefaultPolicy.ONCE, "Asks once a session"),
    (DefaultPolicy.ALWAYS, "Always asks"),
)
FLAG_WORDS = (
    (Flag.CLIENT_VISIBLE, "The client sees it"),
    (Flag.IRREVERSIBLE, "It cannot be undone"),
    (Flag.BILLING_EFFECT, "It changes or shows what is billed"),
    (Flag.CREDENTIAL, "It issues or changes a way to sign in"),
    (Flag.FORWARDS, "It sends data elsewhere"),
    (Flag.SECRET, "Its answer holds a secret"),
)
REACH_WORDS = (
    (McpTool.Reach.ARGUMENT, "One argument names the company: Junto fills it in from the company's link"),
    (McpTool.Reach.COMPANY, "All that this server knows belongs to one company"),
    (McpTool.Reach.FREE, "It knows no company's records, as guides or product documentation do"),
)


class ServerForm(forms.Form):
    """Name and address of a server, and how Junto signs in there; a token is entered anew or kept, and never shown."""

    short_name = forms.CharField(
        label="Short name",
        max_length=12,
        help_text="Begins the names of its tools, as docs does in @mcp_docs.search. It never changes.",
        widget=forms.TextInput(attrs=_ATTRIBUTES),
    )
    label = forms.CharField(label="Name", max_length=120, widget=forms.TextInput(attrs=_ATTRIBUTES))
    base_url = forms.CharField(
        max_length=300,
        label="Address",
        help_text=f"{ADDRESS_HELP} Another address is another server: its tools are classified anew."
        " Or stdio:organization/name, where whoever runs Junto listed a command for you.",
        widget=forms.TextInput(attrs={**_ATTRIBUTES, "inputmode": "url"}),
    )
    auth = forms.ChoiceField(
        label="Signing in",
        choices=(("none", "Nobody signs in"), ("bearer", "With a token"), ("oauth", "A person signs in there (OAuth)")),
        widget=forms.Select(attrs={"class": "input"}),
    )
    token = forms.CharField(
        label="Token",
        max_length=4000,
        required=False,
        help_text="Of Junto's own account there. It goes to this address only.",
        widget=forms.PasswordInput(attrs=_ATTRIBUTES),
    )

    client_id = forms.CharField(
        label="Client id",
        max_length=300,
        required=False,
        help_text="For OAuth, where the server lets no client make itself known. Else leave it empty.",
        widget=forms.TextInput(attrs=_ATTRIBUTES),
    )
    client_secret = forms.CharField(
        label="Client secret", max_length=1000, required=False, widget=forms.PasswordInput(attrs=_ATTRIBUTES)
    )

    def __init__(self, data: object = None, *, connection: Connection | None = None, auth: str = "bearer") -> None:
        initial: dict[str, object] = {"auth": auth}
        if connection is not None:
            initial |= {"label": connection.label, "base_url": connection.base_url}
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        self._former = auth if connection is not None and connection.sealed_credentials else ""
        if connection is not None:
            del self.fields["short_name"]
        if self._former == "bearer":
            self.fields["token"].widget.attrs["placeholder"] = "Kept as it is"

    def clean(self) -> dict[str, object]:
        """A token where one is used, and nowhere else; another host needs it anew."""
        cleaned: dict[str, object] = super().clean() or self.cleaned_data
        token, auth = bool(cleaned.get("token")), cleaned.get("auth")
        if token and auth != "bearer":
            self.add_error("token", "Nobody signs in with it. Choose the way with a token, or leave it empty.")
        if auth != "oauth" and (cleaned.get("client_id") or cleaned.get("client_secret")):
            self.add_error("client_id", "Only OAuth uses a client.")
        if auth == "bearer" and not token and (self._former != "bearer" or self._leads_elsewhere(cleaned)):
            self.add_error("token", "Enter the token for this address.")
        return cleaned

    def _leads_elsewhere(self, cleaned: Mapping[str, object]) -> bool:
        try:
            here, there = str(self.initial.get("base_url", "")), str(cleaned.get("base_url") or "")
            return origin_of(here) != origin_of(there)
        except AddressRefused:
            return True

    @property
    def credentials(self) -> dict[str, str] | None:
        """What was entered, or None where the stored ones are kept. After `is_valid()`."""
        auth, token = str(self.cleaned_data["auth"]), str(self.cleaned_data.get("token") or "")
        client = {name: str(self.cleaned_data.get(name) or "") for name in ("client_id", "client_secret")}
        entered = {name: value for name, value in {"token": token, **client}.items() if value}
        return {"auth": auth, **entered} if entered or auth != self._former else None


class ToolForm(forms.Form):
    """What a tool is. Filled in from what the server claims, except for what gives a right."""

    reading = forms.CharField(max_length=64, widget=forms.HiddenInput)
    category = forms.ChoiceField(label="What it does", widget=forms.Select(attrs={"class": "input"}))
    risk = forms.ChoiceField(label="Risk", widget=forms.Select(attrs={"class": "input"}))
    flags = forms.MultipleChoiceField(
        label="What else is true of it",
        required=False,
        choices=FLAG_WORDS,
        widget=forms.CheckboxSelectMultiple,
    )
    policy = forms.ChoiceField(label="When it asks", widget=forms.Select(attrs={"class": "input"}))
    reach = forms.ChoiceField(label="Whose records it sees", widget=forms.Select(attrs={"class": "input"}))
    company_argument = forms.ChoiceField(
        label="Argument, where one names the company",
        required=False,
        help_text="No model and no person fills it in.",
        widget=forms.Select(attrs={"class": "input"}),
    )
    company_field = forms.CharField(
        label="Field of its answers that then says whose they are",
        required=False,
        max_length=80,
        help_text="With one, an answer is dropped whole unless every record in it says in the field of exactly this"
        " name that it is the company's. Without one, Junto"
        " has only the server's word that it keeps companies apart.",
        widget=forms.TextInput(attrs=_ATTRIBUTES),
    )
    company: forms.ModelChoiceField[Company] = forms.ModelChoiceField(
        label="Company, where all of it is one company's",
        queryset=None,
        required=False,
        empty_label="Choose",
        widget=forms.Select(attrs={"class": "input"}),
    )

    def __init__(self, data: object = None, *, row: McpTool, companies: TenantQuerySet[Company]) -> None:
        known = bool(row.category)
        initial = {
            "reading": reading_of(row),
            "category": row.category,
            "risk": row.risk,
            "policy": row.policy or (DefaultPolicy.ALWAYS.value if not known else ""),
            "reach": row.reach,
            "company_argument": row.company_argument,
            "company_field": row.company_field,
            "company": row.company_id,
            "flags": list(row.flags),
        }
        if not is_in_use(row):  # said of what it was: a person says it again
            initial |= {"category": "", "risk": "", "policy": "", "reach": ""}
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        empty = (("", "Choose"),)
        for name, words in (
            ("category", CATEGORY_WORDS),
            ("risk", RISK_WORDS),
            ("policy", POLICY_WORDS),
            ("reach", REACH_WORDS),
            ("company_argument", tuple((one, one) for one in company_arguments(row))),
        ):
            field = self.fields[name]
            if isinstance(field, forms.ChoiceField):
                field.choices = [*empty, *((str(value), shown) for value, shown in words)]
        company = self.fields["company"]
        if isinstance(company, forms.ModelChoiceField):
            company.queryset = companies

    @property
    def said(self) -> Said:
        """What was said. After `is_valid()`."""
        given = self.cleaned_data
        return Said(
            category=given["category"],
            risk=given["risk"],
            policy=given["policy"],
            reach=given["reach"],
            flags=tuple(given["flags"]),
            company_argument=given["company_argument"],
            company_field=given["company_field"].strip(),
            company=given["company"],
        )
