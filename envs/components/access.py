"""IAM roles for the phases of a model's lifecycle."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from envs.common import CommonSettings
from envs.component import Component
from envs.components.network import Network
from envs.components.storage import Storage
from envs.settings_models import add_module_options, get_explicit_settings
from modules.access.inputs import Inputs
from modules.common import LocatedInputs, RoleArn
from modules.iam_statements import Phase
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.expressions import concat, merge

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot

_ENVIRONMENT_INPUTS = ("buckets", "feature_group_names", "kms_key_arn", "model_package_group_names", "role_statements")


@add_module_options(Inputs, excluded=(*LocatedInputs.model_fields, *_ENVIRONMENT_INPUTS))
class AccessOptions(ModuleInputs):
    """Settings of the module `access`."""


class AccessSettings(CommonSettings):
    access: AccessOptions = Field(
        AccessOptions(), description="Roles: permissions boundary, path, repositories and network."
    )
    recommendation_role_arn: RoleArn | None = Field(
        None,
        description="Existing role for the load tests of `smlops recommend`, which create and delete endpoints. It is "
        "not created here, because AWS documents no policy narrower than AmazonSageMakerFullAccess.",
    )


class Access(Component[AccessSettings]):
    """Roles with least privileges."""

    role_arns: Mapping[Phase, str]

    def add(self, env: "EnvironmentRoot") -> None:
        storage, statements = env[Storage], env.list_iam_statements()
        optional_inputs: dict[str, Any] = {"role_statements": statements} if statements else {}
        module = env.call(
            env.modules["access"],
            **self.settings.located,
            buckets=storage.buckets,
            kms_key_arn=storage.kms_key_arn,
            # Names and not outputs, because the modules that create the groups need these roles.
            feature_group_names=env.list_names("feature_group"),
            model_package_group_names=env.list_names("model_package_group"),
            **optional_inputs,
            **(get_explicit_settings(self.settings.access) | self._build_vpc_input(env[Network].vpc)),
        )
        self.role_arns = module.role_arns

    def _build_vpc_input(self, network: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the input `vpc`: the network of the environment, together with the one in the settings."""
        others = get_explicit_settings(self.settings.access).get("vpc")
        if network is None:
            return {}
        if others is None:
            return {"vpc": network}
        return {"vpc": {name: concat(network[name], ids) for name, ids in others.items()}}

    def list_platform_fields(self) -> Mapping[str, Any]:
        role_arn = self.settings.recommendation_role_arn
        return {"roles": self.role_arns if role_arn is None else merge(self.role_arns, {"recommendation": role_arn})}
