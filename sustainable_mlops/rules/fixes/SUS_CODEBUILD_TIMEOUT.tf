resource "aws_codebuild_project" "this" {
  name          = "sagemaker-delay"
  service_role  = aws_iam_role.this.arn
  build_timeout = 30 # minutes

  artifacts {
    type = "NO_ARTIFACTS"
  }

  environment {
    type         = "ARM_CONTAINER"
    compute_type = "BUILD_GENERAL1_SMALL"
    image        = "aws/codebuild/amazonlinux2-aarch64-standard:3.0"
  }

  source {
    type     = "S3"
    location = "${aws_s3_bucket.this.bucket}/source.zip"
  }
}
