# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

# SageMaker may keep network interfaces in this group for some minutes after a job or an endpoint, so its
# deletion waits.
resource "aws_security_group" "workloads" {
  # checkov:skip=CKV2_AWS_5:jobs, endpoints and Studio outside this module use the group

  name        = "${var.name_prefix}-sagemaker"
  description = "Jobs, endpoints and Studio of SageMaker."
  vpc_id      = var.vpc_id
  tags        = var.tags

  timeouts {
    delete = "45m"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# Admits the jobs and endpoints of the other group, and further clients.
resource "aws_security_group" "endpoints" {
  name        = "${var.name_prefix}-endpoints"
  description = "Interface endpoints of AWS services."
  vpc_id      = var.vpc_id
  tags        = var.tags

  # AWS refuses to delete a group that an endpoint uses.
  lifecycle {
    create_before_destroy = true
  }
}

# Traffic to S3 neither leaves the network of AWS nor passes a NAT gateway. It is free of charge.
resource "aws_vpc_endpoint" "gateway" {
  for_each = toset(nonsensitive(var.existing_s3_prefix_list_id == null) ? ["s3"] : [])

  vpc_id            = var.vpc_id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.route_table_ids
  tags              = merge(var.tags, { Name = "${var.name_prefix}-s3" })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "UseBucketsOfAccounts"
          Effect    = "Allow"
          Principal = "*"
          Action    = "s3:*"
          Resource  = "*"
          Condition = {
            StringEquals = {
              "aws:PrincipalAccount" = var.account_id
              "aws:ResourceAccount"  = concat([var.account_id], var.bucket_account_ids)
            }
          }
        },
        {
          Sid       = "PullImageLayers"
          Effect    = "Allow"
          Principal = "*"
          Action    = "s3:GetObject"
          Resource  = "arn:${var.partition}:s3:::prod-${var.region}-starport-layer-bucket/*"
        },
      ],
      [
        for item in length(var.readable_bucket_arns) > 0 ? ["any"] : [] : {
          Sid       = "ReadOtherBuckets"
          Effect    = "Allow"
          Principal = "*"
          Action    = ["s3:GetObject", "s3:ListBucket"]
          Resource  = flatten([for arn in var.readable_bucket_arns : [arn, "${arn}/*"]])
        }
      ],
    )
  })
}

locals {
  # Services that each purpose needs.
  services_by_purpose = {
    call_endpoints = ["sagemaker.runtime"]
    experiments    = ["sagemaker.api", "sagemaker.metrics"]
    feature_store  = ["sagemaker.featurestore-runtime"]
    images         = ["ecr.api", "ecr.dkr"]
    mlflow         = ["aws.sagemaker.${var.region}.experiments", "sagemaker.api"]
    start_jobs     = ["logs", "sagemaker.api", "sts"]
    studio         = ["logs", "sagemaker.api", "sagemaker.metrics", "sagemaker.runtime", "sts"]
  }
}

# Each interface endpoint is billed by the hour in each Availability Zone.
resource "aws_vpc_endpoint" "this" {
  for_each = toset(concat(
    var.services,
    flatten([for purpose in var.purposes : local.services_by_purpose[purpose]]),
  ))

  vpc_id              = var.vpc_id
  service_name        = can(regex("^(com\\.amazonaws|cn\\.com\\.amazonaws|aws)\\.", each.key)) ? each.key : "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = coalesce(var.endpoint_subnet_ids, var.subnet_ids)
  security_group_ids  = [aws_security_group.endpoints.id]
  private_dns_enabled = true
  tags                = merge(var.tags, { Name = "${var.name_prefix}-${each.key}" })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "UseServiceAsThisAccount"
          Effect    = "Allow"
          Principal = "*"
          Action    = "*"
          Resource  = "*"
          Condition = { StringEquals = { "aws:PrincipalAccount" = var.account_id } }
        },
      ],
      [
        for item in each.key == "sts" ? ["any"] : [] : {
          Sid       = "AssumeRolesOfThisAccount"
          Effect    = "Allow"
          Principal = "*"
          Action    = ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"]
          Resource  = "arn:${var.partition}:iam::${var.account_id}:role/*"
        }
      ],
    )
  })
}

resource "aws_vpc_security_group_ingress_rule" "between_instances" {
  description                  = "From the other instances of a job."
  tags                         = var.tags
  security_group_id            = aws_security_group.workloads.id
  referenced_security_group_id = aws_security_group.workloads.id
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "between_instances" {
  description                  = "To the other instances of a job."
  tags                         = var.tags
  security_group_id            = aws_security_group.workloads.id
  referenced_security_group_id = aws_security_group.workloads.id
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  security_group_id            = aws_security_group.workloads.id
  referenced_security_group_id = aws_security_group.endpoints.id
  description                  = "To interface endpoints."
  tags                         = var.tags
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  security_group_id = aws_security_group.workloads.id
  prefix_list_id    = coalesce(var.existing_s3_prefix_list_id, one([for endpoint in aws_vpc_endpoint.gateway : endpoint.prefix_list_id]))
  description       = "To S3."
  tags              = var.tags
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "workloads" {
  security_group_id            = aws_security_group.endpoints.id
  referenced_security_group_id = aws_security_group.workloads.id
  description                  = "From jobs, endpoints and Studio."
  tags                         = var.tags
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.endpoints.id
  referenced_security_group_id = each.value
  description                  = "From ${each.key}."
  tags                         = var.tags
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_ingress_rule" "addresses" {
  for_each = toset(var.client_cidr_blocks)

  security_group_id = aws_security_group.endpoints.id
  cidr_ipv4         = each.key
  description       = "From ${each.key}."
  tags              = var.tags
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
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
