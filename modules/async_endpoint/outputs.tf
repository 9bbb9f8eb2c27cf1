# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

output "answers_s3_uri" {
  description = "S3 prefix of responses."
  value       = "${local.folder}/answers"
}

output "endpoint_arn" {
  description = "ARN of the endpoint."
  value       = aws_sagemaker_endpoint.this.arn
}

output "endpoint_name" {
  description = "Name of the endpoint to invoke."
  value       = aws_sagemaker_endpoint.this.name
}

output "failures_s3_uri" {
  description = "S3 prefix of the reasons of failed requests."
  value       = "${local.folder}/failures"
}

output "log_group_name" {
  description = "Log group of the endpoint's containers."
  value       = aws_cloudwatch_log_group.this.name
}

output "requests_s3_uri" {
  description = "S3 prefix of requests. The role can read no other prefix."
  value       = "${local.folder}/requests"
}

output "role_statements" {
  description = "IAM statements that these resources need in the `inference` role: a map of lists by phase, with sid, actions, resources and condition. Add it to the list `role_statements` of `access`."

  value = {
    inference = concat(
      [
        {
          sid     = "ReadRequests"
          actions = ["s3:GetObject"]
          resources = [
            "arn:${var.partition}:s3:::${replace(var.s3_uri, "s3://", "")}/${var.name == null ? var.name_prefix : var.name}/requests/*",
          ]
          condition = []
        },
        {
          sid     = "WriteResults"
          actions = ["s3:AbortMultipartUpload", "s3:PutObject"]
          resources = [
            "arn:${var.partition}:s3:::${replace(var.s3_uri, "s3://", "")}/${var.name == null ? var.name_prefix : var.name}/answers/*",
            "arn:${var.partition}:s3:::${replace(var.s3_uri, "s3://", "")}/${var.name == null ? var.name_prefix : var.name}/failures/*",
          ]
          condition = []
        },
        {
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
        },
        {
          sid     = "PublishNotifications"
          actions = ["sns:Publish"]
          resources = [
            "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name == null ? var.name_prefix : var.name}-error",
            "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name == null ? var.name_prefix : var.name}-success",
          ]
          condition = []
        },
        {
          sid       = "EncryptNotifications"
          actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
          resources = [var.kms_key_arn]
          condition = [
            {
              test     = "StringEquals"
              variable = "kms:ViaService"
              values   = ["sns.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"]
            },
          ]
        },
        {
          sid     = "WatchAlarms"
          actions = ["cloudwatch:DescribeAlarms"]
          resources = [
            for name in concat(
              ["${var.name == null ? var.name_prefix : var.name}-failures"],
              var.more_rollback_alarms,
            ) : "arn:${var.partition}:cloudwatch:${var.region}:${var.account_id}:alarm:${name}"
          ]
          condition = []
        },
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
      ],
      [
        for image in var.image_uri[*] : {
          sid     = "PullImages"
          actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          resources = [
            "arn:${var.partition}:ecr:${regex("^([0-9]+)\\.dkr\\.ecr\\.([^.]+)\\.[^/]+/([^:@]+)", image)[1]}:${regex("^([0-9]+)\\.dkr\\.ecr\\.([^.]+)\\.[^/]+/([^:@]+)", image)[0]}:repository/${regex("^([0-9]+)\\.dkr\\.ecr\\.([^.]+)\\.[^/]+/([^:@]+)", image)[2]}",
          ]
          condition = []
        }
      ],
      [
        for url in var.model_data_url[*] : {
          sid       = "ReadModel"
          actions   = ["s3:GetObject"]
          resources = ["arn:${var.partition}:s3:::${replace(url, "s3://", "")}"]
          condition = []
        }
      ],
    )
  }
}

output "topic_arns" {
  description = "Topics to subscribe to, by result: error, success."
  value       = { for key, topic in aws_sns_topic.this : key => topic.arn }
}

output "variant_name" {
  description = "Name of the only variant, for metrics and autoscaling."
  value       = var.variant_name
}
