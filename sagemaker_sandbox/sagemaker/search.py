"""Search: the resources of one kind that satisfy an expression."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.model import ListShape, StructureShape

from sustainable_mlops.aws.service_model import service_model
from sagemaker_sandbox.errors import NotEmulatedError, ValidationError
from sagemaker_sandbox.parts.listing import cut
from sagemaker_sandbox.parts.matching import check, matches, names, values
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import ResourceFamily, Fields, ServicePart

#: What Search calls a family of resources, to the type in their ARNs.
_FAMILIES = {
    "Endpoint": "endpoint",
    "FeatureGroup": "feature-group",
    "HyperParameterTuningJob": "hyper-parameter-tuning-job",
    "ModelPackage": "model-package",
    "ModelPackageGroup": "model-package-group",
    "Pipeline": "pipeline",
    "TrainingJob": "training-job",
}
#: What cannot be made here, so that there is none.
_NONE = ("HubContent", "Image", "ImageVersion", "Job", "Project")


class Search(ServicePart):
    """Search, over all families; what moto records, moto searches."""

    def __init__(self, region: AccountRegion, families: list[ResourceFamily]) -> None:
        super().__init__(region)
        self._families = {family.arn_type: family for family in families}
        self._made: Mapping[str, Callable[[], Iterator[Fields]]] = {
            "FeatureMetadata": self._features,
            "PipelineExecution": self._executions,
        }

    @emulated_operation
    def search(self, request: Fields) -> Fields:
        """Records as Describe has them, with their tags; what was changed last comes first."""
        kind, expression = request["Resource"], request.get("SearchExpression", {})
        if request.get("CrossAccountFilterOption") == "CrossAccount":
            raise NotEmulatedError("Search of other accounts", "Search each account with its own credentials.")
        check(expression)
        for name in names(expression):
            _must_be_known(kind, name)
        found = [record for record in self._records(kind) if matches(record, expression)]
        by = request.get("SortBy", "LastModifiedTime")
        _must_be_known(kind, by)
        have = [(value[0], record) for record in found if (value := values(record, by))]
        if any(isinstance(value, Mapping) for value, _ in have):
            raise ValidationError(f"Results cannot be sorted by {by}, which is no single value.")
        have.sort(key=lambda one: one[0], reverse=request.get("SortOrder", "Descending") == "Descending")
        ordered = [record for _, record in have] + [record for record in found if not values(record, by)]
        total = {"Value": len(ordered), "Relation": "EqualTo"}
        return cut("Search", request, [{kind: record} for record in ordered]) | {"TotalHits": total}

    def _records(self, kind: str) -> Iterator[Fields]:
        if kind in _NONE:
            return
        if kind in self._made:
            yield from self._made[kind]()
            return
        if kind not in _FAMILIES:
            raise NotEmulatedError(f"Search of {kind}", "Use the List operation.")
        for resource in self._families[_FAMILIES[kind]]:
            tags = [{"Key": key, "Value": value} for key, value in resource.tags.items()]
            yield resource.fields | {"Tags": tags}

    def _features(self) -> Iterator[Fields]:
        for group in self._families["feature-group"]:
            for feature in group.fields["FeatureDefinitions"]:
                wanted = {"FeatureGroupName": group.name, "FeatureName": feature["FeatureName"]}
                yield self.region.call("DescribeFeatureMetadata", wanted)

    def _executions(self) -> Iterator[Fields]:
        for pipeline in self._families["pipeline"]:
            page: Fields = {"NextToken": "0"}
            while token := page.get("NextToken"):
                wanted = {"PipelineName": pipeline.name, "NextToken": token}
                page = self.region.call("ListPipelineExecutions", wanted)
                for summary in page["PipelineExecutionSummaries"]:
                    arn = {"PipelineExecutionArn": summary["PipelineExecutionArn"]}
                    yield self.region.call("DescribePipelineExecution", arn)


def _must_be_known(kind: str, name: str) -> None:
    """Raise ValidationError for a property that resources of this kind have not."""
    record: Any = service_model("sagemaker").operation_model("Search").output_shape
    for member in ("Results", kind):
        shape = record.members[member]
        record = shape.member if isinstance(shape, ListShape) else shape
    assert isinstance(record, StructureShape)
    known = {*record.members, *(("Metrics",) if kind == "TrainingJob" else ()), "LastModifiedTime"}
    if name.split(".")[0] not in known:
        raise ValidationError(f"Unknown property name: {name}")
