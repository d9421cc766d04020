"""Collects what was checked and how it came out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class Wrong(Exception):
    """A check that did not pass; the message says what was found."""


@dataclass
class Check:
    """One row of the table; `found` is filled in while the check runs."""

    subject: str
    what: str
    found: str = ""
    passed: bool = False


@dataclass
class Report:
    checks: list[Check] = field(default_factory=list)

    @contextmanager
    def check(self, subject: str, what: str) -> Iterator[Check]:
        """Runs one check; whatever it raises fails it, and the others go on."""
        check = Check(subject, what)
        self.checks.append(check)
        try:
            yield check
            check.passed = True
        except Wrong as wrong:
            check.found = str(wrong)
        except Exception as error:  # noqa: BLE001 - a crash is a failed check, not the end of the report
            check.found = f"{type(error).__name__}: {error}"

    @property
    def passed(self) -> bool:
        return bool(self.checks) and all(check.passed for check in self.checks)

    def markdown(self, title: str) -> str:
        rows = [
            f"| {cell(one.subject)} | {cell(one.what)} | {cell(one.found)} | {'yes' if one.passed else '**NO**'} |"
            for one in self.checks
        ]
        failed = sum(not check.passed for check in self.checks)
        head = ["| of | check | found | passed |", "| --- | --- | --- | --- |"]
        return "\n".join([f"## {title}", "", *head, *rows, "", f"{len(rows) - failed} passed, {failed} failed"])


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def require(condition: bool, message: str) -> None:
    if not condition:
        raise Wrong(message)
