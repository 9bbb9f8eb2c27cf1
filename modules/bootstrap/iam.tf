# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  # Issuers without https://, as in the ARNs of the providers and in condition keys.
  issuers = {
    github = replace(var.github.url, "https://", "")
    gitlab = replace(var.gitlab.url, "https://", "")
  }
}

# AWS verifies this issuer with its own certificate authorities, so there is no thumbprint_list.
resource "aws_iam_openid_connect_provider" "github" {
  for_each = toset((var.github.create_provider ? length(flatten([
    for environment in var.environments : concat(
      [for jobs in environment.plan.github : jobs.repository],
      [for jobs in environment.apply.github : jobs.repository],
      flatten([for role in environment.promote[*] : [for jobs in role.github : jobs.repository]]),
    )
  ])) > 0 : false) ? ["own"] : [])

  url            = var.github.url
  client_id_list = [var.github.audience]
  tags           = var.tags
}

# AWS verifies this issuer with its own certificate authorities, so there is no thumbprint_list.
resource "aws_iam_openid_connect_provider" "gitlab" {
  for_each = toset((var.gitlab.create_provider ? length(flatten([
    for environment in var.environments : concat(
      [for jobs in environment.plan.gitlab : jobs.project],
      [for jobs in environment.apply.gitlab : jobs.project],
      flatten([for role in environment.promote[*] : [for jobs in role.gitlab : jobs.project]]),
    )
  ])) > 0 : false) ? ["own"] : [])

  url            = var.gitlab.url
  client_id_list = [var.gitlab.audience]
  tags           = var.tags
}

locals {
  boundary_arns = {
    for key, environment in var.environments :
    key => var.permissions_boundary_arn == null ? "arn:${var.partition}:iam::${var.account_id}:policy${var.role_path}deployer-${environment.name_prefix}-boundary" : var.permissions_boundary_arn
  }

  bounded_environments = {
    for key, environment in var.environments : key => environment
    if nonsensitive(var.permissions_boundary_arn == null)
  }
}

