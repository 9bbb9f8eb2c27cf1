# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

output "endpoint_arn" {
  description = "ARN of the endpoint."
  value       = aws_sagemaker_endpoint.this.arn
}

output "endpoint_name" {
  description = "Name of the endpoint to invoke."
  value       = aws_sagemaker_endpoint.this.name
}

output "log_group_name" {
  description = "Log group of the endpoint's containers."
  value       = aws_cloudwatch_log_group.this.name
}

output "role_statements" {
  description = "IAM statements that these resources need in the `inference` role: a map of lists by phase, with sid, actions, resources and condition. Add it to the list `role_statements` of `access`."

  value = {
    inference = concat(
      [
        {
          sid = "Logs"
          actions = [
            "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents",
          ]
          resources = [
            "arn:${local.location.partition}:logs:${local.location.region}:${local.location.account_id}:log-group:/aws/sagemaker/Endpoints/${var.name == null ? var.name_prefix : var.name}:*",
          ]
          condition = []
        },
        {
          sid       = "Metrics"
          actions   = ["cloudwatch:PutMetricData"]
          resources = ["*"]
          condition = [
            {
              test     = "StringLike"
              variable = "cloudwatch:namespace"
              values   = ["/aws/sagemaker/*"]
            },
          ]
        },
        {
          sid       = "RegistryLogin"
          actions   = ["ecr:GetAuthorizationToken"]
          resources = ["*"]
          condition = []
        },
      ],
      [
        for image in var.image_uri[*] : {
          sid     = "PullImages"
          actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          resources = [
            "arn:${local.location.partition}:ecr:${regex("^([0-9]+)\\.dkr\\.ecr\\.([^.]+)\\.[^/]+/([^:@]+)", image)[1]}:${regex("^([0-9]+)\\.dkr\\.ecr\\.([^.]+)\\.[^/]+/([^:@]+)", image)[0]}:repository/${regex("^([0-9]+)\\.dkr\\.ecr\\.([^.]+)\\.[^/]+/([^:@]+)", image)[2]}",
          ]
          condition = []
        }
      ],
      [
        for url in var.model_data_url[*] : {
          sid       = "ReadModel"
          actions   = ["s3:GetObject"]
          resources = ["arn:${local.location.partition}:s3:::${replace(url, "s3://", "")}"]
          condition = []
        }
      ],
    )
  }
}

output "variant_name" {
  description = "Name of the only variant, for metrics and autoscaling."
  value       = var.variant_name
}
