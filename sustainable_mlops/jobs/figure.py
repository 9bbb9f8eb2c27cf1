"""A figure of a run, as its record stores it."""

from typing import Literal

from pydantic import ConfigDict, Field

from sustainable_mlops.base.settings import Settings
from sustainable_mlops.catalogue.tables import Grade

Basis = Literal["measured", "estimated", "assumed"]


class RunFigure(Settings):
    """A number with its unit, basis and source."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    value: float
    unit: str
    basis: Basis
    source: str = Field(description="Source or formula of the value.")
    low: float | None = Field(None, description="Estimate: lower bound.")
    high: float | None = Field(None, description="Estimate: upper bound.")
    grade: Grade | None = Field(None, alias="class", description="Estimate: class A, B or C, see docs/footprint.md.")
    driver: str = Field("", description="Estimate: the assumption with the largest effect.")