# A boundary limits the CI roles of its environment, and every role that they create. It grants nothing.
resource "terraform_data" "boundary_policy" {
  for_each = local.bounded_environments

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid    = "AllowServices"
          Effect = "Allow"
          Action = concat(
            [
              "application-autoscaling:*", "cloudwatch:*", "events:*", "kms:*", "logs:*", "s3:*", "sagemaker:*",
              "scheduler:*", "sns:*", "sqs:*", "ec2:*SecurityGroup*", "ec2:*Tags", "ec2:*VpcEndpoint",
              "ec2:*VpcEndpoints", "ec2:CreateNetworkInterface*", "ec2:DeleteNetworkInterface*",
              "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces", "ec2:DescribePrefixLists",
              "ec2:DescribeRegions", "ec2:DescribeSubnets", "ec2:DescribeVpcEndpointServices", "ec2:DescribeVpcs",
              "ecr:BatchCheck*", "ecr:BatchGet*", "ecr:Get*", "glue:*Database", "glue:*Table",
              "glue:*TableOptimizer", "iam:CreateRole", "iam:CreateServiceLinkedRole", "iam:DeleteRole*",
              "iam:GetRole*", "iam:List*Role*", "iam:PassRole", "iam:PutRole*", "iam:TagRole", "iam:UntagRole",
              "iam:UpdateAssumeRolePolicy", "iam:UpdateRole*", "lakeformation:GetDataLakeSettings",
              "lakeformation:ListPermissions", "servicequotas:Get*", "servicequotas:List*", "ssm:*Document*",
              "ssm:*Parameter*", "ssm:*Tags*", "ssm:StartAutomationExecution", "sagemaker-mlflow:*",
            ],
            var.additional_actions,
          )
          Resource = "*"
        },
        {
          Sid    = "DenyIdentities"
          Effect = "Deny"
          Action = "iam:*"
          Resource = [
            "arn:${var.partition}:iam::${var.account_id}:user/*",
            "arn:${var.partition}:iam::${var.account_id}:group/*",
            "arn:${var.partition}:iam::${var.account_id}:oidc-provider/*",
            "arn:${var.partition}:iam::${var.account_id}:saml-provider/*",
          ]
        },
        {
          Sid    = "DenyDeployersAndBoundary"
          Effect = "Deny"
          Action = [
            "iam:Add*", "iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:Pass*", "iam:Put*",
            "iam:Remove*", "iam:Set*", "iam:Tag*", "iam:Untag*", "iam:Update*", "sts:*",
          ]
          Resource = [
            "arn:${var.partition}:iam::${var.account_id}:role${var.role_path}deployer-*",
            "arn:${var.partition}:iam::${var.account_id}:policy${var.role_path}deployer-*",
          ]
        },
        {
          Sid    = "DenyOtherNames"
          Effect = "Deny"
          Action = [
            "iam:Attach*", "iam:CreatePolicy*", "iam:CreateRole", "iam:Delete*", "iam:Detach*", "iam:PassRole",
            "iam:Put*", "iam:Set*", "iam:Update*",
          ]
          NotResource = [
            "arn:${var.partition}:iam::${var.account_id}:role${each.value.role_path}${each.value.name_prefix}-*",
            "arn:${var.partition}:iam::${var.account_id}:policy${each.value.role_path}${each.value.name_prefix}-*",
          ]
        },
        {
          Sid    = "DenyRolesWithoutBoundary"
          Effect = "Deny"
          Action = [
            "iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy",
          ]
          Resource = "arn:${var.partition}:iam::${var.account_id}:role/*"
          Condition = {
            StringNotEquals = {
              "iam:PermissionsBoundary" = "arn:${var.partition}:iam::${var.account_id}:policy${var.role_path}deployer-${each.value.name_prefix}-boundary"
            }
          }
        },
        {
          Sid      = "DenyRemovalOfBoundary"
          Effect   = "Deny"
          Action   = "iam:DeleteRolePermissionsBoundary"
          Resource = "arn:${var.partition}:iam::${var.account_id}:role/*"
        },
        {
          Sid    = "DenyEverywhere"
          Effect = "Deny"
          Action = [
            "s3:Create*AccessPoint*", "s3:PutAccountPublicAccessBlock", "sagemaker:Create*Presigned*",
            "sagemaker:CreateApp", "sagemaker:CreateSpace", "sagemaker:CreateUserProfile",
            "sagemaker:StartSession", "sagemaker:UpdateDomain", "sagemaker:UpdateNotebookInstance*",
            "sagemaker:UpdateSpace", "sagemaker:UpdateUserProfile",
          ]
          Resource = "*"
        },
        {
          Sid    = "DenyOthers"
          Effect = "Deny"
          Action = [
            "sagemaker-mlflow:*", "sagemaker:CallMlflowAppApi", "sagemaker:RetryPipeline*",
            "sagemaker:StartPipeline*", "sagemaker:UpdatePipeline*", "ssm:CreateDocument", "ssm:DeleteDocument",
            "ssm:UpdateDocument*",
          ]
          NotResource = [
            "arn:${var.partition}:sagemaker:*:${var.account_id}:mlflow-*",
            "arn:${var.partition}:sagemaker:*:${var.account_id}:pipeline/${each.value.name_prefix}-*",
            "arn:${var.partition}:ssm:*:${var.account_id}:document/${each.value.name_prefix}-*",
          ]
        },
        {
          Sid    = "DenyStateToOthers"
          Effect = "Deny"
          Action = ["kms:*", "s3:*"]
          Resource = [
            "arn:${var.partition}:s3:::${var.name_prefix}-state-${var.account_id}",
            "arn:${var.partition}:s3:::${var.name_prefix}-state-${var.account_id}/*",
            local.kms_key_arn,
          ]
          Condition = {
            ArnNotEquals = {
              "aws:PrincipalArn" = [
                "arn:${var.partition}:iam::${var.account_id}:role${var.role_path}deployer-${each.value.name_prefix}-plan",
                "arn:${var.partition}:iam::${var.account_id}:role${var.role_path}deployer-${each.value.name_prefix}-apply",
              ]
            }
          }
        },
        {
          Sid    = "DenyOtherStates"
          Effect = "Deny"
          Action = "s3:*"
          Resource = concat(
            ["arn:${var.partition}:s3:::${var.name_prefix}-state-${var.account_id}/bootstrap/*"],
            [
              for other, environment in var.environments :
              "arn:${var.partition}:s3:::${var.name_prefix}-state-${var.account_id}/${other}/*" if other != each.key
            ],
          )
        },
        {
          Sid    = "DenyChangesOfState"
          Effect = "Deny"
          Action = [
            "kms:Create*", "kms:Delete*", "kms:Disable*", "kms:Put*", "kms:Replicate*", "kms:Schedule*",
            "kms:Tag*", "kms:Untag*", "kms:Update*", "s3:DeleteBucket*", "s3:DeleteObjectVersion",
            "s3:Put*Configuration", "s3:PutBucket*",
          ]
          Resource = [
            "arn:${var.partition}:s3:::${var.name_prefix}-state-${var.account_id}",
            "arn:${var.partition}:s3:::${var.name_prefix}-state-${var.account_id}/*",
            local.kms_key_arn,
          ]
        },
      ],
      concat(
        [
          for item in length([for other, environment in var.environments : other if other != each.key]) > 0 ? ["any"] : [] :
          {
            Sid    = "DenyOtherData"
            Effect = "Deny"
            Action = ["glue:*", "s3:*", "ssm:*"]
            Resource = concat(
              [
                for other, environment in var.environments :
                "arn:${var.partition}:s3:::${environment.name_prefix}-*-${var.account_id}-*" if other != each.key
              ],
              [
                for other, environment in var.environments :
                "arn:${var.partition}:ssm:*:${var.account_id}:parameter/sustainable-mlops/${other}/*" if other != each.key
              ],
              [
                for other, environment in var.environments :
                "arn:${var.partition}:glue:*:${var.account_id}:table/sagemaker_featurestore/${replace(environment.name_prefix, "-", "_")}_*"
                if other != each.key
              ],
            )
          }
        ],
        [
          for item in length([for other, environment in var.environments : other if other != each.key]) > 0 ? ["any"] : [] :
          {
            Sid    = "DenyOtherTags"
            Effect = "Deny"
            Action = [
              "application-autoscaling:*", "ec2:Authorize*", "ec2:CreateTags", "ec2:Delete*", "ec2:Modify*",
              "ec2:Revoke*", "kms:*", "sagemaker-mlflow:*", "sagemaker:AddTags", "sagemaker:CallMlflowAppApi",
              "sagemaker:Delete*", "sagemaker:Invoke*", "sagemaker:Start*", "sagemaker:Stop*", "sagemaker:Update*",
            ]
            Resource = "*"
            Condition = {
              StringEquals = {
                "aws:ResourceTag/environment" = [for other, environment in var.environments : other if other != each.key]
              }
            }
          }
        ],
      ),
    )
  }
}

