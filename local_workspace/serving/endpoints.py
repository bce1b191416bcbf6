"""Which version answers: an endpoint's traffic split, and the versions in memory."""

import asyncio
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from local_workspace.serving.batching import Batcher
from local_workspace.serving.served_model import ServedModel, load_version


@dataclass(frozen=True)
class Entity:
    """A version that an endpoint serves, and its share of the traffic in percent."""

    name: str
    model_name: str
    version: str
    percent: int = 100


def entities_of(config: dict[str, Any]) -> list[Entity]:
    """The entities of an endpoint's configuration, as the API has it."""
    routes = config.get("traffic_config", {}).get("routes", [])
    shares = {route.get("served_entity_name") or route["served_model_name"]: route for route in routes}
    return [
        Entity(
            entity["name"],
            entity["entity_name"],
            entity["entity_version"],
            shares.get(entity["name"], {}).get("traffic_percentage", 0),
        )
        for entity in config.get("served_entities", [])
    ]


def choose(entities: Sequence[Entity]) -> Entity:
    """One entity, each as often as its share says."""
    if len(entities) == 1:
        return entities[0]
    (chosen,) = random.choices(entities, weights=[entity.percent for entity in entities])  # noqa: S311 (no secret)
    return chosen


@dataclass(frozen=True)
class Loaded:
    """A version in memory, and its queue."""

    model: ServedModel
    batcher: Batcher


class Versions:
    """The versions in memory, each loaded once; one thread predicts for all, as more would wait for each other."""

    def __init__(self, load: Callable[[str, str], ServedModel] | None = None) -> None:
        """Takes what loads a version."""
        self._load = load or load_version
        self._loaded: dict[tuple[str, str], Loaded] = {}
        self._lock = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predict")

    async def get(self, entity: Entity) -> Loaded:
        """The version of an entity."""
        key = entity.model_name, entity.version
        found = self._loaded.get(key)
        if found is None:
            async with self._lock:
                if key not in self._loaded:
                    model = await asyncio.to_thread(self._load, *key)
                    self._loaded[key] = Loaded(model, Batcher(model.predict, self._thread))
                found = self._loaded[key]
        return found

    def keep(self, entities: Sequence[Entity]) -> None:
        """Forgets all other versions."""
        kept = {(entity.model_name, entity.version) for entity in entities}
        for key in self._loaded.keys() - kept:
            del self._loaded[key]
