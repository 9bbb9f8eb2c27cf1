resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "delay"
  dashboard_body = jsonencode({
    widgets = [{
      type   = "metric"
      width  = 12
      height = 6
      properties = {
        title  = "Requests, instances and their utilization"
        region = "eu-north-1"
        stat   = "Sum"
        metrics = [
          ["AWS/SageMaker", "Invocations", "EndpointName", aws_sagemaker_endpoint.this.name, "VariantName", "main"],
          ["/aws/sagemaker/Endpoints", "CPUUtilization", "EndpointName", aws_sagemaker_endpoint.this.name, "VariantName", "main", { stat = "SampleCount", label = "instance minutes" }],
          ["/aws/sagemaker/Endpoints", "CPUUtilization", "EndpointName", aws_sagemaker_endpoint.this.name, "VariantName", "main", { stat = "Average" }],
        ]
      }
    }]
  })
}