resource "aws_iam_policy" "boundary" {
  # checkov:skip=CKV_AWS_286:A boundary grants nothing: it limits what other policies grant
  # checkov:skip=CKV_AWS_287:A boundary grants nothing: it limits what other policies grant
  # checkov:skip=CKV_AWS_288:A boundary grants nothing: it limits what other policies grant
  # checkov:skip=CKV_AWS_289:A boundary grants nothing: it limits what other policies grant
  # checkov:skip=CKV_AWS_290:A boundary grants nothing: it limits what other policies grant
  # checkov:skip=CKV_AWS_355:A boundary grants nothing: it limits what other policies grant

  for_each = terraform_data.boundary_policy

  name        = "deployer-${var.environments[each.key].name_prefix}-boundary"
  path        = var.role_path
  description = "Permissions boundary of the deployers of ${var.environments[each.key].name_prefix}, and of the roles that they create"
  policy      = jsonencode(each.value.input)
  tags        = var.tags
}

locals {
  promoting_environments = {
    for key, environment in var.environments : key => environment if environment.promote != null
  }
}

resource "aws_iam_role" "plan" {
  for_each = var.environments

  name                 = "deployer-${each.value.name_prefix}-plan"
  description          = "CI that plans the environment ${each.key}"
  path                 = var.role_path
  permissions_boundary = local.boundary_arns[each.key]
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        for item in length(each.value.plan.github) > 0 ? ["any"] : [] : {
          Sid    = "GithubJobs"
          Effect = "Allow"
          Principal = {
            Federated = "arn:${var.partition}:iam::${var.account_id}:oidc-provider/${local.issuers.github}"
          }
          Action = "sts:AssumeRoleWithWebIdentity"
          Condition = {
            StringEquals = {
              ("${local.issuers.github}:aud") = var.github.audience
              ("${local.issuers.github}:sub") = flatten([
                for jobs in each.value.plan.github : [
                  for end in concat(
                    [for branch in jobs.branches : "ref:refs/heads/${branch}"],
                    [for tag in jobs.tags : "ref:refs/tags/${tag}"],
                    [for environment in jobs.environments : "environment:${environment}"],
                    jobs.pull_requests ? ["pull_request"] : [],
                  ) :
                  "${jobs.repository_id == null ? "repo:${jobs.repository}" : "repo:${split("/", jobs.repository)[0]}@${jobs.owner_id}/${split("/", jobs.repository)[1]}@${jobs.repository_id}"}:${end}"
                ]
              ])
            }
          }
        }
      ],
      [
        for item in length(each.value.plan.gitlab) > 0 ? ["any"] : [] : {
          Sid    = "GitlabJobs"
          Effect = "Allow"
          Principal = {
            Federated = "arn:${var.partition}:iam::${var.account_id}:oidc-provider/${local.issuers.gitlab}"
          }
          Action = "sts:AssumeRoleWithWebIdentity"
          Condition = {
            StringEquals = { ("${local.issuers.gitlab}:aud") = var.gitlab.audience }
            StringLike = {
              ("${local.issuers.gitlab}:sub") = flatten([
                for jobs in each.value.plan.gitlab : concat(
                  [for branch in jobs.branches : "project_path:${jobs.project}:ref_type:branch:ref:${branch}"],
                  [for tag in jobs.tags : "project_path:${jobs.project}:ref_type:tag:ref:${tag}"],
                  jobs.merge_requests ? ["project_path:${jobs.project}:ref_type:branch:ref:*"] : [],
                )
              ])
            }
          }
        }
      ],
    )
  })

  depends_on = [aws_iam_openid_connect_provider.github, aws_iam_openid_connect_provider.gitlab, aws_iam_policy.boundary]
}

