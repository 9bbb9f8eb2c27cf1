resource "aws_sagemaker_model" "this" {
  # …

  primary_container {
    image          = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/delay:2026-11-01"
    model_data_url = "s3://${aws_s3_bucket.this.bucket}/models/delay/model.tar.gz"

    environment = {
      FEATURE_API_ID = aws_secretsmanager_secret.feature_api.name # the container reads the value when it starts
    }
  }
}

resource "aws_secretsmanager_secret" "feature_api" {
  name = "delay/feature-api"
}
