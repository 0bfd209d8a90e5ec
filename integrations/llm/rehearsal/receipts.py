"""What became of the proposals: told to the people, written into the closing note, summed up at the end."""

from .arguments import value_of
from .case import Case, plural
from .classification import names_in
from .conversation import Call
from .loose import Fields, text

SUMMARY_HEADING = "**Summary**"

_OUTCOMES = {
    "ok": "done",
    "denied": "denied",
    "refused": "refused by the rules",
    "error": "failed",
    "unknown": "outcome unknown, somebody has to look in the system",
    "expired": "expired without a decision",
    "waiting": "not decided yet",
    "withdrawn": "withdrawn, because something had changed meanwhile",
}

_LABELS = {
    "classify": "classification",
    "classify-again": "corrected classification",
    "findings-note": "internal note with the findings",
    "time": "time entry",
    "time-again": "corrected time entry",
    "closing-note": "closing note",
}


_CLASSES = frozenset({"type", "type_id", "subtype", "subtype_id", "item", "item_id"})


def proposals(case: Case) -> list[Call]:
    """Every call that was more than a look."""
    return [call for call in case.conversation.calls if not call.is_read]


def open_proposals(case: Case) -> list[Call]:
    """Those of which nobody knows yet what becomes of them: undecided, or without a known outcome."""
    return [call for call in proposals(case) if call.outcome.status in ("waiting", "unknown")]


def label(call: Call) -> str:
    """The proposal in words: what it was for, or the tool's own name."""
    known = _LABELS.get(call.key)
    if known:
        return known
    verb = call.tool.rsplit(".", 1)[-1].replace("_", " ")
    if call.key.startswith("step-"):
        return f"“{verb}” of step {call.key.split('-')[1]}"
    return f"“{verb}”"


def _detail(case: Case, call: Call) -> str:
    """The few arguments that say more than the label: what a ticket was classified as, how much time was logged."""
    if call.key.startswith("classify"):
        return names_in(case, call.sent)
    if call.key.startswith("time"):
        return duration(call.sent)
    return ""


def duration(arguments: Fields) -> str:
    """The time that arguments name."""
    minutes, hours = value_of(arguments, "minutes"), value_of(arguments, "hours")
    if isinstance(minutes, int | float) and hours is None:
        hours = minutes / 60
    return spoken(hours) if isinstance(hours, int | float) else text(hours)


def spoken(hours: float) -> str:
    """A duration in minutes, from two hours on in hours."""
    return f"{round(hours * 60)} min" if hours < 2 else f"{round(hours, 2):g} h"


def outcome_words(call: Call) -> str:
    words = _OUTCOMES.get(call.outcome.status, text(call.outcome.status, 40) or "no outcome")
    if call.outcome.is_ok and call.outcome.modified:
        words += ", as changed by a person"
    return f"{words}: {call.outcome.reason}" if call.outcome.reason and not call.outcome.is_ok else words


def receipt_lines(case: Case) -> list[str]:
    lines = []
    for call in proposals(case):
        what, detail = label(call), _detail(case, call)
        lines.append(f"{what[:1].upper()}{what[1:]}{f' ({detail})' if detail else ''}: {outcome_words(call)}")
    return lines


def changes(case: Case, call: Call) -> list[str]:
    """What a person changed in the arguments, in words."""
    sent: Fields = call.outcome.sent
    if not sent:
        return []
    before, after = names_in(case, call.arguments), names_in(case, sent)
    told = [f"from “{before}” to “{after}”"] if before != after and after else []
    for name in [*call.arguments, *(name for name in sent if name not in call.arguments)]:
        if call.arguments.get(name) == sent.get(name) or (told and name in _CLASSES):
            continue
        old, new = text(call.arguments.get(name), 80), text(sent.get(name), 80)
        told.append(f"{name} from “{old}” to “{new}”" if old else f"{name} to “{new}”")
    return told


def reaction(case: Case, call: Call) -> str:
    """What to say about an outcome nobody has spoken about yet; nothing where the card says it all."""
    what, outcome = label(call), call.outcome
    if call.is_read:
        return ""
    if outcome.is_ok and outcome.modified:
        changed = "; ".join(changes(case, call)) or "the wording"
        return f"Noted: the {what} went out as you changed it ({changed}). I use your version from here on."
    if outcome.is_ok:
        return f"Done: {what}." if call.key in ("", "asked") else ""
    if outcome.status == "denied":
        why = f": “{outcome.reason}”" if outcome.reason else " without a reason"
        return f"Understood: the {what} was denied{why}. I do not propose it again as it was."
    if outcome.status == "unknown":
        return f"It is not known whether the {what} took effect. I do not repeat it; please look in the system."
    if outcome.status == "waiting":
        return ""
    why = f": {outcome.reason}" if outcome.reason else ""
    return f"The {what} was not done ({_OUTCOMES.get(outcome.status, outcome.status)}{why}). I go on without it."


def closing_note(case: Case) -> str:
    """The closing note for the PSA, drawn from the receipts."""
    lines = [f"Work on this ticket{f' for {case.company}' if case.company else ''}:"]
    lines += [f"- {line}" for line in receipt_lines(case)] or ["- nothing was proposed"]
    note = changed_note(case)
    if note:
        lines.append(f"Findings as a person worded them: {note}")
    if case.runbook_title and case.may_follow_runbook:
        lines.append(f"Followed the runbook {case.runbook_title}.")
    lines.append("Written by the rehearsal model from the receipts of the actions.")
    return "\n".join(lines)


def changed_note(case: Case) -> str:
    """The text of a note that a person reworded, in that person's words."""
    for call in proposals(case):
        if call.outcome.is_ok and call.outcome.modified and "note" in call.tool:
            for name, value in call.outcome.sent.items():
                if isinstance(value, str) and value != call.arguments.get(name) and len(value) > 20:
                    return text(value, 400)
    return ""


def summary_text(case: Case, skipped: list[str]) -> str:
    """The last word of the session, until somebody asks."""
    calls = proposals(case)
    done = sum(call.outcome.is_ok for call in calls)
    lines = [SUMMARY_HEADING, ""]
    if calls:
        lines.append(f"{done} of {plural(len(calls), 'proposal')} done.")
        lines += [f"- {line}" for line in receipt_lines(case)]
    else:
        lines.append("I proposed nothing: no tool that fits was offered.")
    lines += [f"- {line}" for line in skipped]
    lines += ["", "Ask me about the contact, the devices, the history or what was done, or ask for a further action."]
    return "\n".join(lines)
