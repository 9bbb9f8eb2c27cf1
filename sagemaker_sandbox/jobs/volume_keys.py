"""Check of the keys for the volumes of jobs. Instances with a local disk, which encrypts itself, take no key.

Endpoint configurations may have one there: it "does not encrypt instance local storage" (API reference,
CreateEndpointConfig). Policies can require a key in every request.
"""

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.resources.resources import Fields
from sustainable_mlops.catalogue.instances import has_local_disk


def check_volume_key(cluster: Fields) -> None:
    """Raise ValidationError for a key. `cluster` is a ResourceConfig, a ClusterConfig or TransformResources."""
    if "VolumeKmsKeyId" not in cluster:
        return
    groups = cluster.get("InstanceGroups") or [cluster]
    local_disk_types = [kind for group in groups if has_local_disk(kind := group.get("InstanceType", ""))]
    if local_disk_types:
        raise ValidationError(
            f"You can't request a VolumeKmsKeyId when using an instance type with local storage: {local_disk_types[0]}"
        )
