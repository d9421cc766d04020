"""The eight tasks, in GLUE's order; each module is one, and says in its docstring what it mirrors."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from tasks import (
    acceptability,
    answerability,
    duplicates,
    entailment,
    inference,
    paraphrase,
    sentiment,
    similarity,
)


@dataclass(frozen=True)
class Task:
    """A task as the manifest describes it; `answers[i]` says label i, None for a number with one decimal."""

    name: str
    title: str
    mirrors: str
    writer: ModuleType
    columns: tuple[str, ...]
    prompt: str
    answers: tuple[str, ...] | None

    @property
    def metric(self) -> str:
        return "accuracy" if self.answers else "spearman"

    def target(self, label: float) -> str:
        return self.answers[int(label)] if self.answers else f"{label:.1f}"

    def ask(self, texts: tuple[str, ...]) -> str:
        return self.prompt.format(**dict(zip(self.columns, texts, strict=True)))


TASKS = (
    Task(
        "acceptability",
        "Acceptability",
        "CoLA",
        acceptability,
        ("sentence",),
        "Is this grammatical: {sentence} ? Answer acceptable or unacceptable.",
        ("unacceptable", "acceptable"),
    ),
    Task(
        "entailment",
        "Entailment",
        "MNLI",
        entailment,
        ("premise", "hypothesis"),
        "Premise: {premise} . Hypothesis: {hypothesis} . Answer entailment, neutral or contradiction.",
        ("entailment", "neutral", "contradiction"),
    ),
    Task(
        "paraphrase",
        "Paraphrase",
        "MRPC",
        paraphrase,
        ("sentence1", "sentence2"),
        "Do they mean the same: {sentence1} / {sentence2} ? Answer yes or no.",
        ("no", "yes"),
    ),
    Task(
        "answerability",
        "Answerable question",
        "QNLI",
        answerability,
        ("question", "sentence"),
        "Can the text answer {question} ? Text: {sentence} . Answer yes or no.",
        ("yes", "no"),
    ),
    Task(
        "duplicates",
        "Duplicate questions",
        "QQP",
        duplicates,
        ("question1", "question2"),
        "Is it the same question: {question1} / {question2} ? Answer yes or no.",
        ("no", "yes"),
    ),
    Task(
        "inference",
        "Two-way entailment",
        "RTE",
        inference,
        ("sentence1", "sentence2"),
        "Text: {sentence1} . Does it follow that {sentence2} ? Answer yes or no.",
        ("yes", "no"),
    ),
    Task(
        "sentiment",
        "Sentiment",
        "SST-2",
        sentiment,
        ("sentence",),
        "Review: {sentence} . Answer positive or negative.",
        ("negative", "positive"),
    ),
    Task(
        "similarity",
        "Similarity",
        "STS-B",
        similarity,
        ("sentence1", "sentence2"),
        "Rate from 1 to 5 how similar they are: {sentence1} / {sentence2} .",
        None,
    ),
)
