resource "aws_sagemaker_model" "this" {
  # …

  primary_container {
    image          = "763104351884.dkr.ecr.eu-north-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312"
    model_data_url = "s3://${aws_s3_bucket.this.bucket}/models/delay/model.tar.gz"
  }
}
