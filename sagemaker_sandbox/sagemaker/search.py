"""Search: the resources of one type that satisfy an expression."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.model import ListShape, StructureShape

from sagemaker_sandbox.base.errors import NotEmulatedError, ValidationError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.listing import build_page
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily, ServicePart
from sagemaker_sandbox.resources.search_expressions import (
    check_expression,
    find_values,
    list_property_names,
    matches_expression,
)
from sustainable_mlops.aws.service_model import load_service_model

#: Resource types of Search, with the type in ARNs.
_FAMILIES = {
    "Endpoint": "endpoint",
    "FeatureGroup": "feature-group",
    "HyperParameterTuningJob": "hyper-parameter-tuning-job",
    "ModelPackage": "model-package",
    "ModelPackageGroup": "model-package-group",
    "Pipeline": "pipeline",
    "TrainingJob": "training-job",
}
#: Resource types of Search that the sandbox cannot create.
_EMPTY_TYPES = ("HubContent", "Image", "ImageVersion", "Job", "Project")


class ResourceSearch(ServicePart):
    """Handler of Search over all families. moto searches the resources that it records."""

    def __init__(self, region: AccountRegion, families: list[ResourceFamily]) -> None:
        super().__init__(region)
        self._families = {family.arn_type: family for family in families}
        self._generators: Mapping[str, Callable[[], Iterator[Fields]]] = {
            "FeatureMetadata": self._list_features,
            "ModelCard": self._list_model_cards,
            "PipelineExecution": self._list_executions,
        }

    @emulated_operation
    def search(self, request: Fields) -> Fields:
        """Return descriptions with tags. The last changed resource comes first."""
        kind, expression = request["Resource"], request.get("SearchExpression", {})
        if request.get("CrossAccountFilterOption") == "CrossAccount":
            raise NotEmulatedError("Search of other accounts", "Search each account with its own credentials.")
        check_expression(expression)
        for name in list_property_names(expression):
            _check_property(kind, name)
        records = [record for record in self._list_records(kind) if matches_expression(record, expression)]
        sort_by = request.get("SortBy", "LastModifiedTime")
        _check_property(kind, sort_by)
        sortable = [(value[0], record) for record in records if (value := find_values(record, sort_by))]
        if any(isinstance(value, Mapping) for value, _ in sortable):
            raise ValidationError(f"Results cannot be sorted by {sort_by}, which is not a single value.")
        sortable.sort(key=lambda item: item[0], reverse=request.get("SortOrder", "Descending") == "Descending")
        ordered = [record for _, record in sortable] + [
            record for record in records if not find_values(record, sort_by)
        ]
        total = {"Value": len(ordered), "Relation": "EqualTo"}
        return build_page("Search", request, [{kind: record} for record in ordered]) | {"TotalHits": total}

    def _list_records(self, kind: str) -> Iterator[Fields]:
        if kind in _EMPTY_TYPES:
            return
        if kind in self._generators:
            yield from self._generators[kind]()
            return
        if kind not in _FAMILIES:
            raise NotEmulatedError(f"Search of {kind}", "Use the List operation.")
        for resource in self._families[_FAMILIES[kind]]:
            tags = [{"Key": key, "Value": value} for key, value in resource.tags.items()]
            yield resource.fields | {"Tags": tags}

    def _list_features(self) -> Iterator[Fields]:
        for group in self._families["feature-group"]:
            for feature in group.fields["FeatureDefinitions"]:
                identity = {"FeatureGroupName": group.name, "FeatureName": feature["FeatureName"]}
                yield self.region.call("DescribeFeatureMetadata", identity)

    def _list_model_cards(self) -> Iterator[Fields]:
        """Yield the latest version of each model card, with the properties that Search takes from its content."""
        from moto.sagemaker.models import sagemaker_backends

        cards = sagemaker_backends[self.region.account_id][self.region.name].model_cards
        for versions in list(cards.values()):
            if versions:
                card = versions[-1]
                yield card.describe() | _find_card_properties(card.content) | {"Tags": card.tags or []}

    def _list_executions(self) -> Iterator[Fields]:
        for pipeline in self._families["pipeline"]:
            page: Fields = {"NextToken": "0"}
            while token := page.get("NextToken"):
                page_request = {"PipelineName": pipeline.name, "NextToken": token}
                page = self.region.call("ListPipelineExecutions", page_request)
                for summary in page["PipelineExecutionSummaries"]:
                    arn = {"PipelineExecutionArn": summary["PipelineExecutionArn"]}
                    yield self.region.call("DescribePipelineExecution", arn)


def _find_card_properties(content: str) -> Fields:
    """Return the properties of a model card that its content holds. Source: model card JSON schema, developer guide."""
    document = json.loads(content)
    package = document.get("model_package_details", {})
    properties = {
        "ModelId": document.get("model_overview", {}).get("model_id") or package.get("model_package_arn"),
        "ModelPackageGroupName": package.get("model_package_group_name"),
        "RiskRating": document.get("intended_uses", {}).get("risk_rating"),
    }
    return {name: value for name, value in properties.items() if value is not None}


def _check_property(kind: str, name: str) -> None:
    """Raise ValidationError for a property that resources of this type do not have."""
    record: Any = load_service_model("sagemaker").operation_model("Search").output_shape
    for member in ("Results", kind):
        shape = record.members[member]
        record = shape.member if isinstance(shape, ListShape) else shape
    assert isinstance(record, StructureShape)
    properties = {*record.members, *(("Metrics",) if kind == "TrainingJob" else ()), "LastModifiedTime"}
    if name.split(".")[0] not in properties:
        raise ValidationError(f"Unknown property name: {name}")