resource "aws_iam_role" "apply" {
  for_each = var.environments

  name                 = "deployer-${each.value.name_prefix}-apply"
  description          = "CI that applies the environment ${each.key}"
  path                 = var.role_path
  permissions_boundary = local.boundary_arns[each.key]
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        for item in length(each.value.apply.github) > 0 ? ["any"] : [] : {
          Sid    = "GithubJobs"
          Effect = "Allow"
          Principal = {
            Federated = "arn:${var.partition}:iam::${var.account_id}:oidc-provider/${local.issuers.github}"
          }
          Action = "sts:AssumeRoleWithWebIdentity"
          Condition = {
            StringEquals = {
              ("${local.issuers.github}:aud") = var.github.audience
              ("${local.issuers.github}:sub") = flatten([
                for jobs in each.value.apply.github : [
                  for end in concat(
                    [for branch in jobs.branches : "ref:refs/heads/${branch}"],
                    [for tag in jobs.tags : "ref:refs/tags/${tag}"],
                    [for environment in jobs.environments : "environment:${environment}"],
                  ) :
                  "${jobs.repository_id == null ? "repo:${jobs.repository}" : "repo:${split("/", jobs.repository)[0]}@${jobs.owner_id}/${split("/", jobs.repository)[1]}@${jobs.repository_id}"}:${end}"
                ]
              ])
            }
          }
        }
      ],
      [
        for item in length(each.value.apply.gitlab) > 0 ? ["any"] : [] : {
          Sid    = "GitlabJobs"
          Effect = "Allow"
          Principal = {
            Federated = "arn:${var.partition}:iam::${var.account_id}:oidc-provider/${local.issuers.gitlab}"
          }
          Action = "sts:AssumeRoleWithWebIdentity"
          Condition = {
            StringEquals = {
              ("${local.issuers.gitlab}:aud") = var.gitlab.audience
              ("${local.issuers.gitlab}:sub") = flatten([
                for jobs in each.value.apply.gitlab : concat(
                  [for branch in jobs.branches : "project_path:${jobs.project}:ref_type:branch:ref:${branch}"],
                  [for tag in jobs.tags : "project_path:${jobs.project}:ref_type:tag:ref:${tag}"],
                )
              ])
            }
          }
        }
      ],
    )
  })

  depends_on = [aws_iam_openid_connect_provider.github, aws_iam_openid_connect_provider.gitlab, aws_iam_policy.boundary]
}

