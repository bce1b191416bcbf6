"""What the code of this folder wants to know: the section `settings` of the configuration."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from project.config import Config, Moment
from project.section import Section

DAY = timedelta(days=1)


class Settings(Section):
    """The numbers of the use case."""

    products: Annotated[int, Field(gt=0)]
    """So many products are watched: those that sold on most days before `chosen_before`."""
    chosen_before: Moment
    """What sold from then on has no say in which products are watched."""
    planned_days_ahead: Annotated[int, Field(gt=0)]
    """Days before a trading day on which the plan of the shop has it."""

    @property
    def planned_ahead(self) -> timedelta:
        """How long before a trading day begins it is in the plan."""
        return DAY * self.planned_days_ahead


def settings_of(config: Config) -> Settings:
    """The section `settings`.

    Raises:
        pydantic.ValidationError: a key is unknown, missing or of the wrong type; it names the key.
    """
    return Settings.model_validate(config.settings)
