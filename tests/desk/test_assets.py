"""What the browser gets: vendored files as recorded, nothing inline, every icon drawn, all colours readable."""

import re
import subprocess
import sys

import pytest
from django.template.loader import get_template

from junto.env import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STATIC = ROOT / "static"
OURS = sorted(path for path in STATIC.rglob("*") if path.suffix in {".js", ".css"} and "vendor" not in path.parts)
INLINE = re.compile(r"<style\b|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)", re.IGNORECASE)


def test_vendored_files_are_what_the_manifest_says():
    done = check(ROOT)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_changed_vendored_file_is_noticed(tmp_path):
    for name in ("bin", "static/vendor", "static/junto"):
        subprocess.run(["mkdir", "-p", tmp_path / name], check=True)
        subprocess.run(["cp", "-r", f"{ROOT / name}/.", tmp_path / name], check=True)
    (tmp_path / "static/vendor/htmx/htmx.min.js").write_text("alert(1)", encoding="utf-8")

    done = check(tmp_path)

    assert done.returncode == 1
    assert "htmx.min.js is not what" in done.stderr


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_compiles_and_carries_no_inline_script_or_style(path):
    get_template(str(path.relative_to(ROOT / "templates")))

    assert INLINE.findall(path.read_text(encoding="utf-8")) == []


def test_every_icon_that_a_page_names_is_in_the_sprite():
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "junto" / "icons.svg").read_text(encoding="utf-8")))
    named = {
        name
        for path in TEMPLATES
        for name in re.findall(r'{% icon (?:[\w.]+\|default:)?"([\w-]+)"', path.read_text(encoding="utf-8"))
    }

    assert named - drawn == set()


def test_every_asset_that_a_page_or_stylesheet_names_is_there():
    named = {
        name for path in TEMPLATES for name in re.findall(r"{% static '([^']+)' %}", path.read_text(encoding="utf-8"))
    }
    imported = {
        str((path.parent / name).resolve().relative_to(STATIC))
        for path in OURS
        for name in re.findall(r'(?:from|url\()\s*"(\.[^"]+)"', path.read_text(encoding="utf-8"))
    }

    assert {name for name in named | imported if not (STATIC / name).is_file()} == set()


def test_nothing_is_asked_of_another_host():
    asked = re.compile(r"(?:https?:)?//(?!www\.w3\.org)[\w.-]+\.\w+/")

    assert [path.name for path in [*OURS, *TEMPLATES] if asked.search(path.read_text(encoding="utf-8"))] == []


GROUNDS = ("ground", "side", "surface", "sunken", "raised", "hover", "selected")
TEXT_PAIRS = [
    *[(ink, ground) for ink in ("ink", "ink-2", "ink-3", "accent-ink") for ground in GROUNDS],
    *[(tone, ground) for tone in ("ok", "warn", "danger") for ground in GROUNDS if ground != "side"],
    *[(tone, f"{tone}-soft") for tone in ("ok", "warn", "danger", "quiet")],
    *[(ink, "accent-soft") for ink in ("accent-ink", "ink", "ink-3")],
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("on-danger", "danger-fill"),
    ("surface", "ink"),
    ("ink-2", "quiet-soft"),
]
SHAPE_PAIRS = [(edge, ground) for edge in ("edge", "focus", "accent", "danger") for ground in ("ground", "surface")]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_pair_of_colours_meets_wcag_aa(theme):
    tokens = {
        name: pair
        for name, *pair in re.findall(
            r"--([\w-]+):\s*light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)",
            (STATIC / "junto" / "tokens.css").read_text(encoding="utf-8"),
        )
    }

    short = [
        (front, back)
        for pairs, needed in ((TEXT_PAIRS, 4.5), (SHAPE_PAIRS, 3.0))
        for front, back in pairs
        if contrast(tokens[front][theme], tokens[back][theme]) < needed
    ]
    assert short == []


def check(root):
    command = [sys.executable, root / "bin" / "vendor-assets", "--check"]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def contrast(one, other):
    """Contrast ratio of two #rrggbb colours (WCAG 2.2, relative luminance)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
