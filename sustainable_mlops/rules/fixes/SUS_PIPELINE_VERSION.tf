resource "aws_sagemaker_pipeline" "this" {
  pipeline_name         = "train"
  pipeline_display_name = "train"
  role_arn              = aws_iam_role.this.arn

  pipeline_definition_s3_location {
    bucket     = aws_s3_object.pipeline.bucket
    object_key = aws_s3_object.pipeline.key
    version_id = aws_s3_object.pipeline.version_id
  }
}

resource "aws_s3_object" "pipeline" {
  bucket = aws_s3_bucket.this.bucket # versioned
  key    = "pipelines/train.json"
  source = "${path.module}/train.json"
}
