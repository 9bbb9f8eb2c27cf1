# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

resource "aws_ecr_repository" "this" {
  for_each = var.repositories

  name = "${var.name_prefix}/${replace(each.key, "_", "-")}"
  # A tag that a model names always means the same image.
  image_tag_mutability = "IMMUTABLE"
  force_delete         = !var.deletion_protection
  tags                 = var.tags

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }
}

# Terraform refuses to destroy or replace these guards, and so any plan that deletes or replaces the data.
# prevent_destroy takes no variable, so it is not an argument of the data itself.
resource "terraform_data" "deletion_protection" {
  for_each = var.deletion_protection ? { for key, repository in aws_ecr_repository.this : key => repository.arn } : {}

  triggers_replace = each.value

  lifecycle {
    prevent_destroy = true
  }
}

# Images without a tag are billed until they expire. Other tagged images stay, because a model may name them.
resource "aws_ecr_lifecycle_policy" "this" {
  for_each = var.repositories

  repository = aws_ecr_repository.this[each.key].name

  policy = jsonencode({
    rules = concat(
      [
        {
          rulePriority = 1
          description  = "Images without a tag"
          selection = {
            tagStatus   = "untagged"
            countType   = "sinceImagePushed"
            countUnit   = "days"
            countNumber = each.value.expire_untagged_after_days
          }
          action = { type = "expire" }
        },
      ],
      flatten([
        for images in each.value.temporary_images[*] : [
          for index, prefix in images.tag_prefixes : {
            rulePriority = index + 2
            description  = "Images with a tag ${prefix}*"
            selection = {
              tagStatus     = "tagged"
              tagPrefixList = [prefix]
              countType     = "sinceImagePushed"
              countUnit     = "days"
              countNumber   = images.expire_after_days
            }
            action = { type = "expire" }
          }
        ]
      ]),
    )
  })
}

locals {
  shared_repositories = {
    for key, repository in var.repositories : key => repository if length(repository.reader_account_ids) > 0
  }
}

resource "aws_ecr_repository_policy" "readers" {
  for_each = local.shared_repositories

  repository = aws_ecr_repository.this[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "PullImages"
        Effect = "Allow"
        Principal = {
          AWS = [for account in each.value.reader_account_ids : "arn:${var.partition}:iam::${account}:root"]
        }
        Action = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      },
    ]
  })
}

# A registry has one replication, so only one module call of an account and a Region can set it.
resource "aws_ecr_replication_configuration" "this" {
  for_each = toset(length(var.replicate_to) > 0 ? ["registry"] : [])

  replication_configuration {
    rule {
      repository_filter {
        filter      = "${var.name_prefix}/"
        filter_type = "PREFIX_MATCH"
      }

      dynamic "destination" {
        for_each = var.replicate_to
        iterator = registry

        content {
          registry_id = registry.value.account_id
          region      = registry.value.region
        }
      }
    }
  }
}

# Other accounts replicate only into these repositories, and create none.
resource "aws_ecr_registry_policy" "this" {
  for_each = toset(length(var.replicate_from_account_ids) > 0 ? ["registry"] : [])

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "ReceiveImages"
        Effect = "Allow"
        Principal = {
          AWS = [
            for account in var.replicate_from_account_ids : "arn:${var.partition}:iam::${account}:root"
          ]
        }
        Action = "ecr:ReplicateImage"
        Resource = [
          for key, repository in var.repositories :
          "arn:${var.partition}:ecr:${var.region}:${var.account_id}:repository/${var.name_prefix}/${replace(key, "_", "-")}"
        ]
      },
    ]
  })
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
