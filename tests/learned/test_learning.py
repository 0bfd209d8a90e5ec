"""What is learned from labelled tickets, and how it is kept."""

from __future__ import annotations

import io
import pickle

import numpy
import pytest

from junto.learned.features import TicketText
from junto.learned.model import LabelModel, ModelRefused
from junto.learned.training import Untrainable, train
from tests.learned.corpus import tickets


@pytest.fixture(scope="module")
def model() -> LabelModel:
    """Learned from tickets of the first seed."""
    texts, labels = tickets()
    return train([*texts, TicketText("coffee machine", "no coffee")], [*labels, "kitchen"])


def test_unseen_tickets_are_mostly_answered_rightly(model: LabelModel) -> None:
    texts, labels = tickets(seed=2)
    answers = [prediction.answer.label for prediction in model.predict_many(texts)]
    assert sum(answer == label for answer, label in zip(answers, labels, strict=True)) / len(labels) >= 0.85


def test_every_label_is_ranked_with_a_probability(model: LabelModel) -> None:
    ranked = model.predict(TicketText("vpn latency", "router drops packet")).ranked
    assert ranked[0].label == "network"
    assert {scored.label for scored in ranked} == set(model.labels) == {"printer", "mail", "access", "network"}
    assert sum(scored.probability for scored in ranked) == pytest.approx(1)


def test_a_label_with_too_few_rows_is_left_out_and_told(model: LabelModel) -> None:
    assert model.left_out == {"kitchen": 1}
    assert model.rows == 214


def test_it_abstains_below_the_threshold(model: LabelModel) -> None:
    clear = model.predict(TicketText("printer toner", "paper tray and spooler"))
    vague = model.predict(TicketText("monday", "please check the office"))
    unknown = model.predict(TicketText("", ""))
    assert clear.sure(0.9) == clear.answer
    assert vague.sure(0.9) is None
    assert unknown.sure(0.9) is None


def test_the_same_tickets_and_seed_give_the_same_model(model: LabelModel) -> None:
    texts, labels = tickets()
    again = train([*texts, TicketText("coffee machine", "no coffee")], [*labels, "kitchen"])
    assert again.digest == model.digest
    assert train(texts[:-1], labels[:-1]).digest != model.digest


def test_a_kept_model_answers_as_before(model: LabelModel) -> None:
    restored = LabelModel.from_bytes(model.to_bytes())
    texts, _ = tickets(seed=3)
    assert restored.predict_many(texts) == model.predict_many(texts)
    assert (restored.digest, restored.rows, restored.left_out) == (model.digest, model.rows, model.left_out)


@pytest.mark.parametrize("foreign", ["pickle", "nothing", "words", "pickle inside", "half"])
def test_bytes_that_are_no_model_are_refused_and_nothing_of_them_runs(model: LabelModel, foreign: str) -> None:
    inside = io.BytesIO()
    numpy.savez(inside, header=numpy.array([_Bomb()], dtype=object))
    kept = {
        "pickle": pickle.dumps(_Bomb()),
        "nothing": b"",
        "words": b"not a model",
        "pickle inside": inside.getvalue(),
        "half": model.to_bytes()[:2000],
    }
    with pytest.raises(ModelRefused):
        LabelModel.from_bytes(kept[foreign])


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([("printer broken", "printer")] * 30, "fewer than two labels"),
        ([("1", "a"), ("2", "b")] * 25, "word in common"),
    ],
)
def test_what_cannot_be_learned_is_said(rows: list[tuple[str, str]], told: str) -> None:
    texts = [TicketText("" if told.startswith("word") else title, "") for title, _ in rows]
    with pytest.raises(Untrainable, match=told):
        train(texts, [label for _, label in rows])


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("a pickle was run",)
