"""One region of the account: all SageMaker resources that live there."""

import json
import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from sustainable_mlops.aws.s3 import S3Uri, is_s3
from sustainable_mlops.sandbox.context import Context
from sustainable_mlops.sandbox.featurestore.store import FeatureStore
from sustainable_mlops.sandbox.sagemaker.endpoint_configs import EndpointConfigs
from sustainable_mlops.sandbox.sagemaker.endpoints import Endpoints
from sustainable_mlops.sandbox.sagemaker.feature_groups import FeatureGroups
from sustainable_mlops.sandbox.sagemaker.hosting import Hosting
from sustainable_mlops.sandbox.sagemaker.model_packages import ModelPackageGroups, ModelPackages
from sustainable_mlops.sandbox.sagemaker.models import Models
from sustainable_mlops.sandbox.sagemaker.resources import Family, Fields, now
from sustainable_mlops.sandbox.sagemaker.tags import Tags
from sustainable_mlops.sandbox.sagemaker.training_jobs import TrainingJobs

#: What `snapshot` keeps: each family's resources, and the feature store's records.
Snapshot = dict[str, Any]


class Region:
    """The families of resources, by attribute. Hold `lock` while reading or changing any of them."""

    def __init__(
        self, name: str, context: Context, take_interruption: Callable[[str], int | None] = lambda _job: None
    ) -> None:
        self.name = name
        self.context = context
        #: Job name to the checkpoints after which it is to be interrupted, if at all.
        self.take_interruption = take_interruption
        self.lock = threading.RLock()
        self.tags = Tags(self)
        self.models = Models(self)
        self.endpoint_configs = EndpointConfigs(self)
        self.endpoints = Endpoints(self)
        self.feature_groups = FeatureGroups(self)
        self.model_package_groups = ModelPackageGroups(self)
        self.model_packages = ModelPackages(self)
        self.training_jobs = TrainingJobs(self)
        self.hosting = Hosting(self)
        self.feature_store = FeatureStore(self)

    @cached_property
    def families(self) -> list[Family]:
        """Every family of resources."""
        return [value for value in vars(self).values() if isinstance(value, Family)]

    def inventory(self) -> dict[str, list[str]]:
        """ARN type to the names of what is left."""
        with self.lock:
            found = {family.arn_type: family.left() for family in self.families}
        return {kind: names for kind, names in found.items() if names}

    def object_exists(self, uri: str) -> bool:
        """Whether S3 has this object or, for an address that ends in a slash, anything under it."""
        if not is_s3(uri):
            return False
        (bucket, key), s3 = S3Uri.parse(uri), self.context.client("s3", self.name)
        try:
            if not key or key.endswith("/"):
                return bool(s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)["KeyCount"])
            s3.head_object(Bucket=bucket, Key=key)
        except ClientError:
            return False
        return True

    def publish(self, detail_type: str, detail: Fields, arn: str) -> None:
        """Tell EventBridge, as SageMaker does for changes of state."""
        event = {
            "Source": "aws.sagemaker",
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
            "Resources": [arn],
            "Time": now(),
        }
        self.context.client("events", self.name).put_events(Entries=[event])

    def snapshot(self) -> Snapshot:
        """What has to be kept for `restore` to bring this region back."""
        with self.lock:
            resources = {family.arn_type: family.resources for family in self.families}
            return {"resources": resources, "feature_store": self.feature_store.snapshot()}

    def restore(self, snapshot: Snapshot) -> None:
        """Bring back what was kept."""
        for family in self.families:
            family.resources = snapshot["resources"].get(family.arn_type, {})
        self.feature_store.restore(snapshot["feature_store"])

    def close(self) -> None:
        """End jobs and workers, and write what is still buffered."""
        self.training_jobs.close()
        self.hosting.close_all()
        self.feature_store.flush()
