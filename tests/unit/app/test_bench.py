"""What the benchmarks measure with: the same words for the same seed, and a corpus that is read as forms are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.bench import NAMES, TAKE_A_CORPUS, corpus
from app.commands import bench
from app.errors import CommandFailed
from app.records.noun import scope_of

SCOPE = scope_of("drill", "01920000-0000-7000-8000-000000000001")


@pytest.mark.parametrize("hard", [False, True])
def test_the_invented_corpus_is_always_the_same_and_as_large_as_a_report_is(hard: bool) -> None:
    listed = corpus.documents(500, hard=hard)
    assert listed == corpus.documents(500, hard=hard)
    assert 465 <= corpus.mean_bytes(listed) <= 485
    assert len(corpus.creates(SCOPE, listed)) == 500


def test_a_corpus_of_a_file_is_taken_again_from_its_beginning(tmp_path: Path) -> None:
    lines = [{"category": "flood", "summary": "冠水"}, {"category": "tree", "summary": "倒木"}]
    path = tmp_path / "reports.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    assert corpus.documents(3, path) == [*lines, lines[0]]


@pytest.mark.parametrize("text", ["", "no JSON"])
def test_a_file_that_is_no_corpus_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "reports.jsonl"
    path.write_text(text)
    with pytest.raises(CommandFailed, match=r"report|JSON"):
        corpus.documents(1, path)


def test_a_report_that_no_form_would_let_through_is_refused() -> None:
    with pytest.raises(CommandFailed, match="category"):
        corpus.creates(SCOPE, [{"category": "dragon", "summary": "?"}])


def test_the_command_knows_every_benchmark_and_which_take_a_corpus(tmp_path: Path) -> None:
    assert set(bench.NAMES) == {*NAMES, "all"} and set(TAKE_A_CORPUS) <= set(NAMES)
    path = tmp_path / "reports.jsonl"
    path.write_text("{}")
    answer = CliRunner().invoke(bench.command, ["start", "--corpus", str(path)])
    assert answer.exit_code == 2 and "takes no corpus" in answer.output
