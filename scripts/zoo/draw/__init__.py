"""The eight procedural tasks and the captioned pictures of pretraining."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from . import aerial_objects, digits, land_cover, scenes, street_digits, textures, traffic_signs, vehicles


@dataclass(frozen=True)
class Task:
    name: str
    title: str
    drawer: ModuleType

    @property
    def classes(self) -> tuple[str, ...]:
        return self.drawer.CLASSES

    @property
    def templates(self) -> tuple[str, ...]:
        return self.drawer.TEMPLATES


# The order is that of zoo.json; a task's index also seeds its image streams, so append, never reorder.
TASKS = (
    Task("digits", "Digits", digits),
    Task("street-digits", "Street digits", street_digits),
    Task("traffic-signs", "Traffic signs", traffic_signs),
    Task("land-cover", "Land cover", land_cover),
    Task("scenes", "Scenes", scenes),
    Task("textures", "Textures", textures),
    Task("vehicles", "Vehicles", vehicles),
    Task("aerial-objects", "Aerial objects", aerial_objects),
)
