"""Platform parameter: names and ARNs of the environment for launchers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from envs.common import CommonSettings
from envs.component import Component
from envs.names import EnvironmentName, NameKind
from sustainable_mlops.authoring.expressions import jsonencode, merge
from sustainable_mlops.aws.parameters import get_platform_parameter
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue.limits import get_limit

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot
    from sustainable_mlops.authoring.resources import Outputs


#: Kinds of names in the parameter: one for each bucket, model and pipeline.
_NAMED_KINDS: tuple[NameKind, ...] = ("bucket", "model_package_group", "pipeline")
#: Maximum size of all other fields, in characters: names, tags, and ARNs of a key and of roles.
_OTHERS_CHARACTERS = 2_500


class PlatformParameter(Component[CommonSettings]):
    """SSM parameter with the platform fields of the components before it."""

    #: Output `platform`: the fields of the parameter, and the fields that are too large for it.
    platform_output: Any
    platform: Any
    parameter: str

    @property
    def _name(self) -> str:
        return get_platform_parameter(self.settings.environment)

    def list_names(self) -> Iterator[EnvironmentName]:
        yield EnvironmentName("parameter", "environment", self._name)

    def add(self, env: "EnvironmentRoot") -> None:
        from cdktn_provider_aws.ssm_parameter import SsmParameter

        settings = self.settings
        self.platform = env.local(
            "platform",
            {
                "environment": settings.environment,
                "region": settings.region,
                "account_id": settings.account_id,
                "name_prefix": settings.name_prefix,
                "warm_pools": settings.warm_pools,
                **env.list_platform_fields(),
                "tags": settings.all_tags,
            },
            why="Data for launchers.",
        )
        large_fields = env.list_large_fields()
        self.platform_output = merge(self.platform, large_fields) if large_fields else self.platform
        self._check_size(env)
        parameter = env.add(
            SsmParameter,
            "platform",
            why="Launchers read this parameter, so they need neither Terraform nor its state.",
            skips={"CKV2_AWS_34": "names and ARNs, no secret"},
            name=self._name,
            description="Names and ARNs that launchers of jobs need.",
            type="String",
            tier="Intelligent-Tiering",
            value=jsonencode(self.platform),
        )
        self.parameter = parameter.name

    def _check_size(self, env: "EnvironmentRoot") -> None:
        """Raise UserError if the names of all buckets, models and pipelines are too large for a parameter."""
        names = [name for kind in _NAMED_KINDS for name in env.list_names(kind)]
        # The name contains the key. Both are in quotes, with a colon and a comma.
        size = _OTHERS_CHARACTERS + sum(2 * len(name) + 6 for name in names)
        if size > (maximum := get_limit("parameter_value_characters")):
            raise UserError(
                f"envs/{self.settings.environment}/settings.yaml: {len(names)} buckets, models and pipelines take up "
                f"to {size} characters of the parameter {self._name}, which holds {maximum}; shorten name_prefix and "
                "keys, or split the environment in two"
            )

    def list_outputs(self) -> "Outputs":
        from sustainable_mlops.authoring.resources import Output

        return {
            "platform": Output(
                self.platform_output,
                "Names and ARNs for launchers, as in the SSM parameter, and the feature groups.",
            ),
            "platform_parameter": Output(self.parameter, "SSM parameter with `platform` as JSON."),
        }
