"""Bodies of the sandbox's own requests about emissions."""

from datetime import UTC, datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sagemaker_sandbox.resources.usage_log import InstancePeriod, InstancePurpose
from sustainable_mlops.catalogue import instances, regions


class CarbonFactors(BaseModel):
    """Factor of all emissions, and factors that replace it in single months."""

    model_config = ConfigDict(extra="forbid")
    factor: float = Field(1.0, ge=0, le=1e6, description="Factor of all emissions.")
    months: dict[str, float] = Field({}, description="Factors of single months, such as 2026-08.")

    @field_validator("months")
    @classmethod
    def _check_months(cls, months: dict[str, float]) -> dict[str, float]:
        for name in months:
            try:
                datetime.strptime(name, "%Y-%m").replace(tzinfo=UTC)
            except ValueError:
                raise ValueError(f"{name} is not a month such as 2026-08") from None
        return months


class PastInstancePeriod(BaseModel):
    """Earlier period in which instances ran."""

    model_config = ConfigDict(extra="forbid")
    account: str | None = Field(None, pattern=r"^\d{12}$", description="Account; the default account if None.")
    region: str
    instance_type: str
    count: int = Field(1, ge=1)
    start: datetime
    end: datetime
    purpose: InstancePurpose = "endpoint"

    @field_validator("region")
    @classmethod
    def _check_region(cls, name: str) -> str:
        if regions.find(name) is None:
            raise ValueError(f"AWS has no Region {name}")
        return name

    @field_validator("instance_type")
    @classmethod
    def _check_instance_type(cls, name: str) -> str:
        if instances.find(name) is None:
            raise ValueError(f"{name}: {instances.explain_unknown(name)}")
        return name

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if add_zone(self.start) >= add_zone(self.end):
            raise ValueError("start must be before end")
        return self

    def to_period(self) -> InstancePeriod:
        """Return the entry of the usage log."""
        return InstancePeriod(self.instance_type, self.count, add_zone(self.start), add_zone(self.end), self.purpose)


def add_zone(moment: datetime) -> datetime:
    """Return a time in UTC if it has no time zone."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
