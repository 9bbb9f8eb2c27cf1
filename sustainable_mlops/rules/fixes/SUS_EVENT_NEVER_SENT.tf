resource "aws_cloudwatch_event_rule" "endpoint_in_service" {
  name = "endpoint-in-service"
  event_pattern = jsonencode({
    source      = ["aws.sagemaker"]
    detail-type = ["SageMaker Endpoint State Change"]
    detail      = { EndpointStatus = ["IN_SERVICE"] }
  })
}
