# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  # Phases without an existing role.
  phases = toset([
    for phase in ["data_preparation", "training", "pipeline", "inference"] : phase
    if !contains(keys(var.existing_role_arns), phase)
  ])

  # Phases that run containers.
  in_containers = setsubtract(local.phases, ["pipeline"])

  sagemaker_arn = "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}"

  # SageMaker may assume the role only for jobs and endpoints of this account.
  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "sagemaker.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike      = { "aws:SourceArn" = "${local.sagemaker_arn}:*" }
        }
      },
    ]
  })

  # Feature groups use this role, too. AWS documents aws:SourceArn for jobs, endpoints and pipelines, but not for
  # Feature Store. The condition therefore checks only the account.
  feature_store_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "sagemaker.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
      },
    ]
  })
}

# A prefix and not a name: models and endpoints are created before the old ones are destroyed, so a new role
# could collide with the old role's name. IAM allows 38 characters.
resource "aws_iam_role" "this" {
  for_each = local.phases

  name_prefix          = "${substr("${var.name_prefix}-${replace(each.key, "_", "-")}", 0, 37)}-"
  description          = "Role of ${replace(each.key, "_", " ")} in ${var.name_prefix}"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = each.key == "data_preparation" ? local.feature_store_trust : local.trust
  tags                 = var.tags
}

locals {
  role_arns = merge(
    { for phase, role in aws_iam_role.this : phase => role.arn },
    var.existing_role_arns,
  )

  paths = { for phase, paths in var.s3_paths : phase => concat(paths.read, paths.write) }

  s3_actions = {
    read = ["s3:GetObject"]
    write = [
      "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts",
    ]
  }
}

# Only objects below the paths of the phase.
resource "aws_iam_role_policy" "s3" {
  for_each = local.phases

  name = "s3"
  role = aws_iam_role.this[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "List"
          Effect   = "Allow"
          Action   = "s3:ListBucket"
          Resource = distinct([for path in local.paths[each.key] : var.buckets[regex("^[^/]+", path)].arn])
          Condition = {
            StringLike = { "s3:prefix" = [for path in local.paths[each.key] : "${regex("/(.*)$", path)[0]}*"] }
          }
        },
        {
          Sid      = "Locate"
          Effect   = "Allow"
          Action   = "s3:GetBucketLocation"
          Resource = distinct([for path in local.paths[each.key] : var.buckets[regex("^[^/]+", path)].arn])
        },
      ],
      [
        for way, actions in local.s3_actions : {
          Sid    = title(way)
          Effect = "Allow"
          Action = actions
          Resource = [
            for path in var.s3_paths[each.key][way] : "${var.buckets[regex("^[^/]+", path)].arn}${regex("/.*$", path)}*"
          ]
        } if length(var.s3_paths[each.key][way]) > 0
      ],
    )
  })
}

# The keys are usable only through S3 and SageMaker. Grants are allowed only for AWS resources, such as the
# volumes of a job.
resource "terraform_data" "key_policy" {
  for_each = local.phases

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = concat([var.kms_key_arn], var.decrypt_key_arns)
        Condition = {
          StringEquals = {
            "kms:ViaService" = [
              "s3.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}",
              "sagemaker.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}",
            ]
          }
        }
      },
      {
        Sid      = "Encrypt"
        Effect   = "Allow"
        Action   = ["kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"]
        Resource = var.kms_key_arn
        Condition = {
          StringEquals = {
            "kms:ViaService" = [
              "s3.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}",
              "sagemaker.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}",
            ]
          }
        }
      },
      {
        Sid      = "Describe"
        Effect   = "Allow"
        Action   = "kms:DescribeKey"
        Resource = var.kms_key_arn
      },
      {
        Sid       = "Grant"
        Effect    = "Allow"
        Action    = "kms:CreateGrant"
        Resource  = var.kms_key_arn
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
      },
    ]
  }
}

resource "aws_iam_role_policy" "key" {
  for_each = terraform_data.key_policy

  name   = "key"
  role   = aws_iam_role.this[each.key].name
  policy = jsonencode(each.value.input)
}

