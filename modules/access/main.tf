# Generated from module.py by smlops synth: change that, then run it again.

locals {
  # Phases without an existing role.
  phases = toset([
    for phase in ["data_preparation", "training", "pipeline", "inference"] : phase
    if !contains(keys(var.existing_role_arns), phase)
  ])

  # Phases that run containers.
  in_containers = setsubtract(local.phases, ["pipeline"])

  dns_suffix = var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"

  sagemaker_arn = "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}"
}

# SageMaker may assume the role only for jobs and endpoints of this account.
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["${local.sagemaker_arn}:*"]
    }
  }
}

# Feature groups use this role, too. AWS documents aws:SourceArn for jobs, endpoints and pipelines, but not for
# Feature Store. The condition therefore checks only the account.
data "aws_iam_policy_document" "feature_store_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

# A prefix and not a name: models and endpoints are created before the old ones are destroyed, so a new role
# could collide with the old role's name. IAM allows 38 characters.
resource "aws_iam_role" "this" {
  for_each = local.phases

  name_prefix          = "${substr("${var.name_prefix}-${replace(each.key, "_", "-")}", 0, 37)}-"
  description          = "Role of ${replace(each.key, "_", " ")} in ${var.name_prefix}"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = each.key == "data_preparation" ? data.aws_iam_policy_document.feature_store_trust.json : data.aws_iam_policy_document.trust.json
  tags                 = var.tags
}

locals {
  role_arns = merge(
    { for phase, role in aws_iam_role.this : phase => role.arn },
    var.existing_role_arns,
  )

  paths = { for phase, paths in var.s3_paths : phase => concat(paths.read, paths.write) }
}

data "aws_iam_policy_document" "buckets" {
  for_each = local.phases

  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = distinct([for path in local.paths[each.key] : var.buckets[regex("^[^/]+", path)].arn])

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = [for path in local.paths[each.key] : "${regex("/(.*)$", path)[0]}*"]
    }
  }

  statement {
    sid       = "Locate"
    actions   = ["s3:GetBucketLocation"]
    resources = distinct([for path in local.paths[each.key] : var.buckets[regex("^[^/]+", path)].arn])
  }
}

locals {
  s3_actions = {
    read = ["s3:GetObject"]
    write = [
      "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts",
    ]
  }
}

# Only objects below the paths of the phase.
data "aws_iam_policy_document" "s3" {
  for_each = local.phases

  source_policy_documents = [data.aws_iam_policy_document.buckets[each.key].json]

  dynamic "statement" {
    for_each = {
      for way, actions in local.s3_actions : way => actions if length(var.s3_paths[each.key][way]) > 0
    }

    content {
      sid     = title(statement.key)
      actions = statement.value

      resources = [
        for path in var.s3_paths[each.key][statement.key] :
        "${var.buckets[regex("^[^/]+", path)].arn}${regex("/.*$", path)}*"
      ]
    }
  }
}

resource "aws_iam_role_policy" "s3" {
  for_each = data.aws_iam_policy_document.s3

  name   = "s3"
  role   = aws_iam_role.this[each.key].name
  policy = each.value.json
}

# The keys are usable only through S3 and SageMaker. Grants are allowed only for AWS resources, such as the
# volumes of a job.
data "aws_iam_policy_document" "key" {
  for_each = local.phases

  statement {
    sid       = "Decrypt"
    actions   = ["kms:Decrypt"]
    resources = concat([var.kms_key_arn], var.decrypt_key_arns)

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.${local.dns_suffix}", "sagemaker.${var.region}.${local.dns_suffix}"]
    }
  }

  statement {
    sid       = "Encrypt"
    actions   = ["kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.${local.dns_suffix}", "sagemaker.${var.region}.${local.dns_suffix}"]
    }
  }

  statement {
    sid       = "Describe"
    actions   = ["kms:DescribeKey"]
    resources = [var.kms_key_arn]
  }

  statement {
    sid       = "Grant"
    actions   = ["kms:CreateGrant"]
    resources = [var.kms_key_arn]

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }
}

