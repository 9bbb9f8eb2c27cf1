"""Base of an account: the state bucket, and the roles that CI assumes to plan, apply and promote environments."""

from typing import Any

from cdktn_provider_aws.s3_account_public_access_block import S3AccountPublicAccessBlock

from modules.bootstrap import boundary, roles, state, trust
from modules.bootstrap.inputs import OWN_STATE, Inputs
from modules.bootstrap.service_control import encode_service_control_policy
from modules.buckets import PUBLIC_ACCESS_BLOCK
from modules.location_check import check_location
from modules.protection import protect
from sustainable_mlops.authoring.expressions import each_of, map_of, merge, set_of, when
from sustainable_mlops.authoring.resources import Module, Output, Outputs


class BootstrapModule(Module[Inputs]):
    """State bucket, identity providers of CI, and roles with a permissions boundary."""

    def build(self, var: Inputs) -> Outputs:
        bucket, key_arn = state.add(self)
        providers = trust.add(self)
        boundary_arns, boundaries = boundary.add(self, key_arn)
        created = roles.add(self, boundary_arns, [*providers, boundaries], key_arn)
        protect(
            self,
            self.local(
                "guarded",
                merge(
                    {"state": bucket.arn},
                    map_of(self.resources.aws_kms_key.state, lambda own: own.arn, key=lambda _name, _own: "kms_key"),
                ),
            ),
        )
        nothing: list[str] = []
        self.add(
            S3AccountPublicAccessBlock,
            "this",
            for_each=each_of(set_of(when(var.block_public_access, ["account"], nothing))),
            why="CI may change the policies of its buckets. This block refuses policies that make them public.",
            account_id=var.account_id,
            **PUBLIC_ACCESS_BLOCK,
        )
        check_location(self)

        def build_backend(name: str) -> dict[str, Any]:
            return {
                "bucket": bucket.bucket,
                "encrypt": True,
                "key": f"{name}/terraform.tfstate",
                "kms_key_id": key_arn,
                "region": var.region,
                "use_lockfile": True,
            }

        ready = tuple(
            getattr(self.resources, f"aws_s3_bucket_{part}").state
            for part in ("policy", "server_side_encryption_configuration", "versioning")
        )
        return {
            "backends": Output(
                merge(
                    {OWN_STATE: build_backend(OWN_STATE)},
                    map_of(var.environments, lambda name, _environment: build_backend(name), key=lambda name, _: name),
                ),
                "Configuration of the backend s3 by environment, and of this root module as `bootstrap`.",
                depends_on=ready,
            ),
            "identity_provider_arns": Output(
                {name: trust.compose_provider_arn(self, name) for name in trust.CI_SYSTEMS},
                "ARNs of the identity providers: github and gitlab. A provider exists once a role trusts it.",
            ),
            "kms_key_arn": Output(key_arn, "KMS key of the state: `state.kms_key_arn` of an environment's settings."),
            "permissions_boundary_arns": Output(
                boundary_arns,
                "Permissions boundaries by environment: `access.permissions_boundary_arn` of its settings.",
            ),
            "role_arns": Output(
                {kind: map_of(created[kind], lambda role: role.arn) for kind in ("plan", "apply", "promote")},
                "ARNs of the roles by kind (plan, apply, promote) and environment.",
            ),
            "service_control_policy": Output(
                encode_service_control_policy(var),
                "Service control policy as JSON, for the management account to attach to this account; null without "
                "break_glass_role_arns.",
            ),
        }
