resource "aws_sagemaker_model" "this" {
  # …

  primary_container {
    image          = "763104351884.dkr.ecr.eu-north-1.amazonaws.com/pytorch-inference-neuronx:2.8.0-neuronx-py311-sdk2.26.0-ubuntu22.04"
    model_data_url = "s3://${aws_s3_bucket.this.bucket}/models/delay/model.tar.gz"
  }
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  # …

  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = "ml.inf2.xlarge"
    initial_instance_count = 1
  }
}
