"""A figure of a run, as its record stores it."""

from typing import Literal

from pydantic import ConfigDict, Field

from sustainable_mlops.catalogue.tables import Grade
from sustainable_mlops.settings import Settings

Basis = Literal["measured", "estimated", "assumed"]


class RunFigure(Settings):
    """A number with its unit, basis and source."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    value: float
    unit: str
    basis: Basis
    source: str = Field(description="Where it comes from, or the formula.")
    low: float | None = Field(None, description="Of an estimate: as little as it may be.")
    high: float | None = Field(None, description="Of an estimate: as much as it may be.")
    grade: Grade | None = Field(None, alias="class", description="Of an estimate: A, B or C, see docs/footprint.md.")
    driver: str = Field("", description="Of an estimate: the assumption that moves it most.")