locals {
  # Accounts of AWS that serve SageMaker's framework images: XGBoost and scikit-learn, deep learning containers.
  # Source: the SageMaker Python SDK.
  framework_registries = {
    af-south-1     = ["510948584623", "626614931356"]
    ap-east-1      = ["651117190479", "871362719292"]
    ap-east-2      = ["975050140332"]
    ap-northeast-1 = ["354813040037", "763104351884"]
    ap-northeast-2 = ["366743142698", "763104351884"]
    ap-northeast-3 = ["867004704886", "364406365360"]
    ap-south-1     = ["720646828776", "763104351884"]
    ap-south-2     = ["628508329040", "772153158452"]
    ap-southeast-1 = ["121021644041", "763104351884"]
    ap-southeast-2 = ["783357654285", "763104351884"]
    ap-southeast-3 = ["951798379941", "907027046896"]
    ap-southeast-4 = ["106583098589", "457447274322"]
    ap-southeast-5 = ["550225433462"]
    ap-southeast-6 = ["633930458069"]
    ap-southeast-7 = ["590183813437"]
    ca-central-1   = ["341280168497", "763104351884"]
    ca-west-1      = ["190319476487", "204538143572"]
    cn-north-1     = ["450853457545", "727897471807"]
    cn-northwest-1 = ["451049120500", "727897471807"]
    eu-central-1   = ["492215442770", "763104351884"]
    eu-central-2   = ["680994064768", "380420809688"]
    eu-north-1     = ["662702820516", "763104351884"]
    eu-south-1     = ["978288397137", "692866216735"]
    eu-south-2     = ["104374241257", "503227376785"]
    eu-west-1      = ["141502667606", "763104351884"]
    eu-west-2      = ["764974769150", "763104351884"]
    eu-west-3      = ["659782779980", "763104351884"]
    il-central-1   = ["898809789911", "780543022126"]
    me-central-1   = ["272398656194", "914824155844"]
    me-south-1     = ["801668240914", "217643126080"]
    me-west-1      = ["124382933778"]
    mx-central-1   = ["637423239942"]
    sa-east-1      = ["737474898029", "763104351884"]
    us-east-1      = ["683313688378", "763104351884"]
    us-east-2      = ["257758044811", "763104351884"]
    us-gov-east-1  = ["237065988967", "446045086412"]
    us-gov-west-1  = ["414596584902", "442386744353"]
    us-west-1      = ["746614075791", "763104351884"]
    us-west-2      = ["246618743249", "763104351884"]
  }

  # All repositories in the registries of SageMaker's framework images, and the repositories of the inputs.
  images = concat(
    [
      for account in lookup(local.framework_registries, var.region, []) :
      "arn:${var.partition}:ecr:${var.region}:${account}:repository/*"
    ],
    var.image_repository_arns,
  )
}

# ecr:GetAuthorizationToken and cloudwatch:PutMetricData have no resource, hence the two *. A condition limits
# the metrics to these namespaces.
resource "aws_iam_role_policy" "container" {
  for_each = local.in_containers

  name = "container"
  role = aws_iam_role.this[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Logs"
        Effect = "Allow"
        Action = [
          "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents",
        ]
        Resource = "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:/aws/sagemaker/*"
      },
      {
        Sid      = "Metrics"
        Effect   = "Allow"
        Action   = "cloudwatch:PutMetricData"
        Resource = "*"
        Condition = {
          StringLike = { "cloudwatch:namespace" = ["/aws/sagemaker/*", "${var.name_prefix}/*"] }
        }
      },
      {
        Sid      = "RegistryLogin"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Sid      = "PullImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = local.images
      },
    ]
  })
}

locals {
  feature_actions = {
    data_preparation = [
      "sagemaker:BatchGetRecord", "sagemaker:DeleteRecord", "sagemaker:DescribeFeatureGroup",
      "sagemaker:GetRecord", "sagemaker:PutRecord",
    ]
    training  = ["sagemaker:BatchGetRecord", "sagemaker:DescribeFeatureGroup", "sagemaker:GetRecord"]
    inference = ["sagemaker:BatchGetRecord", "sagemaker:DescribeFeatureGroup", "sagemaker:GetRecord"]
  }
}

# Data preparation writes features; training and inference read the same ones.
resource "aws_iam_role_policy" "features" {
  for_each = {
    for phase, actions in local.feature_actions : phase => actions
    if contains(local.phases, phase) ? length(var.feature_group_names) > 0 : false
  }

  name = "features"
  role = aws_iam_role.this[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Records"
        Effect = "Allow"
        Action = each.value
        Resource = [
          for name in var.feature_group_names :
          "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:feature-group/${name}"
        ]
      },
    ]
  })
}

