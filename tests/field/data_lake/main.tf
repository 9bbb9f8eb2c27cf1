# A data lake: three buckets, a catalog, a crawler, a nightly Spark job and Athena.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0"
    }
  }
}

provider "aws" {
  region                      = "eu-north-1"
  access_key                  = "no-account"
  secret_key                  = "no-account"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

locals {
  layers = toset(["raw", "clean", "curated"])
}

resource "aws_kms_key" "lake" {
  description             = "Data lake"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_s3_bucket" "lake" {
  for_each = local.layers

  bucket = "acme-lake-${each.key}"
}

resource "aws_s3_bucket_versioning" "lake" {
  for_each = local.layers

  bucket = aws_s3_bucket.lake[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "lake" {
  for_each = local.layers

  bucket                  = aws_s3_bucket.lake[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lake" {
  for_each = local.layers

  bucket = aws_s3_bucket.lake[each.key].id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.lake.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "raw" {
  bucket = aws_s3_bucket.lake["raw"].id

  rule {
    id     = "archive"
    status = "Enabled"

    filter {}

    transition {
      days          = 90
      storage_class = "GLACIER_IR"
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }
  }
}

resource "aws_glue_catalog_database" "this" {
  name = "lake"
}

data "aws_iam_policy_document" "glue" {
  statement {
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = [for bucket in aws_s3_bucket.lake : "${bucket.arn}/*"]
  }

  statement {
    actions   = ["s3:ListBucket"]
    resources = [for bucket in aws_s3_bucket.lake : bucket.arn]
  }

  statement {
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.lake.arn]
  }
}

resource "aws_iam_role" "glue" {
  name = "lake-glue"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "glue.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "glue" {
  role       = aws_iam_role.glue.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole"
}

resource "aws_iam_role_policy" "glue" {
  name   = "lake"
  role   = aws_iam_role.glue.id
  policy = data.aws_iam_policy_document.glue.json
}

resource "aws_glue_crawler" "raw" {
  name          = "lake-raw"
  role          = aws_iam_role.glue.arn
  database_name = aws_glue_catalog_database.this.name
  schedule      = "cron(0 2 * * ? *)"

  s3_target {
    path = "s3://${aws_s3_bucket.lake["raw"].bucket}/events/"
  }
}

resource "aws_glue_job" "clean" {
  name              = "lake-clean"
  role_arn          = aws_iam_role.glue.arn
  glue_version      = "5.0"
  worker_type       = "G.1X"
  number_of_workers = 10
  timeout           = 120

  command {
    script_location = "s3://acme-artifacts/glue/clean.py"
  }
}

resource "aws_glue_trigger" "nightly" {
  name     = "lake-nightly"
  type     = "SCHEDULED"
  schedule = "cron(0 3 * * ? *)"

  actions {
    job_name = aws_glue_job.clean.name
  }
}

resource "aws_athena_workgroup" "this" {
  name = "lake"

  configuration {
    bytes_scanned_cutoff_per_query = 1099511627776

    result_configuration {
      output_location = "s3://${aws_s3_bucket.lake["curated"].bucket}/athena/"
    }
  }
}
