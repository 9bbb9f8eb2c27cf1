"""Buckets, and the KMS key of the environment."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

from envs.common import CommonSettings
from envs.component import Component
from envs.names import EnvironmentName
from envs.settings_models import add_module_options, get_explicit_settings
from modules.common import LocatedInputs, ProtectedInputs
from modules.storage.inputs import OWN_BUCKETS, Inputs, get_bucket_name
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.expressions import map_of

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot


class BucketExpression(Protocol):
    """Attributes of a bucket, as expressions."""

    name: str
    arn: str


@add_module_options(Inputs, excluded=(*LocatedInputs.model_fields, *ProtectedInputs.model_fields))
class StorageOptions(ModuleInputs):
    """Settings of the module `storage`."""


class StorageSettings(CommonSettings):
    storage: StorageOptions = Field(
        StorageOptions(), description="Buckets: lifecycle of the data, and additional buckets."
    )


class Storage(Component[StorageSettings]):
    """Encrypted buckets with lifecycle rules for each class of data."""

    #: Buckets of every environment; settings may add more.
    buckets: Mapping[Literal["artifacts", "data", "logs"], BucketExpression]
    kms_key_arn: str

    def list_names(self) -> Iterator[EnvironmentName]:
        located = LocatedInputs(**self.settings.located)
        for purpose in OWN_BUCKETS:
            yield EnvironmentName("bucket", "name_prefix", get_bucket_name(located, purpose))
        for purpose in get_explicit_settings(self.settings.storage).get("extra_buckets", {}):
            yield EnvironmentName("bucket", f"storage.extra_buckets.{purpose}", get_bucket_name(located, purpose))

    def add(self, env: "EnvironmentRoot") -> None:
        settings = self.settings
        module = env.call(
            env.modules["storage"],
            **settings.located,
            **settings.protected,
            **get_explicit_settings(settings.storage),
        )
        self.buckets = module.buckets
        self.kms_key_arn = module.kms_key_arn

    def list_platform_fields(self) -> Mapping[str, Any]:
        return {
            "buckets": map_of(self.buckets, lambda _purpose, bucket: bucket.name),
            "kms_key_arn": self.kms_key_arn,
        }
