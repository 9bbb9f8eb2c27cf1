"""Search finds the sandbox's own resources by what Describe says of them, and moto's experiments."""

from collections.abc import Callable
from typing import Any

from tests.sandbox.support import ROLE, refusal

Fresh = Callable[[str], str]


def found(sagemaker: Any, resource: str, *filters: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """The records that satisfy all the filters."""
    expression = {"Filters": list(filters), **more.pop("expression", {})}
    answer = sagemaker.search(Resource=resource, SearchExpression=expression, **more)
    assert answer["TotalHits"] == {"Value": len(answer["Results"]), "Relation": "EqualTo"}
    return [record[resource] for record in answer["Results"]]


def test_packages_are_found_by_group_approval_and_version_the_last_changed_first(sagemaker: Any, fresh: Fresh) -> None:
    group = fresh("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=[{"Key": "team.name", "Value": group}])
    arns = [sagemaker.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"] for _ in range(3)]
    sagemaker.update_model_package(ModelPackageArn=arns[0], ModelApprovalStatus="Approved")
    mine = {"Name": "ModelPackageGroupName", "Operator": "Equals", "Value": group}

    def versions(*filters: dict[str, Any], **more: Any) -> list[int]:
        return [package["ModelPackageVersion"] for package in found(sagemaker, "ModelPackage", mine, *filters, **more)]

    assert versions() == [1, 3, 2]
    assert versions(SortBy="ModelPackageVersion", SortOrder="Ascending") == [1, 2, 3]
    assert versions({"Name": "ModelApprovalStatus", "Value": "Approved"}) == [1]
    assert versions({"Name": "ModelApprovalStatus", "Operator": "NotEquals", "Value": "Approved"}) == [3, 2]
    assert versions({"Name": "ModelPackageVersion", "Operator": "GreaterThanOrEqualTo", "Value": "2"}) == [3, 2]
    assert versions({"Name": "ModelApprovalStatus", "Operator": "In", "Value": "Rejected,Approved"}) == [1]
    assert versions({"Name": "CreationTime", "Operator": "LessThan", "Value": "2001-01-01T00:00:00Z"}) == []
    either = [{"Filters": [{"Name": "ModelPackageVersion", "Value": version}]} for version in ("1", "3")]
    assert versions(expression={"SubExpressions": [{"SubExpressions": either, "Operator": "Or"}]}) == [1, 3]
    (tagged,) = found(sagemaker, "ModelPackageGroup", {"Name": "Tags.team.name", "Value": group})
    assert tagged["Tags"] == [{"Key": "team.name", "Value": group}]


def test_features_are_found_by_their_parameters(sagemaker: Any, fresh: Fresh) -> None:
    group = fresh("features")
    sagemaker.create_feature_group(
        FeatureGroupName=group,
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        FeatureDefinitions=[{"FeatureName": name, "FeatureType": "String"} for name in ("id", "at", "origin")],
        OnlineStoreConfig={"EnableOnlineStore": True},
        RoleArn=ROLE,
    )
    added = [{"Key": "source", "Value": "tower"}]
    sagemaker.update_feature_metadata(FeatureGroupName=group, FeatureName="origin", ParameterAdditions=added)
    nested = [
        {
            "NestedPropertyName": "FeatureDefinitions",
            "Filters": [{"Name": "FeatureDefinitions.FeatureName", "Operator": "Contains", "Value": "orig"}],
        }
    ]
    mine = {"Name": "FeatureGroupName", "Value": group}
    (one,) = found(sagemaker, "FeatureGroup", mine, expression={"NestedFilters": nested})
    assert one["FeatureGroupName"] == group
    assert [feature["FeatureName"] for feature in found(sagemaker, "FeatureMetadata", mine)] != []
    (feature,) = found(sagemaker, "FeatureMetadata", mine, {"Name": "Parameters.Key", "Value": "source"})
    assert feature["Parameters"] == added


def test_what_cannot_be_searched_is_refused_in_a_line(sagemaker: Any, fresh: Fresh) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName=fresh("group"))

    def refused(resource: str, **condition: str) -> str:
        return refusal(sagemaker.search, Resource=resource, SearchExpression={"Filters": [condition]})[1]

    assert refused("Endpoint", Name="Colour", Value="red") == "Unknown property name: Colour"
    assert "not supported for CreatedBy" in refused("ModelPackageGroup", Name="CreatedBy", Value="ana")
    assert "no single value" in refusal(sagemaker.search, Resource="ModelPackageGroup", SortBy="CreatedBy")[1]
    assert "Use the List operation" in refusal(sagemaker.search, Resource="ModelCard")[1]
    assert refused("Endpoint", Name="EndpointName", Operator="Contains") == (
        "Value must be specified for operator Contains of EndpointName."
    )


def test_experiments_are_searched_where_they_are_recorded(sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("experiment")
    sagemaker.create_experiment(ExperimentName=name)
    wanted = {"Filters": [{"Name": "ExperimentName", "Operator": "Equals", "Value": name}]}
    (record,) = sagemaker.search(Resource="Experiment", SearchExpression=wanted)["Results"]
    assert record["Experiment"]["ExperimentName"] == name
