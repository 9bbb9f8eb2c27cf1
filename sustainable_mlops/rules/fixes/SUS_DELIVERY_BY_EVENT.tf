resource "aws_codepipeline" "this" {
  name     = "sagemaker-delay"
  role_arn = aws_iam_role.this.arn

  artifact_store {
    type     = "S3"
    location = aws_s3_bucket.this.bucket
  }

  stage {
    name = "Source"

    action {
      name             = "Source"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeCommit"
      version          = "1"
      output_artifacts = ["source"]

      configuration = {
        RepositoryName       = "delay"
        BranchName           = "main"
        PollForSourceChanges = "false"
      }
    }
  }

  stage {
    name = "Build"

    action {
      name            = "Build"
      category        = "Build"
      owner           = "AWS"
      provider        = "CodeBuild"
      version         = "1"
      input_artifacts = ["source"]

      configuration = {
        ProjectName = "sagemaker-delay"
      }
    }
  }
}

resource "aws_cloudwatch_event_rule" "push" {
  name = "sagemaker-delay-push"
  event_pattern = jsonencode({
    source      = ["aws.codecommit"]
    detail-type = ["CodeCommit Repository State Change"]
    detail      = { event = ["referenceUpdated"], referenceName = ["main"] }
  })
}

resource "aws_cloudwatch_event_target" "push" {
  rule     = aws_cloudwatch_event_rule.push.name
  arn      = aws_codepipeline.this.arn
  role_arn = aws_iam_role.this.arn
}
