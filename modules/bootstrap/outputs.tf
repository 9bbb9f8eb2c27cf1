# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

output "backends" {
  description = "Configuration of the backend s3 by environment, and of this root module as `bootstrap`."

  value = merge(
    {
      bootstrap = {
        bucket       = aws_s3_bucket.state.bucket
        encrypt      = true
        key          = "bootstrap/terraform.tfstate"
        kms_key_id   = local.kms_key_arn
        region       = var.region
        use_lockfile = true
      }
    },
    {
      for name, environment in var.environments : name => {
        bucket       = aws_s3_bucket.state.bucket
        encrypt      = true
        key          = "${name}/terraform.tfstate"
        kms_key_id   = local.kms_key_arn
        region       = var.region
        use_lockfile = true
      }
    },
  )

  depends_on = [aws_s3_bucket_policy.state, aws_s3_bucket_server_side_encryption_configuration.state, aws_s3_bucket_versioning.state]
}

output "identity_provider_arns" {
  description = "ARNs of the identity providers: github and gitlab. A provider exists once a role trusts it."

  value = {
    github = "arn:${var.partition}:iam::${var.account_id}:oidc-provider/${local.issuers.github}"
    gitlab = "arn:${var.partition}:iam::${var.account_id}:oidc-provider/${local.issuers.gitlab}"
  }
}

output "kms_key_arn" {
  description = "KMS key of the state: `state.kms_key_arn` of an environment's settings."
  value       = local.kms_key_arn
}

output "permissions_boundary_arns" {
  description = "Permissions boundaries by environment: `access.permissions_boundary_arn` of its settings."
  value       = local.boundary_arns
}

output "role_arns" {
  description = "ARNs of the roles by kind (plan, apply, promote) and environment."

  value = {
    plan    = { for key, role in aws_iam_role.plan : key => role.arn }
    apply   = { for key, role in aws_iam_role.apply : key => role.arn }
    promote = { for key, role in aws_iam_role.promote : key => role.arn }
  }
}

output "service_control_policy" {
  description = "Service control policy as JSON, for the management account to attach to this account; null without break_glass_role_arns."

  value = length(var.break_glass_role_arns) > 0 ? jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "ProtectKeys"
        Effect    = "Deny"
        Action    = "kms:ScheduleKeyDeletion"
        Resource  = "arn:${var.partition}:kms:*:*:key/*"
        Condition = { ArnNotEquals = { "aws:PrincipalArn" = var.break_glass_role_arns } }
      },
      {
        Sid       = "ProtectBuckets"
        Effect    = "Deny"
        Action    = "s3:DeleteBucket"
        Resource  = "arn:${var.partition}:s3:::*"
        Condition = { ArnNotEquals = { "aws:PrincipalArn" = var.break_glass_role_arns } }
      },
      {
        Sid      = "ProtectVersioning"
        Effect   = "Deny"
        Action   = "s3:PutBucketVersioning"
        Resource = "arn:${var.partition}:s3:::*"
        Condition = {
          ArnNotEquals = {
            "aws:PrincipalArn" = concat(
              var.break_glass_role_arns,
              [
                for environment in var.environments :
                "arn:${var.partition}:iam::${var.account_id}:role${var.role_path}deployer-${environment.name_prefix}-apply"
              ],
            )
          }
        }
      },
    ]
  }) : null
}
