"""SageMaker Feature Store: features that are computed and stored once, for training and for serving."""

from typing import Any

from cdktn_provider_aws.sagemaker_feature_group import SagemakerFeatureGroup

from modules.feature_store import iam_statements
from modules.feature_store.inputs import Inputs
from modules.feature_store.optimizers import add_optimizers
from modules.iam_statements import build_statements_output, derive_location
from modules.protection import protect
from sustainable_mlops.authoring.expressions import (
    Dynamic,
    difference,
    each_of,
    flatten,
    is_null,
    join,
    length,
    list_of,
    map_of,
    optional,
    set_of,
)
from sustainable_mlops.authoring.resources import Module, Output, Outputs


class FeatureStoreModule(Module[Inputs]):
    """Feature groups with an Iceberg offline store and an optional online store."""

    def build(self, var: Inputs) -> Outputs:
        group = each_of(var.feature_groups)
        groups = self.add(
            SagemakerFeatureGroup,
            "this",
            for_each=group,
            feature_group_name=iam_statements.group_name(var, group.key),
            description=group.value.description,
            record_identifier_feature_name=group.value.record_identifier,
            event_time_feature_name=group.value.event_time,
            role_arn=var.role_arn,
            tags=var.tags,
            feature_definition=Dynamic(
                group.value.features,
                lambda feature_definition: {
                    "feature_name": feature_definition.key,
                    "feature_type": feature_definition.value.type,
                },
            ),
            offline_store_config={
                "table_format": "Iceberg",
                "s3_storage_config": {"s3_uri": var.offline_store_s3_uri, "kms_key_id": var.kms_key_arn},
            },
            online_store_config=Dynamic(
                optional(group.value.online),
                lambda online_store_config: {
                    "enable_online_store": True,
                    "security_config": {"kms_key_id": var.kms_key_arn},
                    "ttl_duration": {
                        "unit": online_store_config.value.ttl.unit,
                        "value": online_store_config.value.ttl.value,
                    },
                },
            ),
            throughput_config={"throughput_mode": "OnDemand"},
            notes={
                "lifecycle": "For a change of these values, the provider would replace the group and lose its "
                "data. UpdateFeatureGroup adds features and changes the storage type. The checks below report "
                "different features."
            },
            lifecycle={"ignore_changes": ["description", "feature_definition", "online_store_config[0].storage_type"]},
        )
        protect(self, map_of(groups, lambda group: group.arn))
        self._compare(var, groups)
        at = self.local("location", derive_location(var), why="Account, Region and partition of the groups.")
        add_optimizers(self, groups, at)
        return {
            "feature_groups": Output(
                _describe_groups(var, groups),
                "Feature groups by key: name, arn, offline_s3_uri (where the data is), online, and the declared "
                "features (name to type), which smlops evolve reads.",
            ),
            "role_statements": build_statements_output(iam_statements.build_statements(var, at)),
        }

    def _compare(self, var: Inputs, groups: Any) -> None:
        """Warn in every plan in which the real features differ from the declared ones."""
        declared = self.local(
            "declared_features",
            _flatten_names(
                list_of(
                    var.feature_groups,
                    lambda key, group: list_of(group.features, lambda name, feature: f"{key}.{name} ({feature.type})"),
                )
            ),
            why="Features as `group.feature (type)`: the declared ones, and the real ones.",
        )
        actual = self.local(
            "actual_features",
            _flatten_names(
                list_of(
                    groups,
                    lambda key, group: list_of(
                        group.feature_definition,
                        lambda feature: f"{key}.{feature.feature_name} ({feature.feature_type})",
                    ),
                )
            ),
        )
        lacking, undeclared = difference(declared, actual), difference(actual, declared)
        self.check(
            "every_declared_feature_exists",
            length(lacking) == 0,
            f"The feature groups lack {join(', ', lacking)}. Apply, then add them with smlops evolve. No data is lost.",
        )
        self.check(
            "every_feature_is_declared",
            length(undeclared) == 0,
            f"The feature groups have {join(', ', undeclared)}, which feature_groups does not declare. A feature "
            "cannot be removed or change its type: declare it again as it is.",
        )


def _flatten_names(by_group: list[list[str]]) -> set[str]:
    return set_of(flatten(by_group))


def _describe_groups(var: Inputs, groups: Any) -> Any:
    return map_of(
        groups,
        lambda key, group: {
            "name": group.feature_group_name,
            "arn": group.arn,
            "offline_s3_uri": group.offline_store_config[0].s3_storage_config[0].resolved_output_s3_uri,
            "online": ~is_null(var.feature_groups[key].online),
            "features": map_of(var.feature_groups[key].features, lambda _name, feature: feature.type),
        },
    )