# Feature Store assumes this role to write the offline store. It reads the bucket's ACL, gives each object to
# the bucket's owner, encrypts with the key, and updates the Glue table. CreateFeatureGroup fails if
# kms:ViaService limits the use of the key.
resource "terraform_data" "offline_store_policy" {
  for_each = setintersection(local.phases, length(var.feature_group_names) > 0 ? ["data_preparation"] : [])

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadBucketAcl"
        Effect   = "Allow"
        Action   = "s3:GetBucketAcl"
        Resource = distinct([for path in var.s3_paths.data_preparation.write : var.buckets[regex("^[^/]+", path)].arn])
      },
      {
        Sid    = "HandOver"
        Effect = "Allow"
        Action = "s3:PutObjectAcl"
        Resource = [
          for path in var.s3_paths.data_preparation.write :
          "${var.buckets[regex("^[^/]+", path)].arn}${regex("/.*$", path)}*"
        ]
        Condition = { StringEquals = { "s3:x-amz-acl" = "bucket-owner-full-control" } }
      },
      {
        Sid      = "EncryptOfflineStore"
        Effect   = "Allow"
        Action   = "kms:GenerateDataKey"
        Resource = var.kms_key_arn
      },
      {
        Sid    = "Table"
        Effect = "Allow"
        Action = ["glue:GetTable", "glue:UpdateTable"]
        Resource = [
          "arn:${var.partition}:glue:${var.region}:${var.account_id}:catalog",
          "arn:${var.partition}:glue:${var.region}:${var.account_id}:database/sagemaker_featurestore",
          "arn:${var.partition}:glue:${var.region}:${var.account_id}:table/sagemaker_featurestore/*",
        ]
      },
    ]
  }
}

resource "aws_iam_role_policy" "offline_store" {
  for_each = terraform_data.offline_store_policy

  name   = "offline-store"
  role   = aws_iam_role.this[each.key].name
  policy = jsonencode(each.value.input)
}

# Network interfaces in these subnets and security groups. The ec2:Describe actions have no resource.
resource "aws_iam_role_policy" "vpc" {
  for_each = nonsensitive(var.vpc == null) ? toset([]) : local.in_containers

  name = "vpc"
  role = aws_iam_role.this[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "DescribeNetwork"
        Effect = "Allow"
        Action = [
          "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups",
          "ec2:DescribeSubnets", "ec2:DescribeVpcs",
        ]
        Resource = "*"
      },
      {
        Sid    = "CreateInterfaces"
        Effect = "Allow"
        Action = "ec2:CreateNetworkInterface"
        Resource = concat(
          ["arn:${var.partition}:ec2:${var.region}:${var.account_id}:network-interface/*"],
          [
            for subnet in var.vpc.subnet_ids : "arn:${var.partition}:ec2:${var.region}:${var.account_id}:subnet/${subnet}"
          ],
          [
            for group in var.vpc.security_group_ids :
            "arn:${var.partition}:ec2:${var.region}:${var.account_id}:security-group/${group}"
          ],
        )
      },
      {
        Sid    = "UseInterfaces"
        Effect = "Allow"
        Action = [
          "ec2:CreateNetworkInterfacePermission",
          "ec2:DeleteNetworkInterface",
          "ec2:DeleteNetworkInterfacePermission",
        ]
        Resource = "arn:${var.partition}:ec2:${var.region}:${var.account_id}:network-interface/*"
        Condition = {
          ArnEquals = {
            "ec2:Subnet" = [
              for subnet in var.vpc.subnet_ids : "arn:${var.partition}:ec2:${var.region}:${var.account_id}:subnet/${subnet}"
            ]
          }
        }
      },
    ]
  })
}

# Only jobs and models of pipelines.
resource "aws_iam_role_policy" "orchestration" {
  for_each = setintersection(local.phases, ["pipeline"])

  name = "orchestration"
  role = aws_iam_role.this[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Steps"
        Effect = "Allow"
        Action = [
          "sagemaker:AddTags",
          "sagemaker:CreateHyperParameterTuningJob",
          "sagemaker:CreateModel",
          "sagemaker:CreateProcessingJob",
          "sagemaker:CreateTrainingJob",
          "sagemaker:CreateTransformJob",
          "sagemaker:DescribeHyperParameterTuningJob",
          "sagemaker:DescribeModel",
          "sagemaker:DescribeProcessingJob",
          "sagemaker:DescribeTrainingJob",
          "sagemaker:DescribeTransformJob",
          "sagemaker:StopHyperParameterTuningJob",
          "sagemaker:StopProcessingJob",
          "sagemaker:StopTrainingJob",
          "sagemaker:StopTransformJob",
        ]
        Resource = flatten([
          for kind in [
            "hyper-parameter-tuning-job", "processing-job", "training-job", "transform-job", "model",
            ] : [
            "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:${kind}/pipelines-*",
            "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:${kind}/${var.name_prefix}-*",
          ]
        ])
      },
    ]
  })
}

