"""Keys for the volumes of jobs: refused where the instances keep their data on a local disk, which encrypts itself.

An endpoint's configuration may have one there: it "does not encrypt instance local storage" (API reference,
CreateEndpointConfig), and whoever must by policy name a key in every request does.
"""

from sustainable_mlops.catalogue.instances import has_local_disk
from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.resources import Fields


def check(cluster: Fields) -> None:
    """Raises ValidationError; `cluster` is a ResourceConfig, a ClusterConfig or TransformResources."""
    if "VolumeKmsKeyId" not in cluster:
        return
    groups = cluster.get("InstanceGroups") or [cluster]
    local = [kind for group in groups if has_local_disk(kind := group.get("InstanceType", ""))]
    if local:
        raise ValidationError(
            f"You can't request a VolumeKmsKeyId when using an instance type with local storage: {local[0]}"
        )
