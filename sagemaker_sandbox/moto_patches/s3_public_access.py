"""S3 Block Public Access: moto stores the settings of an account and of a bucket, and ignores them.

Here BlockPublicAcls and BlockPublicPolicy refuse public access control lists and policies, as S3 does.

Source: "Troubleshoot access denied (403 Forbidden) errors in Amazon S3", Amazon S3 user guide.
"""

from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.models import ALL_USERS_GRANTEE, AUTHENTICATED_USERS_GRANTEE
from moto.s3.responses import S3Response
from moto.s3control.models import s3control_backends
from moto.sts.models import sts_backends

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.iam.public_policies import is_public
from sagemaker_sandbox.sagemaker.resource_lookup import find_bucket

_PUBLIC_GROUPS = {ALL_USERS_GRANTEE.uri, AUTHENTICATED_USERS_GRANTEE.uri}
#: Operations whose access control list is in their body, if the headers have none.
_ACL_OPERATIONS = ("PutBucketAcl", "PutObjectAcl")
#: Operations with an access control list. moto's PutObject includes copies and multipart uploads.
_OPERATIONS = ("CreateBucket", "PutObject", *_ACL_OPERATIONS)


def apply() -> None:
    """Patch moto to check the settings after the permissions, before it changes anything."""
    authorize = S3Response._authenticate_and_authorize_s3_action

    def authorize_private(self: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
        authorize(self, bucket_name=bucket_name, key_name=key_name)
        operation = self.data.get("Action")
        if operation == "PutBucketPolicy":
            if _is_blocked(self, bucket_name, "block_public_policy") and _has_public_policy(self):
                raise _build_error(self, operation, bucket_name, None, "policies", "BlockPublicPolicy")
        elif operation in _OPERATIONS and _has_public_acl(self, operation):
            if not _is_blocked(self, bucket_name, "block_public_acls"):
                return
            if operation == "CreateBucket":
                message = "Bucket cannot have public ACLs set with BlockPublicAccess enabled"
                raise S3ClientError("InvalidBucketAclWithBlockPublicAccessError", message)
            raise _build_error(self, operation, bucket_name, key_name, "ACLs", "BlockPublicAcls")

    S3Response._authenticate_and_authorize_s3_action = authorize_private


def _has_public_policy(response: Any) -> bool:
    body = response.body
    try:
        return is_public(body if isinstance(body, str) else body.decode())
    except ValidationError:
        raise S3ClientError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'") from None


def _has_public_acl(response: Any, operation: str) -> bool:
    acl = response._acl_from_headers(response.headers)
    if acl is None and operation in _ACL_OPERATIONS and response.body:
        acl = response._acl_from_body()
    return acl is not None and any(grantee.uri in _PUBLIC_GROUPS for grant in acl.grants for grantee in grant.grantees)


def _is_blocked(response: Any, bucket_name: str | None, setting: str) -> bool:
    """Return whether the bucket or its account has the setting turned on."""
    bucket = find_bucket(str(bucket_name))
    account = response.get_current_account() if bucket is None else bucket.account_id
    blocks = (
        bucket and bucket.public_access_block,
        s3control_backends[account][response.partition].public_access_block,
    )
    return any(block and getattr(block, setting) for block in blocks)


def _build_error(
    response: Any, operation: str, bucket_name: str | None, key_name: str | None, kind: str, setting: str
) -> S3ClientError:
    account, partition = response.get_current_account(), response.partition
    _, principal, _ = sts_backends[account][partition].get_caller_identity(response.get_access_key(), response.region)
    resource = f"arn:{partition}:s3:::{bucket_name}{f'/{key_name}' if key_name else ''}"
    message = (
        f'User: {principal} is not authorized to perform: s3:{operation} on resource: "{resource}" because public '
        f"{kind} are prevented by the {setting} setting in S3 Block Public Access."
    )
    return S3ClientError("AccessDenied", message)
