"""Attributes that limit access, and the changes that open a resource."""

from sustainable_mlops.review.attributes.comparisons.monitoring import allows_weaker_passwords
from sustainable_mlops.review.attributes.comparisons.snapshot_policies import shares_more
from sustainable_mlops.review.attributes.row import limit
from sustainable_mlops.review.attributes.rows.data import COMPUTED
from sustainable_mlops.review.attributes.weakening import (
    adds_any_of,
    changes_to,
    downgrades_from,
    is_changed,
    is_raised,
    is_removed,
    is_replaced,
    is_turned_off,
    is_turned_on,
    loses_items,
)
from sustainable_mlops.review.attributes.words import shares_documents
from sustainable_mlops.review.risk import Level

STOP, LOOK = Level.STOP, Level.LOOK

#: The flags of a public access block.
PUBLIC_ACCESS_BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
_BUCKET = "aws_s3_bucket"
_ENCRYPTION = "server_side_encryption_configuration.0.rule.0.apply_server_side_encryption_by_default.0"
_PUBLIC = "aws_s3_bucket_public_access_block aws_s3_account_public_access_block"
_NOTEBOOK = "aws_sagemaker_notebook_instance"
SHARED_OUTSIDE = "accounts outside the organization can get access"
NO_OWN_KEY = "no longer encrypted with a customer managed key"
_IMDSV1 = "IMDSv1 is allowed: by a forged request (SSRF), an attacker can read the credentials of its role"
_SHARED = "volumes or images can be shared with everyone"

