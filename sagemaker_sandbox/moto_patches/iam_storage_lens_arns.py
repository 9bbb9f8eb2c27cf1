"""IAM: moto refuses policies with the ARN of a Storage Lens configuration, because it contains a Region.

Source: Service Authorization Reference, "Resource types defined by Amazon S3": storagelensconfiguration.
"""

from moto.iam import policy_validation

_STARTS = "valid_starting_values"


def apply() -> None:
    """Accept the ARNs, like ARNs of access points."""
    associations = policy_validation.SERVICE_TYPE_REGION_INFORMATION_ERROR_ASSOCIATIONS["s3"]
    associations[_STARTS] = [*associations[_STARTS], "storage-lens/"]
