"""Feature groups, with offline stores in the data bucket."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from envs.common import CommonSettings
from envs.component import Component
from envs.components.access import Access
from envs.components.storage import Storage
from envs.names import EnvironmentName, join_parts
from envs.settings_models import get_explicit_settings
from modules.common import RoleInputs
from modules.feature_store.inputs import FeatureGroup, GroupKey, TableOptimizers
from sustainable_mlops.authoring import Field
from sustainable_mlops.authoring.expressions import each_of, jsonencode

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot


#: Fields of a feature group in its parameter. Their size is bounded, unlike that of the features.
PUBLISHED_FIELDS = ("name", "arn", "offline_s3_uri", "online")


class FeatureStoreSettings(CommonSettings):
    feature_groups: dict[GroupKey, FeatureGroup] = Field(
        {}, description="Overrides of envs/catalogue/features, by key. Null removes a group."
    )
    table_optimizers: TableOptimizers | None = Field(
        None, description="Let AWS Glue compact the tables of the feature groups. Default: none."
    )


class FeatureStore(Component[FeatureStoreSettings]):
    """Feature groups of the environment."""

    feature_groups: Mapping[str, Any]

    def list_names(self) -> Iterator[EnvironmentName]:
        for key in self.settings.feature_groups:
            yield EnvironmentName("feature_group", f"feature_groups.{key}", join_parts(self.settings.name_prefix, key))
            yield EnvironmentName("parameter", f"feature_groups.{key}", f"{self._path}/{key}")

    def add(self, env: "EnvironmentRoot") -> None:
        settings, storage, access = self.settings, env[Storage], env[Access]
        optimizers = settings.table_optimizers
        optional_inputs: dict[str, Any] = (
            {} if optimizers is None else {"table_optimizers": get_explicit_settings(optimizers)}
        )
        module = env.call(
            env.modules["feature_store"],
            name_prefix=settings.name_prefix,
            **settings.account_and_region,
            **settings.protected,
            feature_groups={key: get_explicit_settings(group) for key, group in settings.feature_groups.items()},
            kms_key_arn=storage.kms_key_arn,
            offline_store_s3_uri=f"s3://{storage.buckets['data'].name}/feature-store",
            role_arn=access.role_arns["data_preparation"],
            **get_explicit_settings(access.settings.access, RoleInputs),
            **optional_inputs,
        )
        self.feature_groups = module.feature_groups
        self._publish(env)

    def _publish(self, env: "EnvironmentRoot") -> None:
        """Add one parameter for each group, because the features of many groups are too large for one."""
        from cdktn_provider_aws.ssm_parameter import SsmParameter

        if not self.settings.feature_groups:
            return
        group = each_of(self.feature_groups)
        env.add(
            SsmParameter,
            "feature_groups",
            why="Data for writers and readers of the group. DescribeFeatureGroup returns its features.",
            skips={"CKV2_AWS_34": "names and ARNs, no secret"},
            for_each=group,
            name=f"{self._path}/{group.key}",
            description="Name, ARN and offline store of a feature group.",
            type="String",
            value=jsonencode({field: getattr(group.value, field) for field in PUBLISHED_FIELDS}),
        )

    @property
    def _path(self) -> str:
        return f"/sustainable-mlops/{self.settings.environment}/feature_groups"

    def list_large_fields(self) -> Mapping[str, Any]:
        return {"feature_groups": self.feature_groups}
