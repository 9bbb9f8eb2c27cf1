# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

resource "aws_iam_policy" "boundary" {
  name = "flights-dev-boundary"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["cloudwatch:*", "ec2:*", "ecr:*", "glue:*", "kms:*", "logs:*", "s3:*", "sagemaker:*"]
        Resource = "*"
      },
      { Effect = "Allow", Action = "iam:PassRole", Resource = "arn:aws:iam::123456789012:role/mlops/flights-dev-*" },
    ]
  })
}

module "access" {
  source = "../.."

  name_prefix              = "flights-dev"
  account_id               = "123456789012"
  region                   = "eu-north-1"
  role_path                = "/mlops/"
  permissions_boundary_arn = aws_iam_policy.boundary.arn
  tags                     = { workload = "flight_delay" }

  kms_key_arn               = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  decrypt_key_arns          = ["arn:aws:kms:eu-north-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
  feature_group_names       = ["flights-dev-flights"]
  model_package_group_names = ["flights-dev-flight-delay"]
  image_repository_arns     = ["arn:aws:ecr:eu-north-1:123456789012:repository/flights-prepare"]

  buckets = {
    artifacts = { arn = "arn:aws:s3:::flights-dev-artifacts-123456789012-eu-north-1" }
    data      = { arn = "arn:aws:s3:::flights-dev-data-123456789012-eu-north-1" }
    lake      = { arn = "arn:aws:s3:::company-lake" }
  }
  s3_paths = {
    data_preparation = {
      read  = ["lake/flights/", "data/raw/", "artifacts/source/"]
      write = ["data/feature-store/", "data/re-creatable/"]
    }
  }
  vpc = {
    subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    security_group_ids = ["sg-0123456789abcdef0"]
  }
}


