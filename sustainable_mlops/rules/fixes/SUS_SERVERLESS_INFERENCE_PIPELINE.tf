resource "aws_sagemaker_model" "this" {
  # …

  # instead of several container blocks
  primary_container {
    image          = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/delay:2026-11-01"
    model_data_url = "s3://${aws_s3_bucket.this.bucket}/models/delay/model.tar.gz"
  }
}
