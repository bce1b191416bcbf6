"""What answers where no endpoint has been deployed: the champion."""

import asyncio
import time
from collections.abc import Sequence

from local_workspace.api.documents import Documents
from local_workspace.api.errors import ApiError, not_found
from local_workspace.serving.endpoints import Entity, Versions, entities_of
from project.registry import champion_version

_SECONDS = 1.0


class ServedHere:
    """One endpoint by its name: as the deployment job left it, or else the champion alone."""

    def __init__(self, name: str, model_name: str, endpoints: Documents, versions: Versions) -> None:
        """Takes the endpoint's name, the model's, where endpoints are written down, and the versions in memory."""
        self._name, self._model_name, self._endpoints, self._versions = name, model_name, endpoints, versions
        self._stamp: object = None
        self._entities: Sequence[Entity] = ()
        self._looked_at = 0.0
        self._is_deployed = False

    async def entities(self, name: str) -> Sequence[Entity]:
        """The entities that answer now.

        Raises:
            ApiError: 404 for another endpoint; 503 while there is no champion.
        """
        if name != self._name:
            raise not_found(f"The given endpoint does not exist: {name}. This server has {self._name}.")
        stamp, now = self._endpoints.stamp(), time.monotonic()
        if stamp != self._stamp or (not self._is_deployed and now - self._looked_at > _SECONDS):
            self._entities = await asyncio.to_thread(self._look)
            self._stamp, self._looked_at = stamp, now
            self._versions.keep(self._entities)
        if not self._entities:
            text = f"{self._model_name} has no champion yet: 'make run' trains and promotes one."
            raise ApiError(503, "TEMPORARILY_UNAVAILABLE", text)
        return self._entities

    def _look(self) -> Sequence[Entity]:
        deployed = entities_of((self._endpoints.get(self._name) or {}).get("config", {}))
        self._is_deployed = bool(deployed)
        if deployed:
            return deployed
        version = champion_version(self._model_name)
        return [] if version is None else [Entity(f"version-{version}", self._model_name, version)]
