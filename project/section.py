"""A part of the configuration: frozen, with unknown keys refused."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """A part of the configuration. The docstring below a field is what `make config` says of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _no_flag_in_place_of_a_number(cls, given: Any) -> Any:
        """YAML reads `yes` and `true` as a flag, and a flag would count as 1."""
        for name, field in cls.model_fields.items():
            if isinstance(given, dict) and isinstance(given.get(name), bool) and field.annotation is not bool:
                raise ValueError(f"`{name}` must not be true or false")
        return given
