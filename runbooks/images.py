"""Pictures for runbooks: taken only as what they really are, drawn anew, kept once for each organization."""

from __future__ import annotations

import hashlib
import io
import warnings
from typing import Final

from django.db import transaction
from PIL import Image, ImageOps, UnidentifiedImageError

from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, PermissionDenied
from runbooks.models import RunbookImage

#: Largest upload, in bytes.
MOST_BYTES: Final = 5 * 1024 * 1024
#: Largest picture that is opened at all, in pixels; a small file can unfold to a huge one.
MOST_PIXELS: Final = 40_000_000
#: Longer sides are scaled down to this, in pixels.
LONGEST_SIDE: Final = 2000
#: What is read, by its content whatever its name says, and what each is kept as.
FORMATS: Final = {"PNG": "PNG", "JPEG": "JPEG", "WEBP": "PNG", "GIF": "PNG"}
CONTENT_TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg"}


class ImageRefused(ValueError):
    """The upload is no picture that is taken; the message says why."""


def store_image(*, actor: Actor, content: bytes) -> RunbookImage:
    """Keep a picture. What is stored is drawn anew, so nothing but its pixels stays: no place, no hidden parts.

    Raises:
        PermissionDenied: `actor` may not author runbooks anywhere.
        ImageRefused: too large, or not a PNG, JPEG, WebP or GIF.
    """
    if not actor.can_anywhere(Permission.AUTHOR_RUNBOOKS):
        raise PermissionDenied(actor, Permission.AUTHOR_RUNBOOKS)
    redrawn, kind, (width, height) = _redrawn(content)
    digest = hashlib.sha256(redrawn).hexdigest()
    with transaction.atomic():
        image, made = RunbookImage.objects.for_organization(actor.organization).get_or_create(
            digest=digest,
            defaults={
                "organization": actor.organization,
                "content": redrawn,
                "content_type": CONTENT_TYPES[kind],
                "width": width,
                "height": height,
                "uploaded_by": actor.membership,
            },
        )
        if made:
            record(actor, "runbook.image_added", image, {"bytes": len(redrawn)})
    found: RunbookImage = image
    return found


def _redrawn(content: bytes) -> tuple[bytes, str, tuple[int, int]]:
    """The picture's pixels in a file of our own making, its format and size."""
    if len(content) > MOST_BYTES:
        raise ImageRefused(f"The picture is larger than {MOST_BYTES // 1024 // 1024} MB.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=list(FORMATS)) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise ImageRefused(f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels.")
                kind = FORMATS[opened.format or ""]
                turned = ImageOps.exif_transpose(opened)
                picture = turned.convert("RGB" if kind == "JPEG" else "RGBA")
    except ImageRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageRefused(f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels.") from error
    except UnidentifiedImageError as error:
        raise ImageRefused("This is no PNG, JPEG, WebP or GIF picture.") from error
    # what Pillow raises for broken files differs by format
    except (OSError, ValueError, SyntaxError, IndexError, KeyError, EOFError, MemoryError, OverflowError) as error:
        raise ImageRefused("The picture is broken.") from error
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    picture.info = {}
    drawn = io.BytesIO()
    picture.save(drawn, kind, optimize=True)
    return drawn.getvalue(), kind, picture.size
