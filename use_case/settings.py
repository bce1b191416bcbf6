"""What the code of this folder wants to know: the section `settings` of the configuration."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from project.config import Config
from project.section import Section


class Settings(Section):
    """The numbers of the use case."""

    late_minutes: int
    """Arrival delay, in minutes, from which a flight counts as late."""
    hours_ahead: Annotated[int, Field(gt=0)]
    """Hours before scheduled departure at which a prediction is asked."""
    published_hours_ahead: Annotated[int, Field(gt=0)]
    """Hours before departure at which the feed publishes a schedule."""

    @property
    def published_ahead(self) -> timedelta:
        """How long before departure a schedule is published."""
        return timedelta(hours=self.published_hours_ahead)


def settings_of(config: Config) -> Settings:
    """The section `settings`.

    Raises:
        pydantic.ValidationError: a key is unknown, missing or of the wrong type; it names the key.
    """
    return Settings.model_validate(config.settings)
