resource "aws_sagemaker_model" "this" {
  # …

  primary_container {
    image          = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/delay@sha256:0f4a1d4d3c5b6a79880000000000000000000000000000000000000000000000"
    model_data_url = "s3://${aws_s3_bucket.this.bucket}/models/delay/model.tar.gz"
  }
}
