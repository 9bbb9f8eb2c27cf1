resource "aws_emr_cluster" "this" {
  name          = "sagemaker-features"
  release_label = "emr-7.9.0"
  applications  = ["Spark"]
  service_role  = aws_iam_role.this.arn

  master_instance_group {
    instance_type = "m6g.xlarge"
  }

  core_instance_group {
    instance_type  = "m6g.xlarge"
    instance_count = 2
  }

  auto_termination_policy {
    idle_timeout = 900 # seconds
  }
}
