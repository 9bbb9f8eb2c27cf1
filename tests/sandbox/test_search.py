"""Search finds the sandbox's own resources by their descriptions, and moto's experiments."""

import json
from collections.abc import Callable
from typing import Any

from tests.sandbox.support import ROLE, catch_error

Fresh = Callable[[str], str]


def search(sagemaker: Any, resource: str, *filters: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """Return the records that satisfy all filters."""
    expression = {"Filters": list(filters), **more.pop("expression", {})}
    response = sagemaker.search(Resource=resource, SearchExpression=expression, **more)
    assert response["TotalHits"] == {"Value": len(response["Results"]), "Relation": "EqualTo"}
    return [record[resource] for record in response["Results"]]


def test_packages_are_found_by_group_approval_and_version(sagemaker: Any, fresh: Fresh) -> None:
    group = fresh("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=[{"Key": "team.name", "Value": group}])
    arns = [sagemaker.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"] for _ in range(3)]
    sagemaker.update_model_package(ModelPackageArn=arns[0], ModelApprovalStatus="Approved")
    mine = {"Name": "ModelPackageGroupName", "Operator": "Equals", "Value": group}

    def versions(*filters: dict[str, Any], **more: Any) -> list[int]:
        return [package["ModelPackageVersion"] for package in search(sagemaker, "ModelPackage", mine, *filters, **more)]

    assert versions() == [1, 3, 2]
    assert versions(SortBy="ModelPackageVersion", SortOrder="Ascending") == [1, 2, 3]
    assert versions({"Name": "ModelApprovalStatus", "Value": "Approved"}) == [1]
    assert versions({"Name": "ModelApprovalStatus", "Operator": "NotEquals", "Value": "Approved"}) == [3, 2]
    assert versions({"Name": "ModelPackageVersion", "Operator": "GreaterThanOrEqualTo", "Value": "2"}) == [3, 2]
    assert versions({"Name": "ModelApprovalStatus", "Operator": "In", "Value": "Rejected,Approved"}) == [1]
    assert versions({"Name": "CreationTime", "Operator": "LessThan", "Value": "2001-01-01T00:00:00Z"}) == []
    either = [{"Filters": [{"Name": "ModelPackageVersion", "Value": version}]} for version in ("1", "3")]
    assert versions(expression={"SubExpressions": [{"SubExpressions": either, "Operator": "Or"}]}) == [1, 3]
    (tagged,) = search(sagemaker, "ModelPackageGroup", {"Name": "Tags.team.name", "Value": group})
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
    (record,) = search(sagemaker, "FeatureGroup", mine, expression={"NestedFilters": nested})
    assert record["FeatureGroupName"] == group
    assert [feature["FeatureName"] for feature in search(sagemaker, "FeatureMetadata", mine)] != []
    (feature,) = search(sagemaker, "FeatureMetadata", mine, {"Name": "Parameters.Key", "Value": "source"})
    assert feature["Parameters"] == added


def test_model_cards_are_found_by_the_model_and_the_group_in_their_content(sagemaker: Any, fresh: Fresh) -> None:
    name, model, group = fresh("card"), fresh("model"), fresh("group")
    content: dict[str, Any] = {
        "model_overview": {"model_id": model},
        "model_package_details": {"model_package_group_name": group},
        "intended_uses": {"risk_rating": "Low"},
    }
    tags = [{"Key": "team", "Value": "data"}]
    card = {"ModelCardName": name, "ModelCardStatus": "Draft"}
    sagemaker.create_model_card(**card, Content=json.dumps(content), Tags=tags)
    (record,) = search(sagemaker, "ModelCard", {"Name": "ModelId", "Value": model})
    assert (record["ModelCardName"], record["ModelCardVersion"], record["Tags"]) == (name, 1, tags)
    content["intended_uses"]["risk_rating"] = "High"
    sagemaker.update_model_card(**card, Content=json.dumps(content))
    mine = {"Name": "ModelPackageGroupName", "Value": group}
    (record,) = search(sagemaker, "ModelCard", mine, {"Name": "RiskRating", "Value": "High"})
    assert record["ModelCardVersion"] == 2
    assert search(sagemaker, "ModelCard", {"Name": "ModelId", "Value": group}) == []


def test_an_impossible_search_is_refused(sagemaker: Any, fresh: Fresh) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName=fresh("group"))

    def search_error(resource: str, **condition: str) -> str:
        return catch_error(sagemaker.search, Resource=resource, SearchExpression={"Filters": [condition]})[1]

    assert search_error("Endpoint", Name="Colour", Value="red") == "Unknown property name: Colour"
    assert "not supported for CreatedBy" in search_error("ModelPackageGroup", Name="CreatedBy", Value="ana")
    assert "not a single value" in catch_error(sagemaker.search, Resource="ModelPackageGroup", SortBy="CreatedBy")[1]
    assert "Use the List operation" in catch_error(sagemaker.search, Resource="Model")[1]
    assert search_error("Endpoint", Name="EndpointName", Operator="Contains") == (
        "Value must be specified for operator Contains of EndpointName."
    )


def test_experiments_are_searched_in_moto(sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("experiment")
    sagemaker.create_experiment(ExperimentName=name)
    expression = {"Filters": [{"Name": "ExperimentName", "Operator": "Equals", "Value": name}]}
    (record,) = sagemaker.search(Resource="Experiment", SearchExpression=expression)["Results"]
    assert record["Experiment"]["ExperimentName"] == name
