"""A model package with the facts that a promotion compares."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.pipelines.data import CONTENT_KEY
from sustainable_mlops.jobs.register import DATA_DIGEST, MODEL_ETAG, SOURCE_DIGEST

_ARN = re.compile(r"arn:[a-z-]+:sagemaker:([a-z0-9-]+):(\d{12}):model-package/([A-Za-z0-9-]+)/(\d+)")
#: Footprint of the training in CustomerMetadataProperties, as the pipelines of the workloads record it.
_CO2E = "co2e_kg"
_FOOTPRINT = (_CO2E, "cost_usd")
#: Carbon of the training in a model card, see jobs/model_card.py.
_CARD_CARBON = "Environment: carbon, operational and embodied"
#: A recorded digest: SHA-256 in hexadecimal digits.
_DIGEST = re.compile(r"([0-9a-f]{64})")
_KG_CO2E = re.compile(r"([0-9.e+-]+) kgCO2e")


@dataclass(frozen=True)
class PackageAddress:
    """Parts of the ARN of a versioned model package."""

    arn: str
    region: str
    account: str
    group: str
    version: int

    @classmethod
    def parse(cls, arn: str, field: str) -> "PackageAddress":
        """Parse an ARN. Raises UserError with the name of the `field` for any other text."""
        match = _ARN.fullmatch(arn)
        if match is None:
            raise UserError(
                f"{field}: {arn} is not the ARN of a version in a model package group, such as "
                "arn:aws:sagemaker:eu-north-1:123456789012:model-package/GROUP/1"
            )
        return cls(arn, match[1], match[2], match[3], int(match[4]))

    @property
    def label(self) -> str:
        """Group and version."""
        return f"{self.group}/{self.version}"


@dataclass(frozen=True)
class RegisteredPackage:
    """A model package as its registry describes it."""

    address: PackageAddress
    fields: Mapping[str, Any]

    @property
    def status(self) -> str:
        """Approval status."""
        return str(self.fields.get("ModelApprovalStatus", "without an approval status"))

    @property
    def created_at(self) -> datetime:
        """Time of the registration."""
        time: datetime = self.fields["CreationTime"]
        return time

    @property
    def approval(self) -> str:
        """Reason of the approval, and the last change: the registry records no separate time of the approval."""
        reason = self.fields.get("ApprovalDescription") or "no reason recorded"
        changed_at = self.fields.get("LastModifiedTime") or self.created_at
        user = self.fields.get("LastModifiedBy") or {}
        name = (user.get("IamIdentity") or {}).get("Arn") or user.get("UserProfileName") or "unknown user"
        return f"{reason}; last change {changed_at:%Y-%m-%d %H:%M} by {name}"

    @property
    def metadata(self) -> dict[str, str]:
        """Properties that the registration recorded."""
        return dict(self.fields.get("CustomerMetadataProperties") or {})

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Finite metrics: those of the model card, else the numbers among the properties."""
        entries = self._training_details.get("user_provided_training_metrics")
        card = {
            one["name"]: one["value"]
            for one in (entries if isinstance(entries, list) else [])
            if isinstance(one, dict) and {"name", "value"} <= one.keys()
        }
        recorded = card or {name: text for name, text in self.metadata.items() if _is_metric(name)}
        return dict(_parse_numbers(recorded))

    def find_metric(self, name: str) -> float | None:
        """Return a metric of the model card or of the properties."""
        values = {**dict(_parse_numbers({name: self.metadata.get(name)})), **self.metrics}
        return values.get(name)

    @property
    def training_kg_co2e(self) -> float | None:
        """Carbon of the training in kgCO2e; None if it is not recorded."""
        if (recorded := dict(_parse_numbers({_CO2E: self.metadata.get(_CO2E)}))) != {}:
            return recorded[_CO2E]
        details = _convert_to_object(_convert_to_object(self._card.get("additional_information")).get("custom_details"))
        match = _KG_CO2E.match(str(details.get(_CARD_CARBON, "")))
        return dict(_parse_numbers({_CO2E: match[1]})).get(_CO2E) if match else None

    @property
    def source_digest(self) -> str | None:
        """Digest of the source that trained the model; None if it is not recorded."""
        text = self.metadata.get(SOURCE_DIGEST, "")
        return text if _DIGEST.fullmatch(text) else None

    @property
    def data_digests(self) -> dict[str, str]:
        """Recorded digests of the data, by channel. A pipeline may record a key that ends with the digest."""
        recorded = {name: text for name, text in self.metadata.items() if name.startswith(DATA_DIGEST)}
        return {
            name.removeprefix(DATA_DIGEST): match[1]
            for name, text in recorded.items()
            if (match := _DIGEST.fullmatch(text) or CONTENT_KEY.fullmatch(text))
        }

    @property
    def specifications(self) -> dict[str | None, Mapping[str, Any]]:
        """Inference specifications by name; None is the main one."""
        main = self.fields.get("InferenceSpecification")
        additional = self.fields.get("AdditionalInferenceSpecifications") or []
        return {**({None: main} if main else {}), **{one.get("Name"): one for one in additional}}

    @property
    def models(self) -> dict[str, tuple[str, ...]]:
        """Addresses of the models in all inference specifications, each with its recorded ETags.

        SageMaker records an ETag that nobody can change, and `smlops register` another one in the properties.
        """
        containers = [
            one for specification in self.specifications.values() for one in specification.get("Containers", [])
        ]
        recorded = self.metadata.get(MODEL_ETAG)
        return {
            address: tuple(etag for etag in (container.get("ModelDataETag"), recorded) if etag)
            for container in containers
            if (address := container.get("ModelDataUrl") or _find_source(container))
        }

    @cached_property
    def _card(self) -> dict[str, Any]:
        try:
            card = json.loads((self.fields.get("ModelCard") or {}).get("ModelCardContent") or "{}")
        except ValueError:
            return {}
        return _convert_to_object(card)

    @property
    def _training_details(self) -> dict[str, Any]:
        return _convert_to_object(_convert_to_object(self._card.get("training_details")).get("training_job_details"))


def read_package(address: PackageAddress, sagemaker: Client) -> RegisteredPackage:
    """Return the package at an address. Raises UserError if it does not exist or cannot be read."""
    with aws.translate_aws_errors(f"model package {address.arn}"):
        return RegisteredPackage(address, sagemaker.describe_model_package(ModelPackageName=address.arn))


def _convert_to_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _find_source(container: Mapping[str, Any]) -> str | None:
    """Return the address of a model that is a prefix or an object without archive."""
    source = _convert_to_object(container.get("ModelDataSource")).get("S3DataSource")
    address: str | None = _convert_to_object(source).get("S3Uri")
    return address


def _is_metric(name: str) -> bool:
    known = ("workload", "run_key", "training_job", "image", SOURCE_DIGEST, MODEL_ETAG, *_FOOTPRINT)
    return name not in known and not name.startswith(DATA_DIGEST)


def _parse_numbers(values: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the values that are finite numbers."""
    for name, value in values.items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            continue
        if math.isfinite(number):
            yield name, number
