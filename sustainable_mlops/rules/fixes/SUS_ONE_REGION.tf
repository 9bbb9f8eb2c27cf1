# The bucket and the model use one provider, so they are in one Region.
resource "aws_s3_bucket" "models" {
  bucket_prefix = "sagemaker-models-"
}

resource "aws_sagemaker_model" "this" {
  # …

  primary_container {
    image          = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/delay:2026-11-01"
    model_data_url = "s3://${aws_s3_bucket.models.bucket}/models/delay/model.tar.gz"
  }
}