# Only the roles of data preparation and training, and only to SageMaker.
resource "terraform_data" "pass_role_policy" {
  for_each = setintersection(local.phases, ["pipeline"])

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "HandOnRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = [local.role_arns["data_preparation"], local.role_arns["training"]]
        Condition = { StringEquals = { "iam:PassedToService" = "sagemaker.amazonaws.com" } }
      },
    ]
  }
}

resource "aws_iam_role_policy" "pass_role" {
  for_each = terraform_data.pass_role_policy

  name   = "pass-role"
  role   = aws_iam_role.this[each.key].name
  policy = jsonencode(each.value.input)
}

# Registers candidates, but not as approved. Only people approve them. AWS does not document whether SageMaker
# reads the image of a package with this role, so the role may.
resource "aws_iam_role_policy" "registration" {
  for_each = length(var.model_package_group_names) > 0 ? setintersection(local.phases, ["pipeline"]) : toset([])

  name = "registration"
  role = aws_iam_role.this[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Register"
        Effect = "Allow"
        Action = "sagemaker:CreateModelPackage"
        Resource = flatten([
          for name in var.model_package_group_names : [
            "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package-group/${name}",
            "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package/${name}/*",
          ]
        ])
        Condition = {
          StringEqualsIfExists = { "sagemaker:ModelApprovalStatus" = ["PendingManualApproval", "Rejected"] }
        }
      },
      {
        Sid    = "TagAndReadPackages"
        Effect = "Allow"
        Action = [
          "sagemaker:AddTags",
          "sagemaker:DescribeModelPackage",
          "sagemaker:DescribeModelPackageGroup",
          "sagemaker:ListModelPackages",
        ]
        Resource = flatten([
          for name in var.model_package_group_names : [
            "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package-group/${name}",
            "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package/${name}/*",
          ]
        ])
      },
      {
        Sid      = "PullImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = local.images
      },
    ]
  })
}

locals {
  # Statements of all modules, by phase.
  role_statements = {
    for phase in setintersection(local.phases, flatten([for statements in var.role_statements : keys(statements)])) :
    phase => flatten([for statements in var.role_statements : lookup(statements, phase, [])])
  }
}

# Statements of other modules. Statements with the same sid differ only in their resources.
resource "terraform_data" "needed_policy" {
  for_each = local.role_statements

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      for sid in toset([for one in each.value : one.sid]) : merge(
        {
          Sid      = sid
          Effect   = "Allow"
          Action   = [for one in each.value : one.actions if one.sid == sid][0]
          Resource = distinct(flatten([for one in each.value : one.resources if one.sid == sid]))
        },
        length([for one in each.value : one.condition if one.sid == sid][0]) > 0 ? {
          Condition = {
            for test in toset([for one in [for one in each.value : one.condition if one.sid == sid][0] : one.test]) :
            test => {
              for one in [for one in each.value : one.condition if one.sid == sid][0] : one.variable => one.values
              if one.test == test
            }
          }
        } : {},
      )
    ]
  }
}

locals {
  # All other policies of the roles.
  policies = [
    aws_iam_role_policy.s3, aws_iam_role_policy.key, aws_iam_role_policy.container,
    aws_iam_role_policy.features, aws_iam_role_policy.offline_store, aws_iam_role_policy.vpc,
    aws_iam_role_policy.orchestration, aws_iam_role_policy.pass_role, aws_iam_role_policy.registration,
  ]
}

resource "aws_iam_role_policy" "needed" {
  for_each = terraform_data.needed_policy

  name   = "needed"
  role   = aws_iam_role.this[each.key].name
  policy = jsonencode(each.value.input)

  lifecycle {
    precondition {
      error_message = "IAM allows 10240 characters of inline policies for a role, and the policies of ${each.key} are longer; attach some of its role_statements to role_names as a managed policy"

      condition = length(join("", concat(
        [
          for by_phase in local.policies : by_phase[each.key].policy if contains(keys(by_phase), each.key)
        ],
        [jsonencode(terraform_data.needed_policy[each.key].input)],
      ))) <= 10240
    }
  }
}

data "aws_caller_identity" "location" {
  for_each = toset(var.verify_location ? ["caller"] : [])
}

data "aws_region" "location" {
  for_each = toset(var.verify_location ? ["caller"] : [])
}

check "location" {
  assert {
    condition     = alltrue([for identity in data.aws_caller_identity.location : identity.account_id == var.account_id]) ? alltrue([for region in data.aws_region.location : region.id == var.region]) : false
    error_message = "the provider works in another account or Region than ${var.account_id} and ${var.region}; correct account_id and region, or pass another provider."
  }
}
