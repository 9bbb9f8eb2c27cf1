"""SageMaker Feature Store: each feature computed once and kept once, for training and for serving."""

from cdktn_provider_aws.sagemaker_feature_group import SagemakerFeatureGroup

from modules.feature_store.inputs import KEY_TYPES, RESERVED, Inputs
from modules.protection import protect
from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.resources import Dynamic, Module, Output, Outputs, number


class FeatureStore(Module[Inputs]):
    """Feature groups with an Iceberg offline store, and an online store only where one is asked for."""

    def build(self, var: Inputs) -> Outputs:
        groups = self.add(
            SagemakerFeatureGroup,
            "this",
            for_each="${var.feature_groups}",
            feature_group_name='${var.name_prefix}-${replace(each.key, "_", "-")}',
            description="${each.value.description}",
            record_identifier_feature_name="${each.value.record_identifier}",
            event_time_feature_name="${each.value.event_time}",
            role_arn=var.role_arn,
            tags=var.tags,
            feature_definition=Dynamic(
                "${each.value.features}",
                {"feature_name": "${feature_definition.key}", "feature_type": "${feature_definition.value.type}"},
            ),
            offline_store_config={
                "table_format": "Iceberg",
                "s3_storage_config": {"s3_uri": var.offline_store_s3_uri, "kms_key_id": var.kms_key_arn},
            },
            online_store_config=Dynamic(
                "${each.value.online[*]}",
                {
                    "enable_online_store": True,
                    "security_config": {"kms_key_id": var.kms_key_arn},
                    "ttl_duration": {
                        "unit": "${online_store_config.value.ttl.unit}",
                        "value": number("online_store_config.value.ttl.value"),
                    },
                },
            ),
            throughput_config={"throughput_mode": "OnDemand"},
            notes={
                "lifecycle": "The provider would replace the group, and lose its data, to add a feature or to change "
                "the description. Features are added by UpdateFeatureGroup instead; the checks below tell when."
            },
            lifecycle={"ignore_changes": ["description", "feature_definition"], "precondition": _preconditions()},
        )
        protect(self, f"{{ for key, group in {groups.address} : key => group.arn }}")
        self._compare(groups.address)
        return {
            "feature_groups": Output(
                _by_key(groups.address),
                "Feature groups by key: name, arn, offline_s3_uri (where the data is), online, and the declared "
                "features (name to type), which scripts/evolve_feature_group.py reads.",
            )
        }

    def _compare(self, groups: str) -> None:
        """Warn in every plan where the real features differ from the declared ones."""
        self.local(
            "declared_features",
            _lines("key, group in var.feature_groups", "name, feature in group.features", "name", "feature.type"),
            why="Features as `group.feature (type)`: the declared ones, and those that the groups really have.",
        )
        self.local(
            "actual_features",
            _lines(
                f"key, group in {groups}",
                "feature in group.feature_definition",
                "feature.feature_name",
                "feature.feature_type",
            ),
        )
        lacking = "setsubtract(local.declared_features, local.actual_features)"
        undeclared = "setsubtract(local.actual_features, local.declared_features)"
        self.check(
            "every_declared_feature_exists",
            f"${{length({lacking}) == 0}}",
            f'The feature groups lack ${{join(", ", {lacking})}}. Apply, then add them with '
            "scripts/evolve_feature_group.py: no data is lost.",
        )
        self.check(
            "every_feature_is_declared",
            f"${{length({undeclared}) == 0}}",
            f'The feature groups have ${{join(", ", {undeclared})}}, which feature_groups does not declare. A feature '
            "can be neither removed nor retyped: declare it again as it is.",
        )


def _lines(groups: str, features: str, name: str, kind: str) -> str:
    return f"""${{toset(flatten([
  for {groups} : [
    for {features} : "${{key}}.${{{name}}} (${{{kind}}})"
  ]
]))}}"""


def _by_key(groups: str) -> str:
    return f"""${{{{
  for key, group in {groups} : key => {{
    name           = group.feature_group_name
    arn            = group.arn
    offline_s3_uri = group.offline_store_config[0].s3_storage_config[0].resolved_output_s3_uri
    online         = var.feature_groups[key].online != null
    features       = {{ for name, feature in var.feature_groups[key].features : name => feature.type }}
  }}
}}}}"""


def _preconditions() -> list[dict[str, str]]:
    """The rules between fields, as `FeatureGroup` has them for Python."""
    where = 'feature_groups["${each.key}"]'
    rules = [
        {
            "condition": f"${{contains({hcl.expression(types)}, "
            f'try(each.value.features[each.value.{field}].type, ""))}}',
            "error_message": f"{where}.{field}: '${{each.value.{field}}}' must be one of its features, of type "
            f"{' or '.join(types)}.",
        }
        for field, types in KEY_TYPES.items()
    ]
    unreserved = {
        "condition": f"${{length(setintersection(keys(each.value.features), {hcl.expression(RESERVED)})) == 0}}",
        "error_message": f"{where}.features: Feature Store keeps {', '.join(RESERVED)} for itself; choose other names.",
    }
    return [*rules, unreserved]
