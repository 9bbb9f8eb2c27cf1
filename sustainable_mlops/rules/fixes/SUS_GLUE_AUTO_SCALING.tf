resource "aws_glue_job" "this" {
  name              = "sagemaker-features"
  role_arn          = aws_iam_role.this.arn
  glue_version      = "5.0"
  worker_type       = "G.1X"
  number_of_workers = 10 # the maximum
  timeout           = 60 # minutes

  default_arguments = {
    "--enable-auto-scaling" = "true"
  }

  command {
    name            = "glueetl"
    script_location = "s3://${aws_s3_bucket.this.bucket}/glue/features.py"
  }
}
