resource "aws_sagemaker_monitoring_schedule" "this" {
  name = "delay"

  monitoring_schedule_config {
    monitoring_type                = "DataQuality"
    monitoring_job_definition_name = "delay"

    schedule_config {
      schedule_expression = "cron(0 0 ? * * *)" # daily
    }
  }
}
