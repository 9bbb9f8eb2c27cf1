# A state like that of philschmid/terraform-aws-sagemaker-huggingface 0.9.0 with serverless_config: the same addresses,
# except resource_id, which is a random_string there.
resource "terraform_data" "resource_id" {
  input = "kqzmvbnt"
}

resource "aws_iam_role" "new_role" {
  count = 1

  name = "sentiment-sagemaker-execution-role-${terraform_data.resource_id.output}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "sagemaker.amazonaws.com" }
        Action    = "sts:AssumeRole"
      },
    ]
  })

  inline_policy {
    name = "terraform-inferences-policy"

    policy = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Action = ["ecr:*", "kms:*", "logs:*", "s3:*"], Resource = "*" }]
    })
  }
}

resource "aws_sagemaker_model" "model_with_model_artifact" {
  count = 1

  name               = "sentiment-model-${terraform_data.resource_id.output}"
  execution_role_arn = aws_iam_role.new_role[0].arn

  primary_container {
    image          = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/sentiment:1"
    model_data_url = "s3://sentiment-models/model.tar.gz"

    environment = {
      HF_TASK = "text-classification"
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint_configuration" "huggingface_serverless" {
  count = 1

  name = "sentiment-ep-config-${terraform_data.resource_id.output}"

  production_variants {
    variant_name = "AllTraffic"
    model_name   = aws_sagemaker_model.model_with_model_artifact[0].name

    serverless_config {
      max_concurrency   = 4
      memory_size_in_mb = 2048
    }
  }
}

resource "aws_sagemaker_endpoint" "huggingface" {
  name                 = "sentiment-ep-${terraform_data.resource_id.output}"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.huggingface_serverless[0].name
}
