"""All SageMaker resources of one region."""

from functools import cached_property
from typing import Any

from sustainable_mlops.sandbox.featurestore.store import FeatureStore
from sustainable_mlops.sandbox.sagemaker.endpoint_configs import EndpointConfigs
from sustainable_mlops.sandbox.sagemaker.endpoints import Endpoints
from sustainable_mlops.sandbox.sagemaker.feature_groups import FeatureGroups
from sustainable_mlops.sandbox.sagemaker.hosting import Hosting
from sustainable_mlops.sandbox.sagemaker.model_packages import ModelPackages
from sustainable_mlops.sandbox.sagemaker.models import Models
from sustainable_mlops.sandbox.sagemaker.region import Region
from sustainable_mlops.sandbox.sagemaker.resources import Family
from sustainable_mlops.sandbox.sagemaker.tags import Tags
from sustainable_mlops.sandbox.sagemaker.training_jobs import TrainingJobs

#: What `snapshot` keeps: each family's resources, and the feature store's records.
Snapshot = dict[str, Any]


class Families:
    """The families of resources, by attribute, each told the others that it looks into."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.model_packages = ModelPackages(region)
        self.model_package_groups = self.model_packages.groups
        self.models = Models(region, self.model_packages)
        self.endpoint_configs = EndpointConfigs(region, self.models)
        self.endpoints = Endpoints(region, self.endpoint_configs, self.models, self.model_packages)
        self.feature_groups = FeatureGroups(region)
        self.training_jobs = TrainingJobs(region)
        self.hosting = Hosting(region, self.endpoints)
        self.feature_store = FeatureStore(region, self.feature_groups)
        self.tags = Tags(self.all)

    @cached_property
    def all(self) -> list[Family]:
        """Every family of resources."""
        return [value for value in vars(self).values() if isinstance(value, Family)]

    def inventory(self) -> dict[str, list[str]]:
        """ARN type to the names of what is left."""
        with self.region.lock:
            found = {family.arn_type: family.left() for family in self.all}
        return {kind: names for kind, names in found.items() if names}

    def snapshot(self) -> Snapshot:
        """What has to be kept for `restore` to bring this region back."""
        with self.region.lock:
            resources = {family.arn_type: family.resources for family in self.all}
            return {"resources": resources, "feature_store": self.feature_store.snapshot()}

    def restore(self, snapshot: Snapshot) -> None:
        """Bring back what was kept."""
        for family in self.all:
            family.resources = snapshot["resources"].get(family.arn_type, {})
        self.feature_store.restore(snapshot["feature_store"])

    def close(self) -> None:
        """End jobs and workers, and write what is still buffered."""
        self.training_jobs.close()
        self.hosting.close_all()
        self.feature_store.flush()
