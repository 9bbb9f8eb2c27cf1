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
            "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:/aws/sagemaker/Endpoints/${var.name == null ? var.name_prefix : var.name}:*",
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
        {
          sid     = "WatchAlarms"
          actions = ["cloudwatch:DescribeAlarms"]
          resources = [
            for name in concat(
              [
                for variant in concat([var.variant_name], keys(var.challengers)) :
                "${var.name == null ? var.name_prefix : var.name}-${variant}-errors"
              ],
              [
                for variant in concat([var.variant_name], keys(var.challengers)) :
                "${var.name == null ? var.name_prefix : var.name}-${variant}-latency"
              ],
              var.more_rollback_alarms,
            ) : "arn:${var.partition}:cloudwatch:${var.region}:${var.account_id}:alarm:${name}"
          ]
          condition = []
        },
      ],
      [
        for item in length(local.images) > 0 ? ["any"] : [] : {
          sid     = "PullImages"
          actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          resources = [
            for image in local.images :
            "arn:${var.partition}:ecr:${regex("^([0-9]+)\\.dkr\\.ecr\\.([^.]+)\\.[^/]+/([^:@]+)", image)[1]}:${regex("^([0-9]+)\\.dkr\\.ecr\\.([^.]+)\\.[^/]+/([^:@]+)", image)[0]}:repository/${regex("^([0-9]+)\\.dkr\\.ecr\\.([^.]+)\\.[^/]+/([^:@]+)", image)[2]}"
          ]
          condition = []
        }
      ],
      [
        for item in length(local.model_archives) > 0 ? ["any"] : [] : {
          sid       = "ReadModel"
          actions   = ["s3:GetObject"]
          resources = [for url in local.model_archives : "arn:${var.partition}:s3:::${replace(url, "s3://", "")}"]
          condition = []
        }
      ],
      [
        for uri in var.models_s3_uri[*] : {
          sid       = "ReadModel"
          actions   = ["s3:GetObject"]
          resources = ["arn:${var.partition}:s3:::${replace(uri, "s3://", "")}*"]
          condition = []
        }
      ],
      [
        for uri in var.models_s3_uri[*] : {
          sid       = "FindModel"
          actions   = ["s3:ListBucket"]
          resources = ["arn:${var.partition}:s3:::${regex("^s3://([^/]+)/(.*)$", uri)[0]}"]
          condition = [
            {
              test     = "StringLike"
              variable = "s3:prefix"
              values   = ["${regex("^s3://([^/]+)/(.*)$", uri)[1]}*"]
            },
          ]
        }
      ],
      [
        for settings in var.data_capture[*] : {
          sid       = "KeepCaptures"
          actions   = ["s3:PutObject"]
          resources = ["arn:${var.partition}:s3:::${replace(settings.s3_uri, "s3://", "")}/*"]
          condition = []
        }
      ],
      [
        for item in var.data_capture[*] : {
          sid       = "StoreEncrypted"
          actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
          resources = [var.kms_key_arn]
          condition = [
            {
              test     = "StringEquals"
              variable = "kms:ViaService"
              values   = ["s3.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"]
            },
          ]
        }
      ],
    )
  }
}

output "rollback_alarm_names" {
  description = "Names of the alarms that roll a deployment back. Each notifies alarm_actions."

  value = concat(
    [for alarm in aws_cloudwatch_metric_alarm.errors : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.latency : alarm.alarm_name],
  )
}

output "variant_names" {
  description = "Names of the variants that serve requests, for metrics and autoscaling."
  value       = keys(local.weights)
}
