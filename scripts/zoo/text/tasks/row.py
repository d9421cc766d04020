"""What every task's writer returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Texts by column, the label, and the content that decides which split the row belongs to."""

    texts: tuple[str, ...]
    label: float
    core: str
