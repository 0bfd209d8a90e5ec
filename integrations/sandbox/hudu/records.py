"""What a new record of Hudu's has, whatever is sent."""

from __future__ import annotations

from integrations.sandbox.json_types import Record


def new_article(now: str) -> Record:
    """An article before its fields."""
    return {
        "company_id": None,
        "slug": "new-article",
        "name": "",
        "draft": False,
        "content": "",
        "url": "/kba/new-article",
        "object_type": "Article",
        "folder_id": None,
        "enable_sharing": False,
        "share_url": None,
        "public_photos": [],
        "created_at": now,
        "updated_at": now,
    }
