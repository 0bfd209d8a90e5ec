"""Learning the labels of tickets: how long training takes and one prediction, on tickets made here.

Words are drawn as often as in real texts (Zipf's law), so that there are as many rare ones; each label has a few words
of its own. How right the answers are says nothing here: `bin/junto evaluate classification` measures that.
"""

from __future__ import annotations

import random
from itertools import accumulate
from statistics import median
from time import process_time

from junto.learned.features import TicketText
from junto.learned.training import train

LABELS = 8
WORDS = 20_000
TITLE_WORDS = 6
TEXT_WORDS = 80
WORDS_OF_ITS_OWN = 40
PREDICTIONS = 200
_SYLLABLES = (
    "ba",
    "con",
    "der",
    "el",
    "fi",
    "gra",
    "ho",
    "in",
    "ka",
    "lo",
    "mer",
    "no",
    "pri",
    "ra",
    "ser",
    "ti",
    "un",
)


def measure(*, tickets: int, rounds: int) -> dict[str, dict[str, float]]:
    """CPU of this process; the median of the rounds."""
    seconds, milliseconds, size = [], [], 0
    for seed in range(rounds):
        texts, labels = _tickets(random.Random(seed), tickets + PREDICTIONS)
        begun = process_time()
        model = train(texts[:tickets], labels[:tickets])
        seconds.append(process_time() - begun)
        spent = []
        for text in texts[tickets:]:
            begun = process_time()
            model.predict(text)
            spent.append(1000 * (process_time() - begun))
        milliseconds.append(median(spent))
        size = len(model.to_bytes())
    return {
        f"{tickets} tickets of {TITLE_WORDS + TEXT_WORDS} words, {LABELS} labels": {
            "train_cpu_seconds": round(median(seconds), 2),
            "predict_cpu_ms": round(median(milliseconds), 2),
            "model_bytes": size,
        }
    }


def _tickets(chance: random.Random, count: int) -> tuple[list[TicketText], list[str]]:
    words = ["".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))) for _ in range(WORDS)]
    often = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))
    own = [chance.sample(words, WORDS_OF_ITS_OWN) for _ in range(LABELS)]
    texts, labels = [], []
    for _ in range(count):
        label = chance.randrange(LABELS)
        drawn = chance.choices(words, cum_weights=often, k=TITLE_WORDS + TEXT_WORDS - 4)
        drawn += chance.choices(own[label], k=4)
        chance.shuffle(drawn)
        texts.append(TicketText(" ".join(drawn[:TITLE_WORDS]), " ".join(drawn[TITLE_WORDS:])))
        labels.append(f"label {label}")
    return texts, labels