#: The names and defaults of attributes are those of the AWS provider 5.100.
ACCESS_ROWS = (
    # Keys and secrets.
    limit(_BUCKET, f"{_ENCRYPTION}.sse_algorithm", downgrades_from("aws:kms", "aws:kms:dsse"), NO_OWN_KEY),
    limit(_BUCKET, f"{_ENCRYPTION}.kms_master_key_id", is_removed, NO_OWN_KEY),
    *(
        limit(_BUCKET, f"public_access_block_configuration.0.{flag}", is_turned_off,
              "public access is no longer blocked", STOP)
        for flag in PUBLIC_ACCESS_BLOCKS
    ),
    limit(_BUCKET, "ownership_controls.0.rules.0.object_ownership", downgrades_from("BucketOwnerEnforced"),
          "access control lists apply again"),
    limit("aws_s3_bucket_server_side_encryption_configuration",
          "rule.0.apply_server_side_encryption_by_default.0.sse_algorithm", downgrades_from("aws:kms", "aws:kms:dsse"),
          NO_OWN_KEY),
    limit("aws_s3_bucket_server_side_encryption_configuration",
          "rule.0.apply_server_side_encryption_by_default.0.kms_master_key_id", is_removed, NO_OWN_KEY),
    # Files, images, logs, backups.
    limit("aws_dynamodb_table", "server_side_encryption.0.enabled", is_turned_off, NO_OWN_KEY),
    limit("aws_kinesis_stream", "encryption_type", downgrades_from("KMS"), "no longer encrypted"),
    limit("aws_sqs_queue", "sqs_managed_sse_enabled", is_turned_off, "no longer encrypted",
          compensated_by="kms_master_key_id"),
    # Access.
    limit("aws_ram_resource_share", "allow_external_principals", is_turned_on, SHARED_OUTSIDE, STOP),
    *(
        limit(_PUBLIC, flag, is_turned_off, "public access is no longer blocked", STOP)
        for flag in PUBLIC_ACCESS_BLOCKS
    ),
    limit("aws_s3_bucket_acl aws_s3_bucket", "acl",
          changes_to("public-read", "public-read-write", "authenticated-read"), "objects are public", STOP),
    limit("aws_s3_bucket_ownership_controls", "rule.0.object_ownership", downgrades_from("BucketOwnerEnforced"),
          "access control lists apply again"),
    *(
        limit(type_, f"{path}.0.{flag}", is_turned_off, "public access is not blocked", STOP, default=True,
              level_if_new=LOOK)
        for type_, path in (("aws_s3_access_point", "public_access_block_configuration"),
                            ("aws_s3control_multi_region_access_point", "details.0.public_access_block"))
        for flag in PUBLIC_ACCESS_BLOCKS
    ),
    limit("aws_emr_block_public_access_configuration", "block_public_security_group_rules", is_turned_off,
          "clusters may be open to the internet", STOP, default=True, level_if_new=LOOK),
    limit("aws_cognito_identity_pool", "allow_unauthenticated_identities", is_turned_on,
          "unauthenticated users get credentials", STOP, level_if_new=LOOK),
    limit("aws_cognito_identity_pool_roles_attachment", "roles.unauthenticated", is_replaced,
          "unauthenticated users can assume this role", STOP, level_if_new=STOP),
    limit("aws_eks_cluster", "vpc_config.0.endpoint_public_access", is_turned_on, "reachable from the internet", STOP,
          default=True),
    limit("aws_eks_cluster", "vpc_config.0.public_access_cidrs", adds_any_of("0.0.0.0/0", "::/0"),
          "reachable from the whole internet", STOP, default=["0.0.0.0/0"]),
    limit("aws_instance aws_launch_template", "metadata_options.0.http_tokens", downgrades_from("required"), _IMDSV1),
    limit(_NOTEBOOK, "direct_internet_access", downgrades_from("Disabled"), "reaches the internet directly",
          default="Enabled", level_if_new=LOOK, old_if_new="Disabled"),
    limit(_NOTEBOOK, "root_access", downgrades_from("Disabled"), "users have root access", default="Enabled"),
    limit(_NOTEBOOK, "instance_metadata_service_configuration.0.minimum_instance_metadata_service_version",
          downgrades_from("2"), _IMDSV1, default="1"),
    limit("aws_sagemaker_model", "enable_network_isolation", is_turned_off, "the container reaches the network"),
    limit("aws_sagemaker_domain", "app_network_access_type", downgrades_from("VpcOnly"),
          "apps reach the internet directly", default="PublicInternetOnly"),
    limit("aws_ssm_parameter", "type", downgrades_from("SecureString"), "the value is no longer encrypted"),
    *(
        limit("aws_networkfirewall_firewall_policy", f"firewall_policy.0.{name}", adds_any_of("aws:pass"),
              "packets pass without inspection")
        for name in ("stateless_default_actions", "stateless_fragment_default_actions")
    ),
    limit("aws_ec2_client_vpn_authorization_rule", "authorize_all_groups", is_turned_on, "every user may connect"),
    limit("aws_ec2_client_vpn_authorization_rule", "access_group_id", is_removed, "other users may connect"),
    limit("aws_dlm_lifecycle_policy", "policy_details.0", shares_more, "snapshots are shared with another account",
          ignored=COMPUTED),
    # Account-wide defaults and limits of access.
    limit("aws_ec2_serial_console_access", "enabled", is_turned_on, "users can open the console of every instance",
          default=True, level_if_new=LOOK, old_if_new=False),
    limit("aws_servicecatalog_organizations_access", "enabled", is_turned_on,
          "portfolios can be shared in the organization"),
    limit("aws_ssm_service_setting", "setting_id, setting_value", shares_documents,
          "documents can be shared with everyone", STOP, level_if_new=LOOK, old_if_new={}),
    limit("aws_account_region", "enabled", is_turned_on, "resources can be created in another Region"),
    limit("aws_ebs_encryption_by_default", "enabled", is_turned_off, "new volumes are not encrypted", default=True,
          level_if_new=LOOK),
    limit("aws_ebs_snapshot_block_public_access", "state", downgrades_from("block-new-sharing", "block-all-sharing"),
          _SHARED, STOP),
    limit("aws_ec2_image_block_public_access", "state", downgrades_from("block-new-sharing"), _SHARED, STOP,
          default="block-new-sharing", level_if_new=STOP),
    limit("aws_vpc_block_public_access_options", "internet_gateway_block_mode",
          downgrades_from("block-ingress", "block-bidirectional"), "networks can be reached from the internet", STOP),
    limit("aws_vpc_block_public_access_exclusion", "internet_gateway_exclusion_mode",
          changes_to("allow-egress", "allow-bidirectional"), "this network is exempt from VPC Block Public Access",
          level_if_new=LOOK),
    limit("aws_ec2_instance_metadata_defaults", "http_tokens", downgrades_from("required"),
          "new instances answer requests for credentials without a token"),
    limit("aws_ec2_instance_metadata_defaults", "http_put_response_hop_limit", is_raised,
          "containers and proxies can get the credentials of an instance"),
    limit("aws_iam_account_password_policy",
          "minimum_password_length, password_reuse_prevention, max_password_age, hard_expiry, "
          "require_lowercase_characters, require_numbers, require_symbols, require_uppercase_characters",
          allows_weaker_passwords, "passwords may be weaker, or last longer"),
    limit("aws_iam_organizations_features", "enabled_features", loses_items, "root access is not managed centrally"),
    limit("aws_organizations_organization", "enabled_policy_types", loses_items,
          "policies of this type no longer limit accounts", STOP),
    limit("aws_ssoadmin_permissions_boundary_attachment", "permissions_boundary", is_changed,
          "another permissions boundary limits the permission set"),
    limit("aws_lambda_code_signing_config", "policies.0.untrusted_artifact_on_deployment", downgrades_from("Enforce"),
          "code without a signature can be deployed"),
    limit("aws_lambda_function", "code_signing_config_arn", is_removed, "code without a signature can be deployed"),
    limit("aws_glue_data_catalog_encryption_settings",
          "data_catalog_encryption_settings.0.encryption_at_rest.0.catalog_encryption_mode",
          downgrades_from("SSE-KMS", "SSE-KMS-WITH-SERVICE-ROLE"), "new metadata is not encrypted with your key"),
    limit("aws_athena_workgroup", "configuration.0.enforce_workgroup_configuration", is_turned_off,
          "clients can choose where results go and how they are encrypted", default=True),
)  # fmt: skip
