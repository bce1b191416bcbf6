"""What the code of this folder wants to know: the section `settings` of the configuration."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from project.config import Config
from project.section import Section

RETURN_PERIOD = timedelta(days=1)
"""How long after it was placed an order may be returned."""


class Settings(Section):
    """The numbers of the use case."""

    returned_from: Annotated[float, Field(gt=0, le=1)]
    """Share of its price that is refunded, from which an order counts as returned."""


def settings_of(config: Config) -> Settings:
    """The section `settings`.

    Raises:
        pydantic.ValidationError: a key is unknown, missing or of the wrong type; it names the key.
    """
    return Settings.model_validate(config.settings)
