"""What launchers need to know, where they can read it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from envs.common import Common
from envs.component import Component
from envs.names import Name
from sustainable_mlops.authoring.expressions import jsonencode

if TYPE_CHECKING:
    from envs.root import Environment
    from sustainable_mlops.authoring.resources import Outputs


class Platform(Component[Common]):
    """A parameter with what the components before it publish."""

    platform: Any
    parameter: str

    @property
    def _name(self) -> str:
        return f"/sustainable-mlops/{self.settings.environment}/platform"

    def names(self) -> Iterator[Name]:
        yield Name("parameter", "environment", self._name)

    def add(self, env: "Environment") -> None:
        from cdktn_provider_aws.ssm_parameter import SsmParameter

        settings = self.settings
        self.platform = env.local(
            "platform",
            {
                "environment": settings.environment,
                "region": settings.region,
                "account_id": settings.account_id,
                "name_prefix": settings.name_prefix,
                **env.published(),
                "tags": settings.all_tags,
            },
            why="What a launcher needs to know.",
        )
        parameter = env.add(
            SsmParameter,
            "platform",
            why="Whoever may read it can launch jobs here, without Terraform or its state.",
            skips={"CKV2_AWS_34": "names and ARNs, no secret"},
            name=self._name,
            description="Names and ARNs that launchers of jobs need.",
            type="String",
            value=jsonencode(self.platform),
        )
        self.parameter = parameter.name

    def outputs(self) -> "Outputs":
        from sustainable_mlops.authoring.resources import Output

        return {
            "platform": Output(self.platform, "What launchers need: names and ARNs, as the SSM parameter holds them."),
            "platform_parameter": Output(self.parameter, "SSM parameter that holds `platform` as JSON."),
        }