resource "aws_iam_role_policy" "key" {
  for_each = data.aws_iam_policy_document.key

  name   = "key"
  role   = aws_iam_role.this[each.key].name
  policy = each.value.json
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
data "aws_iam_policy_document" "container" {
  # checkov:skip=CKV_AWS_356:ecr:GetAuthorizationToken and cloudwatch:PutMetricData have no resource

  for_each = local.in_containers

  statement {
    sid       = "Logs"
    resources = ["arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:/aws/sagemaker/*"]

    actions = [
      "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents",
    ]
  }

  statement {
    sid       = "Metrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]

    condition {
      test     = "StringLike"
      variable = "cloudwatch:namespace"
      values   = ["/aws/sagemaker/*", "${var.name_prefix}/*"]
    }
  }

  statement {
    sid       = "RegistryLogin"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "PullImages"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = local.images
  }
}

resource "aws_iam_role_policy" "container" {
  for_each = data.aws_iam_policy_document.container

  name   = "container"
  role   = aws_iam_role.this[each.key].name
  policy = each.value.json
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
data "aws_iam_policy_document" "features" {
  for_each = {
    for phase, actions in local.feature_actions : phase => actions
    if contains(local.phases, phase) ? length(var.feature_group_names) > 0 : false
  }

  statement {
    sid     = "Records"
    actions = each.value

    resources = [
      for name in var.feature_group_names :
      "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:feature-group/${name}"
    ]
  }
}

resource "aws_iam_role_policy" "features" {
  for_each = data.aws_iam_policy_document.features

  name   = "features"
  role   = aws_iam_role.this[each.key].name
  policy = each.value.json
}

# Feature Store assumes this role to write the offline store. It reads the bucket's ACL, gives each object to
# the bucket's owner, encrypts with the key, and updates the Glue table. CreateFeatureGroup fails if
# kms:ViaService limits the use of the key.
data "aws_iam_policy_document" "offline_store" {
  for_each = setintersection(local.phases, length(var.feature_group_names) > 0 ? ["data_preparation"] : [])

  statement {
    sid       = "ReadBucketAcl"
    actions   = ["s3:GetBucketAcl"]
    resources = distinct([for path in var.s3_paths.data_preparation.write : var.buckets[regex("^[^/]+", path)].arn])
  }

  statement {
    sid     = "HandOver"
    actions = ["s3:PutObjectAcl"]

    resources = [
      for path in var.s3_paths.data_preparation.write :
      "${var.buckets[regex("^[^/]+", path)].arn}${regex("/.*$", path)}*"
    ]

    condition {
      test     = "StringEquals"
      variable = "s3:x-amz-acl"
      values   = ["bucket-owner-full-control"]
    }
  }

  statement {
    sid       = "EncryptOfflineStore"
    actions   = ["kms:GenerateDataKey"]
    resources = [var.kms_key_arn]
  }

  statement {
    sid     = "Table"
    actions = ["glue:GetTable", "glue:UpdateTable"]

    resources = [
      "arn:${var.partition}:glue:${var.region}:${var.account_id}:catalog",
      "arn:${var.partition}:glue:${var.region}:${var.account_id}:database/sagemaker_featurestore",
      "arn:${var.partition}:glue:${var.region}:${var.account_id}:table/sagemaker_featurestore/*",
    ]
  }
}

resource "aws_iam_role_policy" "offline_store" {
  for_each = data.aws_iam_policy_document.offline_store

  name   = "offline-store"
  role   = aws_iam_role.this[each.key].name
  policy = each.value.json
}

# Network interfaces in these subnets and security groups. The ec2:Describe actions have no resource.
data "aws_iam_policy_document" "vpc" {
  # checkov:skip=CKV_AWS_356:the ec2:Describe actions have no resource

  for_each = nonsensitive(var.vpc == null) ? toset([]) : local.in_containers

  statement {
    sid       = "Look"
    resources = ["*"]

    actions = [
      "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets", "ec2:DescribeVpcs",
    ]
  }

  statement {
    sid     = "CreateInterfaces"
    actions = ["ec2:CreateNetworkInterface"]

    resources = concat(
      ["arn:${var.partition}:ec2:${var.region}:${var.account_id}:network-interface/*"],
      [
        for subnet in var.vpc.subnet_ids : "arn:${var.partition}:ec2:${var.region}:${var.account_id}:subnet/${subnet}"
      ],
      [
        for group in var.vpc.security_group_ids :
        "arn:${var.partition}:ec2:${var.region}:${var.account_id}:security-group/${group}"
      ],
    )
  }

  statement {
    sid       = "UseInterfaces"
    resources = ["arn:${var.partition}:ec2:${var.region}:${var.account_id}:network-interface/*"]

    actions = [
      "ec2:CreateNetworkInterfacePermission",
      "ec2:DeleteNetworkInterface",
      "ec2:DeleteNetworkInterfacePermission",
    ]

    condition {
      test     = "ArnEquals"
      variable = "ec2:Subnet"

      values = [
        for subnet in var.vpc.subnet_ids : "arn:${var.partition}:ec2:${var.region}:${var.account_id}:subnet/${subnet}"
      ]
    }
  }
}

resource "aws_iam_role_policy" "vpc" {
  for_each = data.aws_iam_policy_document.vpc

  name   = "vpc"
  role   = aws_iam_role.this[each.key].name
  policy = each.value.json
}

# Only jobs and models of pipelines.
data "aws_iam_policy_document" "orchestration" {
  for_each = setintersection(local.phases, ["pipeline"])

  statement {
    sid = "Steps"

    actions = [
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

    resources = flatten([
      for kind in [
        "hyper-parameter-tuning-job", "processing-job", "training-job", "transform-job", "model",
        ] : [
        "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:${kind}/pipelines-*",
        "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:${kind}/${var.name_prefix}-*",
      ]
    ])
  }
}

resource "aws_iam_role_policy" "orchestration" {
  for_each = data.aws_iam_policy_document.orchestration

  name   = "orchestration"
  role   = aws_iam_role.this[each.key].name
  policy = each.value.json
}

# Only the roles of data preparation and training, and only to SageMaker.
data "aws_iam_policy_document" "pass_role" {
  for_each = setintersection(local.phases, ["pipeline"])

  statement {
    sid       = "HandOnRoles"
    actions   = ["iam:PassRole"]
    resources = [local.role_arns["data_preparation"], local.role_arns["training"]]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["sagemaker.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "pass_role" {
  for_each = data.aws_iam_policy_document.pass_role

  name   = "pass-role"
  role   = aws_iam_role.this[each.key].name
  policy = each.value.json
}

# Registers candidates. Only people approve them.
data "aws_iam_policy_document" "registration" {
  for_each = length(var.model_package_group_names) > 0 ? setintersection(local.phases, ["pipeline"]) : toset([])

  statement {
    sid = "Register"

    actions = [
      "sagemaker:AddTags",
      "sagemaker:CreateModelPackage",
      "sagemaker:DescribeModelPackage",
      "sagemaker:DescribeModelPackageGroup",
      "sagemaker:ListModelPackages",
    ]

    resources = flatten([
      for name in var.model_package_group_names : [
        "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package-group/${name}",
        "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package/${name}/*",
      ]
    ])
  }
}

resource "aws_iam_role_policy" "registration" {
  for_each = data.aws_iam_policy_document.registration

  name   = "registration"
  role   = aws_iam_role.this[each.key].name
  policy = each.value.json
}

locals {
  # Statements of all modules, by phase.
  role_statements = {
    for phase in setintersection(local.phases, flatten([for statements in var.role_statements : keys(statements)])) :
    phase => flatten([for statements in var.role_statements : lookup(statements, phase, [])])
  }
}

# Statements of other modules. Statements with the same sid differ only in their resources.
data "aws_iam_policy_document" "needed" {
  for_each = local.role_statements

  dynamic "statement" {
    for_each = toset([for one in each.value : one.sid])

    content {
      sid       = statement.value
      actions   = [for one in each.value : one.actions if one.sid == statement.value][0]
      resources = distinct(flatten([for one in each.value : one.resources if one.sid == statement.value]))

      dynamic "condition" {
        for_each = [for one in each.value : one.condition if one.sid == statement.value][0]

        content {
          test     = condition.value.test
          variable = condition.value.variable
          values   = condition.value.values
        }
      }
    }
  }
}

locals {
  # All policies of a role.
  documents = [
    data.aws_iam_policy_document.s3,
    data.aws_iam_policy_document.key,
    data.aws_iam_policy_document.container,
    data.aws_iam_policy_document.features,
    data.aws_iam_policy_document.offline_store,
    data.aws_iam_policy_document.vpc,
    data.aws_iam_policy_document.orchestration,
    data.aws_iam_policy_document.pass_role,
    data.aws_iam_policy_document.registration,
    data.aws_iam_policy_document.needed,
  ]
}

resource "aws_iam_role_policy" "needed" {
  for_each = data.aws_iam_policy_document.needed

  name   = "needed"
  role   = aws_iam_role.this[each.key].name
  policy = each.value.json

  lifecycle {
    precondition {
      error_message = "IAM allows 10240 characters of inline policies for a role, and those of ${each.key} are longer; attach some of its role_statements to role_names as a managed policy"

      condition = length(join("", [
        for by_phase in local.documents : by_phase[each.key].minified_json if contains(keys(by_phase), each.key)
      ])) <= 10240
    }
  }
}
