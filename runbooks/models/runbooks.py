"""What we do when it happens. A published version is a pinned history record of simple-history."""

from __future__ import annotations

import unicodedata
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinLengthValidator
from django.db import models
from simple_history.models import HistoricalRecords

from junto.tenants.models import Company, Membership
from junto.tenants.scoping import TenantModel
from runbooks.document import parse
from runbooks.inputs import InputsRefused, check_inputs
from runbooks.querysets import RunbookQuerySet

#: Longest tag that lists can be filtered by, in characters.
LABEL_LENGTH = 100


def folded(text: str) -> str:
    """The text without the differences that a search passes over: case, and several ways to write one letter."""
    return unicodedata.normalize("NFKC", text).casefold()


class Runbook(TenantModel):
    """A procedure in Markdown. The row holds the draft text; what is in force is the pinned history record.

    `published_number` counts publishes from 1; `published_record` is the primary key of the history record that holds
    the published text, immutable while pinned by sessions (PRODUCT 4).

    A fork stands on version `forked_number` of `forked_from`: the one it was made from, or whose changes it took over
    last (none = a draft that was never published). `skipped_number` is a later version that its author passed over.
    `key` names a runbook in exported files; blank = its id.

    `company` is its scope (none = all companies), which decides who reads it, who may write it and where it runs. While
    nothing stands on it the scope may be changed; see `scope_stays`.
    """

    class Audience(models.TextChoices):
        AI = "ai", "AI agent"
        HYBRID = "hybrid", "Agent with technician"
        HUMAN = "human", "Human"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        ARCHIVED = "archived", "Archived"

    class OnSuccess(models.TextChoices):
        REVIEW = "review", "Leave for review"
        RESOLVE = "resolve", "Resolve"

    class Category(models.TextChoices):
        ACCESS = "access", "Accounts and access"
        EMAIL = "email", "E-mail and collaboration"
        HARDWARE = "hardware", "Hardware and printing"
        NETWORK = "network", "Network and VPN"
        SECURITY = "security", "Security"
        BACKUP = "backup", "Backup and storage"
        SOFTWARE = "software", "Software and licences"
        PEOPLE = "people", "Joiners and leavers"
        MONITORING = "monitoring", "Monitoring alerts"
        OTHER = "other", "Other"

    #: Longest body, in characters; it is parsed at every save and by every session that follows it.
    BODY_LIMIT: ClassVar[int] = 100_000
    #: Longest description, in characters. These limits hold for pages and files alike, so an export comes back in.
    DESCRIPTION_LIMIT: ClassVar[int] = 5000
    #: Longest tag in characters, and how many there may be.
    TAG_LIMIT: ClassVar[int] = 60
    MOST_TAGS: ClassVar[int] = 50

    title = models.CharField(max_length=255, validators=[MinLengthValidator(5)])
    description = models.TextField(blank=True)
    body = models.TextField(help_text="Markdown; tools are mentioned as @vendor.verb_noun.")
    category = models.CharField(max_length=12, choices=Category, default=Category.OTHER)
    tags = models.JSONField(default=list, blank=True)
    audience = models.CharField(max_length=8, choices=Audience, default=Audience.HYBRID)
    company = models.ForeignKey(
        Company,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="runbooks",
        help_text="Empty = global: all companies of the organization.",
    )
    inputs = models.JSONField(default=list, blank=True, help_text="Required inputs: name, label, type, required.")
    on_success = models.CharField(max_length=8, choices=OnSuccess, default=OnSuccess.REVIEW)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    forked_from = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="forks")
    forked_number = models.PositiveIntegerField(null=True, blank=True)
    skipped_number = models.PositiveIntegerField(null=True, blank=True)
    key = models.CharField(max_length=80, blank=True, editable=False)
    published_number = models.PositiveIntegerField(null=True, blank=True)
    published_record = models.PositiveBigIntegerField(null=True, blank=True)
    published_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    #: What the list of the admin searches: PostgreSQL takes half a second to fold 10,000 texts at every question.
    searched = models.TextField(editable=False, default="")

    objects = RunbookQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["searched"])

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["title", "id"]
        indexes: ClassVar = [
            models.Index(fields=["organization", "status"]),
            models.Index(fields=["organization", "title", "id"]),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "key"], condition=~models.Q(key=""), name="runbook_key_once"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def scope_stays(self) -> str:
        """Why its company can no longer be changed; empty while it can.

        Rights are asked of the scope, so what is in force, its draft and its history must not differ in it: a draft
        moved to another company would hand the published text to that company's authors. A fork is the way to a
        company's own variant.
        """
        if self.forked_from_id is not None:
            return "This is one company’s own variant, and stays that."
        if self.published_record is not None:
            return "It was published, so whom it is for stays. Fork it for a company, or write another."
        if not self._state.adding and self.forks.exists():
            return "Companies have variants of it, so it stays for all companies."
        return ""

    def clean(self) -> None:
        """What no single field can tell. Raises ValidationError by field name."""
        errors: dict[str, str] = {}
        if len(self.body) > self.BODY_LIMIT:
            errors["body"] = f"The text has {len(self.body):,} characters; at most {self.BODY_LIMIT:,} fit."
        if len(self.description) > self.DESCRIPTION_LIMIT:
            errors["description"] = (
                f"The description has {len(self.description):,} characters; at most {self.DESCRIPTION_LIMIT:,} fit."
            )
        if "\0" in f"{self.title}{self.description}{self.body}":
            errors["body"] = "The text holds a NUL character, which cannot be stored."
        if not isinstance(self.tags, list) or not all(isinstance(tag, str) for tag in self.tags):
            errors["tags"] = "Tags are a list of words."
        elif len(self.tags) > self.MOST_TAGS or any(len(tag) > self.TAG_LIMIT for tag in self.tags):
            errors["tags"] = f"At most {self.MOST_TAGS} tags fit, each of at most {self.TAG_LIMIT} characters."
        try:
            check_inputs(self.inputs)
        except InputsRefused as error:
            errors["inputs"] = str(error)
        if self.company is not None and self.company.organization_id != self.organization_id:
            errors["company"] = "This company is not one of yours."
        if errors:
            raise ValidationError(errors)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, with the text that is searched in step."""
        self.searched = self.text_to_search()
        super().save(*args, **kwargs)

    def text_to_search(self) -> str:
        """The draft's title, description and text, folded."""
        return folded("\n".join((self.title, self.description, self.body)))

    def save_version(self, author: Membership | None, reason: str) -> None:
        """Save as a new version of the history, with its author and the reason (cut to what the history holds)."""
        self._change_reason = reason[:100]
        self._history_user = author.user if author else None
        self.save()
        self.write_labels()

    def write_labels(self) -> None:
        """Bring the labels in step with the tags and with the systems whose tools the text mentions."""
        systems = {name.partition(".")[0] for name in parse(self.body).tools}
        wanted = {("tag", tag[:LABEL_LENGTH]) for tag in self.tags} | {
            ("system", each[:LABEL_LENGTH]) for each in systems
        }
        there = {(label.kind, label.word): label.pk for label in self.labels.all()}
        gone = [key for pair, key in there.items() if pair not in wanted]
        if gone:
            self.labels.filter(pk__in=gone).delete()
        new = [(kind, word) for kind, word in sorted(wanted) if (kind, word) not in there]
        if new:
            label = self.labels.model
            self.labels.bulk_create(
                [label(organization_id=self.organization_id, runbook=self, kind=kind, word=word) for kind, word in new]
            )