resource "aws_iam_role" "promote" {
  for_each = local.promoting_environments

  name                 = "deployer-${each.value.name_prefix}-promote"
  description          = "CI that reads the models of the environment ${each.key}"
  path                 = var.role_path
  permissions_boundary = local.boundary_arns[each.key]
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        for item in length(each.value.promote.github) > 0 ? ["any"] : [] : {
          Sid    = "GithubJobs"
          Effect = "Allow"
          Principal = {
            Federated = "arn:${var.partition}:iam::${var.account_id}:oidc-provider/${local.issuers.github}"
          }
          Action = "sts:AssumeRoleWithWebIdentity"
          Condition = {
            StringEquals = {
              ("${local.issuers.github}:aud") = var.github.audience
              ("${local.issuers.github}:sub") = flatten([
                for jobs in each.value.promote.github : [
                  for end in concat(
                    [for branch in jobs.branches : "ref:refs/heads/${branch}"],
                    [for tag in jobs.tags : "ref:refs/tags/${tag}"],
                    [for environment in jobs.environments : "environment:${environment}"],
                  ) :
                  "${jobs.repository_id == null ? "repo:${jobs.repository}" : "repo:${split("/", jobs.repository)[0]}@${jobs.owner_id}/${split("/", jobs.repository)[1]}@${jobs.repository_id}"}:${end}"
                ]
              ])
            }
          }
        }
      ],
      [
        for item in length(each.value.promote.gitlab) > 0 ? ["any"] : [] : {
          Sid    = "GitlabJobs"
          Effect = "Allow"
          Principal = {
            Federated = "arn:${var.partition}:iam::${var.account_id}:oidc-provider/${local.issuers.gitlab}"
          }
          Action = "sts:AssumeRoleWithWebIdentity"
          Condition = {
            StringEquals = {
              ("${local.issuers.gitlab}:aud") = var.gitlab.audience
              ("${local.issuers.gitlab}:sub") = flatten([
                for jobs in each.value.promote.gitlab : concat(
                  [for branch in jobs.branches : "project_path:${jobs.project}:ref_type:branch:ref:${branch}"],
                  [for tag in jobs.tags : "project_path:${jobs.project}:ref_type:tag:ref:${tag}"],
                )
              ])
            }
          }
        }
      ],
    )
  })

  depends_on = [aws_iam_openid_connect_provider.github, aws_iam_openid_connect_provider.gitlab, aws_iam_policy.boundary]
}

locals {
  # Documents of the plan roles, by policy.
  plan_policies = merge([
    for name, environment in var.environments : {
      for document, text in environment.plan.policies : "deployer-${environment.name_prefix}-${document}" => {
        environment = name
        text        = text
      }
    }
  ]...)

  # All documents. The apply roles also get the documents of plan.
  policies = merge([
    for name, environment in var.environments : {
      for document, text in merge(environment.plan.policies, environment.apply.policies) :
      "deployer-${environment.name_prefix}-${document}" => {
        environment = name
        text        = text
      }
    }
  ]...)
}

resource "aws_iam_policy" "this" {
  for_each = local.policies

  name   = each.key
  path   = var.role_path
  policy = each.value.text
  tags   = var.tags
}

resource "aws_iam_role_policy_attachment" "plan" {
  for_each = local.plan_policies

  role       = aws_iam_role.plan[each.value.environment].name
  policy_arn = aws_iam_policy.this[each.key].arn
}

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = local.policies

  role       = aws_iam_role.apply[each.value.environment].name
  policy_arn = aws_iam_policy.this[each.key].arn
}

# A plan writes the lock file, so it encrypts too.
resource "terraform_data" "state_key_policy" {
  for_each = var.environments

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "UseStateKey"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = local.kms_key_arn
        Condition = {
          StringEquals = {
            "kms:ViaService" = "s3.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"
          }
        }
      },
    ]
  }
}

resource "aws_iam_role_policy" "plan" {
  for_each = terraform_data.state_key_policy

  name   = "state-key"
  role   = aws_iam_role.plan[each.key].name
  policy = jsonencode(each.value.input)
}

resource "aws_iam_role_policy" "apply" {
  for_each = terraform_data.state_key_policy

  name   = "state-key"
  role   = aws_iam_role.apply[each.key].name
  policy = jsonencode(each.value.input)
}

locals {
  # Name prefix of the package groups in each account, by environment.
  registries = {
    for key, one in local.promoting_environments : key => merge(
      one.promote.registries,
      { for prefix in [one.name_prefix] : var.account_id => prefix },
    )
  }
}

resource "aws_iam_role_policy" "promote" {
  for_each = local.promoting_environments

  name = "read-registry"
  role = aws_iam_role.promote[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "ReadModelGroups"
        Effect = "Allow"
        Action = "sagemaker:DescribeModelPackageGroup"
        Resource = [
          for account, prefix in local.registries[each.key] :
          "arn:${var.partition}:sagemaker:${coalesce(each.value.region, var.region)}:${account}:model-package-group/${prefix}-*"
        ]
      },
      {
        Sid    = "ReadModels"
        Effect = "Allow"
        Action = ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"]
        Resource = [
          for account, prefix in local.registries[each.key] :
          "arn:${var.partition}:sagemaker:${coalesce(each.value.region, var.region)}:${account}:model-package/${prefix}-*"
        ]
      },
      {
        Sid    = "ReadModelFiles"
        Effect = "Allow"
        Action = "s3:GetObject"
        Resource = [
          for account, prefix in local.registries[each.key] :
          "arn:${var.partition}:s3:::${prefix}-artifacts-${account}-${coalesce(each.value.region, var.region)}/models/*"
        ]
      },
      {
        Sid    = "ListModelFiles"
        Effect = "Allow"
        Action = "s3:ListBucket"
        Resource = [
          for account, prefix in local.registries[each.key] :
          "arn:${var.partition}:s3:::${prefix}-artifacts-${account}-${coalesce(each.value.region, var.region)}"
        ]
        Condition = { StringLike = { "s3:prefix" = "models/*" } }
      },
      {
        Sid    = "DecryptModelFiles"
        Effect = "Allow"
        Action = "kms:Decrypt"
        Resource = [
          for account, prefix in local.registries[each.key] :
          "arn:${var.partition}:kms:${coalesce(each.value.region, var.region)}:${account}:key/*"
        ]
        Condition = {
          StringEquals = {
            "kms:ViaService" = "s3.${coalesce(each.value.region, var.region)}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"
          }
        }
      },
    ]
  })
}
