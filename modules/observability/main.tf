# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

resource "aws_sns_topic" "alarms" {
  name              = "${var.name_prefix}-alarms"
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

# Allows alarms of this account. Roles publish by their own policies. EventBridge assumes the role publisher.
resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "PublishAlarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-alarms"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike = {
            "aws:SourceArn" = "arn:${var.partition}:cloudwatch:${var.region}:${var.account_id}:alarm:*"
          }
        }
      },
      {
        Sid       = "DenyPlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-alarms"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic" "events" {
  name              = "${var.name_prefix}-events"
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

# Has no Allow statement: roles publish by their own IAM policies. EventBridge assumes the role publisher.
resource "aws_sns_topic_policy" "events" {
  arn = aws_sns_topic.events.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyPlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-events"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = {
    for key, subscriber in var.subscribers : key => subscriber if contains(subscriber.topics, "alarms")
  }

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint
}

resource "aws_sns_topic_subscription" "events" {
  for_each = {
    for key, subscriber in var.subscribers : key => subscriber if contains(subscriber.topics, "events")
  }

  topic_arn = aws_sns_topic.events.arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint
}

locals {
  publishers = {
    for key, topic in {
      events = {
        kms_key_arn   = var.kms_key_arn
        existing_role = var.existing_publisher_role
      }
    } : key => topic if length(var.events) > 0
  }

  missing_publishers = {
    for key, item in local.publishers : key => item if nonsensitive(item.existing_role == null)
  }
}

# EventBridge may assume the role only for these rules.
resource "aws_iam_role" "publisher" {
  for_each = local.missing_publishers

  name_prefix          = "${substr("${var.name_prefix}-events-publisher", 0, 37)}-"
  description          = "Publishes events to ${var.name_prefix}-events"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "PublishEvents"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike = {
            "aws:SourceArn" = concat(
              [
                "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${var.name_prefix}.*",
                "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${var.name_prefix}-*",
              ],
              [
                for endpoint in var.endpoints :
                "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${endpoint.name}"
                if !can(regex("^${var.name_prefix}-", endpoint.name))
              ],
            )
          }
        }
      },
    ]
  })
}

resource "terraform_data" "publisher_policy" {
  for_each = local.missing_publishers

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Publish"
        Effect = "Allow"
        Action = "sns:Publish"
        Resource = [
          "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-alarms",
          "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-events",
        ]
      },
      {
        Sid      = "PublishEncrypted"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = each.value.kms_key_arn
        Condition = {
          StringEquals = {
            "kms:ViaService" = "sns.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"
          }
        }
      },
    ]
  }
}

resource "aws_iam_role_policy" "publisher" {
  for_each = aws_iam_role.publisher

  name   = "publish"
  role   = each.value.name
  policy = jsonencode(terraform_data.publisher_policy[each.key].input)
}

# Keeps events that no topic got, such as for a missing permission on its key.
resource "aws_sqs_queue" "undelivered" {
  for_each = local.publishers

  name                      = "${var.name_prefix}-events-undelivered"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "undelivered" {
  for_each = aws_sqs_queue.undelivered

  queue_url = each.value.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "KeepEvents"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${var.name_prefix}-events-undelivered"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike = {
            "aws:SourceArn" = concat(
              [
                "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${var.name_prefix}.*",
                "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${var.name_prefix}-*",
              ],
              [
                for endpoint in var.endpoints :
                "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${endpoint.name}"
                if !can(regex("^${var.name_prefix}-", endpoint.name))
              ],
            )
          }
        }
      },
    ]
  })
}

locals {
  publisher_role_arn = one(concat(
    [for key, item in aws_iam_role_policy.publisher : aws_iam_role.publisher[key].arn],
    [
      for key, item in local.publishers : item.existing_role.arn if !nonsensitive(item.existing_role == null)
    ],
  ))
}

# Without this, SageMaker creates these log groups with the first job and keeps the logs forever.
resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338:nobody reads a year of job logs; log_retention_days sets the retention

  for_each = toset(var.log_groups)

  name              = each.key
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

locals {
  # Metrics belong to a variant; most endpoints have one.
  variants = merge([
    for key, endpoint in var.endpoints : {
      for variant in endpoint.variants : variant == "main" ? key : "${key}__${replace(variant, "-", "_")}" => merge(
        endpoint,
        {
          endpoint = key
          variant  = variant
          title    = variant == "main" ? endpoint.name : "${endpoint.name}/${variant}"
        },
      )
    }
  ]...)

  # Factors of one hour of each instance type, and of one GB of a serverless worker.
  instance_factors = { for row in csvdecode(file("${path.module}/instance_types.csv")) : row.type => row }

  region_factors = one([for row in csvdecode(file("${path.module}/regions.csv")) : row if row.region == var.region])

  # Price of a family in this Region, relative to us-east-1.
  prices = {
    for row in csvdecode(file("${path.module}/prices.csv")) : row.family => try(row[var.region], null)
  }

  # Row of the instance type of each variant; null if the catalogue does not have it.
  variant_factors = {
    for key, variant in local.variants :
    key => lookup(local.instance_factors, variant.kind == "serverless" ? "serverless" : variant.instance_type, null)
  }

  unknown = [
    for key, row in local.variant_factors : key if row == null ? true : local.region_factors == null
  ]
}

check "instance_types_are_known" {
  assert {
    condition     = length(local.unknown) == 0
    error_message = "The catalogue does not know ${local.region_factors == null ? var.region : join(", ", local.unknown)}: the dashboard shows no kgCO2e and USD for it. Unknown instances have no alarms on CPUs and GPUs."
  }
}

locals {
  # Defaults of an alarm.
  alarm_defaults = {
    metric       = null
    statistic    = null
    namespace    = "AWS/SageMaker"
    percentile   = null
    math         = null
    below        = false
    of           = null
    of_variant   = true
    is_immediate = false
    period       = 300
    waste        = false
    metrics      = {}
  }

  # Alarms by kind of endpoint, with only the metrics that the kind publishes. With `of`, a threshold is per vCPU,
  # GPU, worker, second or millisecond.
  catalogue = {
    errors = {
      description = "More than one request in twenty fails in the model."
      kinds       = ["realtime", "async", "serverless"]
      threshold   = 0.05
      metric      = "Invocation5XXErrors"
      statistic   = "Average"
    }
    client_errors = {
      description = "More than one request in five is refused or throttled."
      kinds       = ["realtime", "async", "serverless"]
      threshold   = 0.2
      metric      = "Invocation4XXErrors"
      statistic   = "Average"
    }
    latency = {
      description = "One response in ten is slower than latency_slo_ms."
      kinds       = ["realtime", "serverless"]
      threshold   = 1000
      metric      = "ModelLatency"
      percentile  = "p90"
      of          = "latency_slo_ms"
    }
    failures = {
      description = "Queued requests failed."
      kinds       = ["async"]
      threshold   = 0
      metric      = "InvocationFailures"
      statistic   = "Sum"
    }
    lost_answers = {
      description  = "A response could not be written to S3."
      kinds        = ["async"]
      threshold    = 0
      metric       = "ResponseUploadFailures"
      statistic    = "Sum"
      is_immediate = true
    }
    lost_notices = {
      description  = "A caller could not be notified of a response."
      kinds        = ["async"]
      threshold    = 0
      metric       = "NotificationFailures"
      statistic    = "Sum"
      is_immediate = true
    }
    expired = {
      description  = "A request expired in the queue."
      kinds        = ["async"]
      threshold    = 0
      metric       = "ExpiredRequests"
      statistic    = "Sum"
      is_immediate = true
    }
    backlog_age = {
      description  = "A request has waited longer than backlog_slo_seconds."
      kinds        = ["async"]
      threshold    = 1
      metric       = "ApproximateAgeOfOldestRequest"
      statistic    = "Maximum"
      of           = "backlog_slo_seconds"
      of_variant   = false
      is_immediate = true
    }
    cpu_high = {
      description = "CPU utilization is above 85 %. Requests wait, or will wait soon."
      kinds       = ["realtime", "async"]
      threshold   = 85
      metric      = "CPUUtilization"
      statistic   = "Average"
      namespace   = "/aws/sagemaker/Endpoints"
      of          = "vcpus"
    }
    gpu_high = {
      description = "GPU utilization is above 95 %. Requests wait, or will wait soon."
      kinds       = ["realtime", "async"]
      threshold   = 95
      metric      = "GPUUtilization"
      statistic   = "Average"
      namespace   = "/aws/sagemaker/Endpoints"
      of          = "gpus"
    }
    memory_high = {
      description = "Memory utilization is above 90 %. A container without free memory is killed."
      kinds       = ["realtime", "async", "serverless"]
      threshold   = 90
      metric      = "MemoryUtilization"
      statistic   = "Maximum"
      namespace   = "/aws/sagemaker/Endpoints"
    }
    disk_high = {
      description = "Disk utilization is above 90 %."
      kinds       = ["realtime", "async"]
      threshold   = 90
      metric      = "DiskUtilization"
      statistic   = "Maximum"
      namespace   = "/aws/sagemaker/Endpoints"
    }
    idle = {
      description = "The endpoint ran for the whole time without requests. Delete it, or use a serverless endpoint."
      kinds       = ["realtime"]
      threshold   = 0
      math        = "IF(FILL(minutes, 0) > 50 AND FILL(requests, 0) < 1, 1, 0)"
      metrics = {
        minutes  = ["/aws/sagemaker/Endpoints", "CPUUtilization", "SampleCount"]
        requests = ["AWS/SageMaker", "Invocations", "Sum"]
      }
      period = 3600
      waste  = true
    }
    awake = {
      description = "An instance ran for the whole time without requests. Set min_instances to 0."
      kinds       = ["async"]
      threshold   = 0
      math        = "IF(FILL(minutes, 0) > 50 AND FILL(requests, 0) < 1, 1, 0)"
      metrics = {
        minutes  = ["/aws/sagemaker/Endpoints", "CPUUtilization", "SampleCount"]
        requests = ["AWS/SageMaker", "InvocationsProcessed", "Sum"]
      }
      period = 3600
      waste  = true
    }
    efficiency = {
      description = "A request used more instance time per day than it should. Use fewer or smaller instances, or serverless."
      kinds       = ["realtime"]
      threshold   = 60
      math        = "IF(FILL(minutes, 0) > 1380 AND FILL(requests, 0) > 0, 60 * minutes / requests, 0)"
      metrics = {
        minutes  = ["/aws/sagemaker/Endpoints", "CPUUtilization", "SampleCount"]
        requests = ["AWS/SageMaker", "Invocations", "Sum"]
      }
      period = 86400
      waste  = true
    }
    cpu_low = {
      description = "CPU utilization is below 20 %. Use fewer or smaller instances, or serverless."
      kinds       = ["realtime", "async"]
      threshold   = 20
      metric      = "CPUUtilization"
      statistic   = "Average"
      namespace   = "/aws/sagemaker/Endpoints"
      below       = true
      of          = "busy_vcpus"
      period      = 3600
      waste       = true
    }
    gpu_low = {
      description = "GPU utilization is below 20 %. Use fewer or smaller instances, or serverless."
      kinds       = ["realtime", "async"]
      threshold   = 20
      metric      = "GPUUtilization"
      statistic   = "Average"
      namespace   = "/aws/sagemaker/Endpoints"
      below       = true
      of          = "gpus"
      period      = 3600
      waste       = true
    }
    memory_low = {
      description = "Memory utilization is always below 40 %. Reduce memory_mb."
      kinds       = ["serverless"]
      threshold   = 40
      metric      = "MemoryUtilization"
      statistic   = "Maximum"
      namespace   = "/aws/sagemaker/Endpoints"
      below       = true
      of          = "more_than_least_memory"
      period      = 3600
      waste       = true
    }
    provisioned_low = {
      description = "Provisioned workers are busy for less than 10 % of the time. Provision fewer, or none."
      kinds       = ["serverless"]
      threshold   = 10
      math        = "FILL(work, 0) / 36000000"
      metrics = {
        work = ["AWS/SageMaker", "ModelLatency", "Sum"]
      }
      below  = true
      of     = "provisioned_concurrency"
      period = 3600
      waste  = true
    }
  }

  alarms = { for name, alarm in local.catalogue : name => merge(local.alarm_defaults, alarm) }

  # Attributes of a variant that scale thresholds; null if they do not apply.
  threshold_factors = {
    for key, variant in local.variants : key => {
      latency_slo_ms          = variant.latency_slo_ms
      backlog_slo_seconds     = variant.backlog_slo_seconds
      provisioned_concurrency = variant.provisioned_concurrency > 0 ? variant.provisioned_concurrency : null
      vcpus                   = try(local.variant_factors[key].vcpus, null)
      more_than_least_memory  = coalesce(variant.memory_mb, 1024) > 1024 ? 1 : null
      busy_vcpus              = try(local.variant_factors[key].busy_by == "cpu" ? local.variant_factors[key].vcpus : null, null)
      gpus                    = try(local.variant_factors[key].busy_by == "gpu" ? local.variant_factors[key].gpus : null, null)
    }
  }

  # Each variant with each alarm of its endpoint's kind.
  variant_alarms = merge([
    for key, variant in local.variants : {
      for name, alarm in local.alarms : "${key}/${name}" => merge(
        alarm,
        {
          endpoint  = variant.endpoint
          name      = "${variant.title}/${replace(name, "_", "-")}"
          periods   = alarm.waste ? (alarm.period == 86400 ? 1 : var.waste_hours) : (alarm.is_immediate ? 1 : 3)
          bad       = alarm.waste ? (alarm.period == 86400 ? 1 : var.waste_hours) : (alarm.is_immediate ? 1 : 2)
          threshold = lookup(var.thresholds, name, alarm.threshold) * (alarm.of == null ? 1 : local.threshold_factors[key][alarm.of])
          dimensions = merge(
            { EndpointName = variant.name },
            alarm.of_variant ? { VariantName = variant.variant } : {},
          )
        },
      )
      if contains(alarm.kinds, variant.kind) ? (alarm.of == null ? true : local.threshold_factors[key][alarm.of] != null) : false
    }
  ]...)
}

# An endpoint without requests publishes no data, so missing data is no failure. The health alarms below report
# failures, these alarms report waste.
resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for key, alarm in local.variant_alarms : key => alarm if alarm.math == null }

  alarm_name          = each.value.name
  alarm_description   = each.value.description
  comparison_operator = each.value.below ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.bad
  treat_missing_data  = "notBreaching"
  tags                = var.tags
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  extended_statistic  = each.value.percentile
  period              = each.value.period
  alarm_actions       = each.value.waste ? [aws_sns_topic.alarms.arn] : []

  # CloudWatch does not delete an alarm that a composite alarm refers to.
  lifecycle {
    create_before_destroy = true
  }
}

# Waste that no single metric shows: running instances compared with requests.
resource "aws_cloudwatch_metric_alarm" "math" {
  for_each = { for key, alarm in local.variant_alarms : key => alarm if alarm.math != null }

  alarm_name          = each.value.name
  alarm_description   = each.value.description
  comparison_operator = each.value.below ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.bad
  treat_missing_data  = "notBreaching"
  tags                = var.tags
  alarm_actions       = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "result"
    expression  = each.value.math
    label       = each.value.description
    return_data = true
  }

  dynamic "metric_query" {
    for_each = each.value.metrics
    iterator = source

    content {
      id = source.key

      metric {
        namespace   = source.value[0]
        metric_name = source.value[1]
        stat        = source.value[2]
        dimensions  = each.value.dimensions
        period      = each.value.period
      }
    }
  }

  # CloudWatch does not delete an alarm that a composite alarm refers to.
  lifecycle {
    create_before_destroy = true
  }
}

# Each step of a deployment is an event with a pending configuration, unlike scaling. A serverless endpoint has
# no steps, so its rule matches the status.
resource "aws_cloudwatch_event_rule" "deployment" {
  for_each = var.endpoints

  name        = each.value.name
  description = "The endpoint ${each.value.name} is being updated to another configuration."
  tags        = var.tags

  event_pattern = each.value.kind == "serverless" ? jsonencode({
    source      = ["aws.sagemaker"]
    detail-type = ["SageMaker Endpoint State Change"]
    detail = {
      EndpointName   = [each.value.name]
      EndpointStatus = ["UPDATING"]
    }
    }) : jsonencode({
    source      = ["aws.sagemaker"]
    detail-type = ["SageMaker Endpoint Deployment State Change"]
    detail = {
      EndpointName             = [each.value.name]
      PendingDeploymentSummary = { EndpointConfigName = [{ exists = true }] }
    }
  })
}

# Optional: the rule counts its events without a target too.
resource "aws_cloudwatch_event_target" "deployment" {
  for_each = {
    for key, rule in aws_cloudwatch_event_rule.deployment : key => rule if contains(var.events, "deployments")
  }

  rule      = each.value.name
  target_id = "topic"
  arn       = aws_sns_topic.events.arn
  role_arn  = local.publisher_role_arn

  dead_letter_config {
    arn = one([for queue in aws_sqs_queue.undelivered : queue.arn])
  }
}

# EventBridge counts the events of a rule. After one event, the alarm is in ALARM for deployment_minutes.
resource "aws_cloudwatch_metric_alarm" "deploying" {
  for_each = aws_cloudwatch_event_rule.deployment

  alarm_name          = "${each.value.name}/deploying"
  alarm_description   = "Suppresses the health alarm during a deployment."
  namespace           = "AWS/Events"
  metric_name         = "TriggeredRules"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = var.endpoints[each.key].deployment_minutes
  datapoints_to_alarm = 1
  treat_missing_data  = "notBreaching"
  tags                = var.tags

  dimensions = {
    RuleName = each.value.name
  }
}

# One notification for each endpoint. A deployment has its own rollback alarms, so this alarm is suppressed
# meanwhile. It reports problems that remain afterward.
resource "aws_cloudwatch_composite_alarm" "health" {
  for_each = var.endpoints

  alarm_name        = "${each.value.name}/health"
  alarm_description = "The endpoint ${each.value.name} is unhealthy."
  alarm_actions     = [aws_sns_topic.alarms.arn]
  ok_actions        = [aws_sns_topic.alarms.arn]
  tags              = var.tags

  alarm_rule = join(" OR ", [
    for key, alarm in local.variant_alarms : "ALARM(\"${aws_cloudwatch_metric_alarm.this[key].alarm_name}\")"
    if alarm.endpoint == each.key ? !alarm.waste : false
  ])

  actions_suppressor {
    alarm            = aws_cloudwatch_metric_alarm.deploying[each.key].alarm_name
    wait_period      = 180
    extension_period = 60
  }
}

locals {
  # SageMaker's events. The status of endpoints is in capitals in events. `own` limits them to this prefix.
  events = {
    endpoints = {
      description = "An endpoint failed and serves no requests."
      pattern = {
        source      = ["aws.sagemaker"]
        detail-type = ["SageMaker Endpoint State Change"]
        detail = {
          EndpointStatus = ["FAILED", "OUT_OF_SERVICE", "UPDATE_ROLLBACK_FAILED"]
        }
      }
      own = {
        EndpointName = [
          {
            prefix = "${var.name_prefix}-"
          },
        ]
      }
    }
    model_packages = {
      description = "A model package was approved or rejected."
      pattern = {
        source      = ["aws.sagemaker"]
        detail-type = ["SageMaker Model Package State Change"]
        detail = {
          ModelApprovalStatus = ["Approved", "Rejected"]
          "$or" = [
            {
              UpdatedModelPackageFields = ["ModelApprovalStatus"]
            },
            {
              UpdatedModelPackageFields = [
                {
                  exists = false
                },
              ]
              ModelPackageStatus = ["Completed"]
            },
          ]
        }
      }
      own = {
        ModelPackageGroupName = [
          {
            prefix = "${var.name_prefix}-"
          },
        ]
      }
    }
    pipelines = {
      description = "A pipeline execution failed or was stopped."
      pattern = {
        source      = ["aws.sagemaker"]
        detail-type = ["SageMaker Model Building Pipeline Execution Status Change"]
        detail = {
          currentPipelineExecutionStatus = ["Failed", "CompletedWithFailures", "Stopped"]
        }
      }
      own = {
        pipelineArn = [
          {
            prefix = "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:pipeline/${var.name_prefix}-"
          },
        ]
      }
    }
    rollbacks = {
      description = "An endpoint is being rolled back."
      pattern = {
        source      = ["aws.sagemaker"]
        detail-type = ["SageMaker Endpoint State Change"]
        detail = {
          EndpointStatus = ["ROLLING_BACK"]
        }
      }
      own = {
        EndpointName = [
          {
            prefix = "${var.name_prefix}-"
          },
        ]
      }
    }
    processing_jobs = {
      description = "A processing job failed or was stopped."
      pattern = {
        source      = ["aws.sagemaker"]
        detail-type = ["SageMaker Processing Job State Change"]
        detail = {
          ProcessingJobStatus = ["Failed", "Stopped"]
        }
      }
      own = {
        "$or" = [
          {
            ProcessingJobName = [
              {
                prefix = "${var.name_prefix}-"
              },
            ]
          },
          {
            RoleArn = [
              {
                prefix = "arn:${var.partition}:iam::${var.account_id}:role${var.role_path}${var.name_prefix}-"
              },
            ]
          },
        ]
      }
    }
    training_jobs = {
      description = "A training job failed or was stopped."
      pattern = {
        source      = ["aws.sagemaker"]
        detail-type = ["SageMaker Training Job State Change"]
        detail = {
          TrainingJobStatus = ["Failed", "Stopped"]
        }
      }
      own = {
        "$or" = [
          {
            TrainingJobName = [
              {
                prefix = "${var.name_prefix}-"
              },
            ]
          },
          {
            RoleArn = [
              {
                prefix = "arn:${var.partition}:iam::${var.account_id}:role${var.role_path}${var.name_prefix}-"
              },
            ]
          },
        ]
      }
    }
    transform_jobs = {
      description = "A transform job failed or was stopped."
      pattern = {
        source      = ["aws.sagemaker"]
        detail-type = ["SageMaker Transform Job State Change"]
        detail = {
          TransformJobStatus = ["Failed", "Stopped"]
        }
      }
      own = {
        "$or" = [
          {
            TransformJobName = [
              {
                prefix = "${var.name_prefix}-"
              },
            ]
          },
          {
            TransformOutput = {
              S3OutputPath = [
                {
                  prefix = "s3://${var.name_prefix}-"
                },
              ]
            }
          },
        ]
      }
    }
    tuning_jobs = {
      description = "A tuning job failed or was stopped."
      pattern = {
        source      = ["aws.sagemaker"]
        detail-type = ["SageMaker HyperParameter Tuning Job State Change"]
        detail = {
          HyperParameterTuningJobStatus = ["Failed", "Stopped"]
        }
      }
      own = {
        "$or" = [
          {
            HyperParameterTuningJobName = [
              {
                prefix = "${var.name_prefix}-"
              },
            ]
          },
          {
            TrainingJobDefinition = {
              RoleArn = [
                {
                  prefix = "arn:${var.partition}:iam::${var.account_id}:role${var.role_path}${var.name_prefix}-"
                },
              ]
            }
          },
        ]
      }
    }
  }
}

resource "aws_cloudwatch_event_rule" "events" {
  for_each = { for name, event in local.events : name => event if contains(var.events, name) }

  name        = "${var.name_prefix}.${replace(each.key, "_", "-")}"
  description = each.value.description
  tags        = var.tags

  event_pattern = jsonencode(merge(
    each.value.pattern,
    {
      detail = merge(
        each.value.pattern.detail,
        { for name, matches in each.value.own : name => matches if var.event_scope == "name_prefix" },
      )
    },
  ))
}

resource "aws_cloudwatch_event_target" "events" {
  for_each = aws_cloudwatch_event_rule.events

  rule      = each.value.name
  target_id = "topic"
  arn       = contains(["endpoints"], each.key) ? aws_sns_topic.alarms.arn : aws_sns_topic.events.arn
  role_arn  = local.publisher_role_arn

  dead_letter_config {
    arn = one([for queue in aws_sqs_queue.undelivered : queue.arn])
  }
}

locals {
  # Content of the dashboard by kind of endpoint: lines, unit of times, and the SLO.
  dashboard_lines = {
    realtime = {
      health = [
        {
          metric    = "Invocations"
          statistic = "Sum"
          label     = "requests"
          namespace = "AWS/SageMaker"
          right     = false
          per       = 1
          of        = null
        },
        {
          metric    = "Invocation5XXErrors"
          statistic = "Sum"
          label     = "failed"
          namespace = "AWS/SageMaker"
          right     = false
          per       = 1
          of        = null
        },
        {
          metric    = "Invocation4XXErrors"
          statistic = "Sum"
          label     = "refused"
          namespace = "AWS/SageMaker"
          right     = false
          per       = 1
          of        = null
        },
        {
          metric    = "ModelLatency"
          statistic = "p90"
          label     = "model, p90"
          namespace = "AWS/SageMaker"
          right     = true
          per       = 1000
          of        = null
        },
        {
          metric    = "OverheadLatency"
          statistic = "p90"
          label     = "overhead, p90"
          namespace = "AWS/SageMaker"
          right     = true
          per       = 1000
          of        = null
        },
      ]
      unit = "milliseconds"
      slo  = "latency_slo_ms"
      use = [
        {
          metric    = "CPUUtilization"
          statistic = "Average"
          label     = "CPUs"
          namespace = "/aws/sagemaker/Endpoints"
          right     = false
          per       = 1
          of        = "vcpus"
        },
        {
          metric    = "GPUUtilization"
          statistic = "Average"
          label     = "GPUs"
          namespace = "/aws/sagemaker/Endpoints"
          right     = false
          per       = 1
          of        = "gpus"
        },
        {
          metric    = "MemoryUtilization"
          statistic = "Maximum"
          label     = "memory"
          namespace = "/aws/sagemaker/Endpoints"
          right     = false
          per       = 1
          of        = null
        },
        {
          metric    = "DiskUtilization"
          statistic = "Maximum"
          label     = "disk"
          namespace = "/aws/sagemaker/Endpoints"
          right     = false
          per       = 1
          of        = null
        },
      ]
    }
    async = {
      health = [
        {
          metric    = "ApproximateBacklogSize"
          statistic = "Maximum"
          label     = "waiting"
          namespace = "AWS/SageMaker"
          right     = false
          per       = 1
          of        = null
        },
        {
          metric    = "InvocationsProcessed"
          statistic = "Sum"
          label     = "answered"
          namespace = "AWS/SageMaker"
          right     = false
          per       = 1
          of        = null
        },
        {
          metric    = "InvocationFailures"
          statistic = "Sum"
          label     = "failed"
          namespace = "AWS/SageMaker"
          right     = false
          per       = 1
          of        = null
        },
        {
          metric    = "ExpiredRequests"
          statistic = "Sum"
          label     = "dropped"
          namespace = "AWS/SageMaker"
          right     = false
          per       = 1
          of        = null
        },
        {
          metric    = "ApproximateAgeOfOldestRequest"
          statistic = "Maximum"
          label     = "longest wait"
          namespace = "AWS/SageMaker"
          right     = true
          per       = 1
          of        = null
        },
      ]
      unit = "seconds"
      slo  = "backlog_slo_seconds"
      use = [
        {
          metric    = "CPUUtilization"
          statistic = "Average"
          label     = "CPUs"
          namespace = "/aws/sagemaker/Endpoints"
          right     = false
          per       = 1
          of        = "vcpus"
        },
        {
          metric    = "GPUUtilization"
          statistic = "Average"
          label     = "GPUs"
          namespace = "/aws/sagemaker/Endpoints"
          right     = false
          per       = 1
          of        = "gpus"
        },
        {
          metric    = "MemoryUtilization"
          statistic = "Maximum"
          label     = "memory"
          namespace = "/aws/sagemaker/Endpoints"
          right     = false
          per       = 1
          of        = null
        },
        {
          metric    = "DiskUtilization"
          statistic = "Maximum"
          label     = "disk"
          namespace = "/aws/sagemaker/Endpoints"
          right     = false
          per       = 1
          of        = null
        },
      ]
    }
    serverless = {
      health = [
        {
          metric    = "Invocations"
          statistic = "Sum"
          label     = "requests"
          namespace = "AWS/SageMaker"
          right     = false
          per       = 1
          of        = null
        },
        {
          metric    = "Invocation5XXErrors"
          statistic = "Sum"
          label     = "failed"
          namespace = "AWS/SageMaker"
          right     = false
          per       = 1
          of        = null
        },
        {
          metric    = "Invocation4XXErrors"
          statistic = "Sum"
          label     = "refused"
          namespace = "AWS/SageMaker"
          right     = false
          per       = 1
          of        = null
        },
        {
          metric    = "ModelLatency"
          statistic = "p90"
          label     = "model, p90"
          namespace = "AWS/SageMaker"
          right     = true
          per       = 1000
          of        = null
        },
        {
          metric    = "OverheadLatency"
          statistic = "p90"
          label     = "overhead, p90"
          namespace = "AWS/SageMaker"
          right     = true
          per       = 1000
          of        = null
        },
        {
          metric    = "ModelSetupTime"
          statistic = "Maximum"
          label     = "start, longest"
          namespace = "AWS/SageMaker"
          right     = true
          per       = 1000
          of        = null
        },
      ]
      unit = "milliseconds"
      slo  = "latency_slo_ms"
      use = [
        {
          metric    = "ServerlessConcurrentExecutionsUtilization"
          statistic = "Maximum"
          label     = "concurrent workers"
          namespace = "AWS/SageMaker"
          right     = false
          per       = 0.01
          of        = null
        },
        {
          metric    = "ServerlessProvisionedConcurrencyUtilization"
          statistic = "Maximum"
          label     = "provisioned workers"
          namespace = "AWS/SageMaker"
          right     = false
          per       = 0.01
          of        = null
        },
        {
          metric    = "MemoryUtilization"
          statistic = "Maximum"
          label     = "memory"
          namespace = "/aws/sagemaker/Endpoints"
          right     = false
          per       = 1
          of        = null
        },
      ]
    }
  }

  # Grams of CO2e of one instance hour at 0, 10, 50 and 100 % load, and USD. For a serverless worker, per GB.
  hour_factors = {
    for key, row in local.variant_factors : key => {
      size = coalesce(local.variants[key].memory_mb, 1024) / 1024
      grams = [
        for watts in [row.watts_at_0, row.watts_at_10, row.watts_at_50, row.watts_at_100] :
        watts * local.region_factors.pue * local.region_factors.grid_g_per_kwh / 1000 + row.embodied_g_per_hour
      ]
      usd    = try(row.usd_per_hour * local.prices[row.family], null)
      by     = local.threshold_factors[key].provisioned_concurrency == null ? row.busy_by : "ready"
      number = coalesce(local.threshold_factors[key].provisioned_concurrency, local.threshold_factors[key].gpus, row.vcpus)
    } if !contains(local.unknown, key)
  }

  metric_prefixes = distinct([
    for key, factor in local.hour_factors : local.variants[key].kind == "serverless" ? "serverless_" : ""
  ])

  # Widest intervals of the footprint model for these instances in this Region.
  ranges = {
    for metric in ["kg", "usd"] : metric => {
      low  = min([for kind in local.metric_prefixes : local.region_factors["${kind}${metric}_low"]]...)
      high = max([for kind in local.metric_prefixes : local.region_factors["${kind}${metric}_high"]]...)
    } if length(local.metric_prefixes) > 0
  }

  # Hours and load from metrics, by the metric of the load.
  load_metrics = {
    cpu = {
      metrics = [
        ["samples", "/aws/sagemaker/Endpoints", "CPUUtilization", "SampleCount"],
        ["busy", "/aws/sagemaker/Endpoints", "CPUUtilization", "Average"],
      ]
      hours = "samples_{key} / 60"
      paid  = "samples_{key} / 60"
      load  = "busy_{key} / (100 * {number})"
    }
    gpu = {
      metrics = [
        ["samples", "/aws/sagemaker/Endpoints", "CPUUtilization", "SampleCount"],
        ["busy", "/aws/sagemaker/Endpoints", "GPUUtilization", "Average"],
      ]
      hours = "samples_{key} / 60"
      paid  = "samples_{key} / 60"
      load  = "busy_{key} / (100 * {number})"
    }
    assumed = {
      metrics = [["samples", "/aws/sagemaker/Endpoints", "CPUUtilization", "SampleCount"]]
      hours   = "samples_{key} / 60"
      paid    = "samples_{key} / 60"
      load    = "0 * samples_{key} + 0.1"
    }
    requests = {
      metrics = [["work", "AWS/SageMaker", "ModelLatency", "Sum"]]
      hours   = "work_{key} / 3600000000"
      paid    = "work_{key} / 3600000000"
      load    = "0 * work_{key} + 1"
    }
    ready = {
      metrics = [["work", "AWS/SageMaker", "ModelLatency", "Sum"]]
      hours   = "IF(FILL(work_{key}, REPEAT) >= 0, IF(FILL(work_{key}, 0) / 3600000000 > {number} * PERIOD(work_{key}) / 3600, FILL(work_{key}, 0) / 3600000000, {number} * PERIOD(work_{key}) / 3600))"
      paid    = "work_{key} / 3600000000"
      load    = "FILL(work_{key}, 0) / 3600000000 / hours_{key}"
    }
  }

  # Grams of one hour by load, linear between two loads.
  lines = {
    for key, factor in local.hour_factors : key => [
      "${format("%.5f", factor.grams[0])} + ${format("%.5f", 10 * (factor.grams[1] - factor.grams[0]))} * load_${key}",
      "${format("%.5f", factor.grams[1])} + ${format("%.5f", 2.5 * (factor.grams[2] - factor.grams[1]))} * (load_${key} - 0.1)",
      "${format("%.5f", factor.grams[2])} + ${format("%.5f", 2 * (factor.grams[3] - factor.grams[2]))} * (load_${key} - 0.5)",
    ]
  }

  # CloudWatch's metric math.
  math = {
    for key, factor in local.hour_factors : key => {
      hours   = replace(replace(local.load_metrics[factor.by].hours, "{key}", key), "{number}", factor.number)
      load    = replace(replace(local.load_metrics[factor.by].load, "{key}", key), "{number}", factor.number)
      paid    = replace(replace(local.load_metrics[factor.by].paid, "{key}", key), "{number}", factor.number)
      metrics = local.load_metrics[factor.by].metrics
      kg      = "hours_${key} * ${factor.size} / 1000 * IF(load_${key} < 0.1, ${local.lines[key][0]}, IF(load_${key} < 0.5, ${local.lines[key][1]}, ${local.lines[key][2]}))"
      usd     = factor.usd == null ? null : "paid_${key} * ${factor.size} * ${format("%.6f", factor.usd)}"
    }
  }
}

resource "aws_cloudwatch_dashboard" "this" {
  for_each = length(var.endpoints) > 0 ? toset(["this"]) : toset([])

  dashboard_name = var.name_prefix

  dashboard_body = templatefile("${path.module}/dashboard.json.tftpl", {
    alarms = {
      Health = [
        for endpoint in var.endpoints :
        "arn:${var.partition}:cloudwatch:${var.region}:${var.account_id}:alarm:${endpoint.name}/health"
      ]
      Waste = [
        for alarm in local.variant_alarms :
        "arn:${var.partition}:cloudwatch:${var.region}:${var.account_id}:alarm:${alarm.name}" if alarm.waste
      ]
    }
    efficiency = lookup(var.thresholds, "efficiency", 60)
    factors    = local.threshold_factors
    math       = local.math
    prefix     = var.name_prefix
    ranges     = local.ranges
    region     = var.region
    lines      = local.dashboard_lines
    variants   = local.variants
  })
}

locals {
  # Actions for idle real-time endpoints. Other endpoints scale to zero or cost nothing when idle.
  idle_stops = {
    for key, stop in {
      for key, endpoint in var.endpoints : key => coalesce(endpoint.idle_stop, var.idle_stop)
      if endpoint.kind == "realtime"
    } : key => stop if stop != "off"
  }
}

resource "aws_iam_role" "stopper" {
  for_each = toset(length(local.idle_stops) > 0 ? ["idle"] : [])

  name_prefix          = "${substr("${var.name_prefix}-idle-stopper", 0, 37)}-"
  description          = "Deletes idle endpoints, or reports them, in ${var.name_prefix}"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "ssm.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike = {
            "aws:SourceArn" = "arn:${var.partition}:ssm:${var.region}:${var.account_id}:automation-execution/*"
          }
        }
      },
    ]
  })
}

# Composite alarms are visible only with permission for all alarms.
resource "terraform_data" "stopper_policy" {
  for_each = toset(length(local.idle_stops) > 0 ? ["idle"] : [])

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadAlarms"
        Effect   = "Allow"
        Action   = "cloudwatch:DescribeAlarms"
        Resource = "*"
      },
      {
        Sid    = "ReadEndpoints"
        Effect = "Allow"
        Action = "sagemaker:DescribeEndpoint"
        Resource = [
          for key, stop in local.idle_stops :
          "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:endpoint/${lower(var.endpoints[key].name)}"
          if stop != "off"
        ]
      },
      {
        Sid      = "PublishReports"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-alarms"
      },
      {
        Sid      = "EncryptReports"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.kms_key_arn
        Condition = {
          StringEquals = {
            "kms:ViaService" = "sns.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"
          }
        }
      },
    ]
  }
}

resource "aws_iam_role_policy" "stopper" {
  for_each = toset(length(local.idle_stops) > 0 ? ["idle"] : [])

  name   = "stopper"
  role   = aws_iam_role.stopper[each.key].name
  policy = jsonencode(terraform_data.stopper_policy[each.key].input)
}

# Only with idle_stop delete. With report, the role can delete nothing.
resource "aws_iam_role_policy" "deleter" {
  for_each = toset(length([for key, stop in local.idle_stops : stop if stop == "delete"]) > 0 ? ["idle"] : [])

  name = "deleter"
  role = aws_iam_role.stopper[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "DeleteIdle"
        Effect = "Allow"
        Action = "sagemaker:DeleteEndpoint"
        Resource = [
          for key, stop in local.idle_stops :
          "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:endpoint/${lower(var.endpoints[key].name)}"
          if stop == "delete"
        ]
      },
      {
        Sid       = "DeregisterScaling"
        Effect    = "Allow"
        Action    = "application-autoscaling:DeregisterScalableTarget"
        Resource  = "arn:${var.partition}:application-autoscaling:${var.region}:${var.account_id}:scalable-target/*"
        Condition = { StringEquals = { "application-autoscaling:service-namespace" = "sagemaker" } }
      },
    ]
  })
}

# Checks the endpoint again, and is a dry run by default.
resource "aws_ssm_document" "idle" {
  for_each = aws_iam_role.stopper

  name            = "${var.name_prefix}-stop-idle-endpoint"
  document_type   = "Automation"
  document_format = "JSON"
  tags            = var.tags

  content = jsonencode({
    schemaVersion = "0.3"
    description   = "Deletes an idle endpoint, or reports that it would."
    assumeRole    = each.value.arn
    parameters = {
      EndpointName = {
        type        = "String"
        description = "Name of the endpoint."
      }
      AlarmName = {
        type        = "String"
        description = "Composite alarm that detects the idle endpoint."
      }
      DryRun = {
        type          = "String"
        description   = "Report only, without deletion."
        default       = "true"
        allowedValues = ["true", "false"]
      }
      Footprint = {
        type        = "String"
        description = "Footprint and cost of the idle endpoint, as text."
        default     = ""
      }
    }
    mainSteps = [
      {
        name      = "stillIdle"
        action    = "aws:assertAwsResourceProperty"
        onFailure = "step:reportNoChange"
        inputs = {
          Service          = "cloudwatch"
          Api              = "DescribeAlarms"
          AlarmNames       = ["{{ AlarmName }}"]
          AlarmTypes       = ["CompositeAlarm"]
          PropertySelector = "$.CompositeAlarms[0].StateValue"
          DesiredValues    = ["ALARM"]
        }
      },
      {
        name      = "isInService"
        action    = "aws:assertAwsResourceProperty"
        onFailure = "step:reportNoChange"
        inputs = {
          Service          = "sagemaker"
          Api              = "DescribeEndpoint"
          EndpointName     = "{{ EndpointName }}"
          PropertySelector = "$.EndpointStatus"
          DesiredValues    = ["InService"]
        }
      },
      {
        name   = "chooseAction"
        action = "aws:branch"
        inputs = {
          Choices = [
            {
              NextStep     = "delete"
              Variable     = "{{ DryRun }}"
              StringEquals = "false"
            },
          ]
          Default = "reportIdle"
        }
      },
      {
        name   = "reportIdle"
        action = "aws:executeAwsApi"
        inputs = {
          Service  = "sns"
          Api      = "Publish"
          TopicArn = aws_sns_topic.alarms.arn
          Subject  = "The endpoint {{ EndpointName }} is idle"
          Message  = "No requests to the endpoint {{ EndpointName }} for ${var.waste_hours} hours. {{ Footprint }} Nothing was done, because idle_stop is report. With delete, it would be deleted now."
        }
        isEnd = true
      },
      {
        name   = "delete"
        action = "aws:executeAwsApi"
        inputs = {
          Service      = "sagemaker"
          Api          = "DeleteEndpoint"
          EndpointName = "{{ EndpointName }}"
        }
        onFailure = "step:reportNoChange"
      },
      {
        name   = "reportDeletion"
        action = "aws:executeAwsApi"
        inputs = {
          Service  = "sns"
          Api      = "Publish"
          TopicArn = aws_sns_topic.alarms.arn
          Subject  = "The endpoint {{ EndpointName }} is idle"
          Message  = "No requests to the endpoint {{ EndpointName }} for ${var.waste_hours} hours. {{ Footprint }} It was deleted, because idle_stop is delete. Its model and configuration are kept. The next terraform apply creates it again: if nobody needs it, remove it there."
        }
        isEnd = true
      },
      {
        name   = "reportNoChange"
        action = "aws:executeAwsApi"
        inputs = {
          Service  = "sns"
          Api      = "Publish"
          TopicArn = aws_sns_topic.alarms.arn
          Subject  = "The endpoint {{ EndpointName }} is idle"
          Message  = "No requests to the endpoint {{ EndpointName }} for ${var.waste_hours} hours. {{ Footprint }} It was not changed: it received a request, has a deployment, or could not be deleted. See execution {{ automation:EXECUTION_ID }} of Systems Manager Automation."
        }
        isEnd = true
      },
    ]
  })
}

resource "aws_iam_role" "starter" {
  for_each = toset(length(local.idle_stops) > 0 ? ["idle"] : [])

  name_prefix          = "${substr("${var.name_prefix}-idle-starter", 0, 37)}-"
  description          = "Starts the runbook that deletes idle endpoints, or reports them, in ${var.name_prefix}"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike = {
            "aws:SourceArn" = "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/*.idle"
          }
        }
      },
    ]
  })
}

resource "terraform_data" "starter_policy" {
  for_each = toset(length(local.idle_stops) > 0 ? ["idle"] : [])

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Start"
        Effect = "Allow"
        Action = "ssm:StartAutomationExecution"
        Resource = [
          "arn:${var.partition}:ssm:${var.region}:${var.account_id}:automation-definition/${var.name_prefix}-stop-idle-endpoint:$DEFAULT",
          "arn:${var.partition}:ssm:${var.region}:${var.account_id}:document/${var.name_prefix}-stop-idle-endpoint",
        ]
      },
      {
        Sid       = "HandOnRole"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = aws_iam_role.stopper[each.key].arn
        Condition = { StringEquals = { "iam:PassedToService" = "ssm.amazonaws.com" } }
      },
    ]
  }
}

resource "aws_iam_role_policy" "starter" {
  for_each = toset(length(local.idle_stops) > 0 ? ["idle"] : [])

  name   = "starter"
  role   = aws_iam_role.starter[each.key].name
  policy = jsonencode(terraform_data.starter_policy[each.key].input)
}

# Keeps events of idle endpoints that did not start the runbook.
resource "aws_sqs_queue" "idle" {
  for_each = toset(length(local.idle_stops) > 0 ? ["idle"] : [])

  name                      = "${var.name_prefix}-idle-undelivered"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "idle" {
  for_each = aws_sqs_queue.idle

  queue_url = each.value.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "KeepStarts"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${var.name_prefix}-idle-undelivered"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnEquals = {
            "aws:SourceArn" = [
              for key, stop in local.idle_stops :
              "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${substr(var.endpoints[key].name, 0, 59)}.idle"
            ]
          }
        }
      },
    ]
  })
}

resource "aws_cloudwatch_event_rule" "idle" {
  for_each = local.idle_stops

  name        = "${substr(var.endpoints[each.key].name, 0, 59)}.idle"
  description = "The endpoint ${var.endpoints[each.key].name} is idle."
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.cloudwatch"]
    detail-type = ["CloudWatch Alarm State Change"]
    resources = [
      "arn:${var.partition}:cloudwatch:${var.region}:${var.account_id}:alarm:${var.endpoints[each.key].name}/idle-stop",
    ]
    detail = { state = { value = ["ALARM"] } }
  })
}

locals {
  idle_factors = {
    for key, stop in local.idle_stops : key => try([
      for name, variant in local.variants : local.hour_factors[name]
      if variant.endpoint == key ? contains(keys(local.hour_factors), name) : false
    ][0], null)
  }

  idle_footprints = {
    for key, hour in local.idle_factors :
    key => try("An hour of each of its instances is about ${format("%.4f", hour.grams[0] / 1000)} kgCO2e${try(" and ${format("%.4f", hour.usd)} USD", "")}, estimated.", "The footprint of its instances is unknown.")
  }
}

resource "aws_cloudwatch_event_target" "idle" {
  for_each = aws_cloudwatch_event_rule.idle

  rule      = each.value.name
  target_id = "automation"
  arn       = "arn:${var.partition}:ssm:${var.region}:${var.account_id}:automation-definition/${aws_ssm_document.idle["idle"].name}:$DEFAULT"
  role_arn  = aws_iam_role.starter["idle"].arn

  input = jsonencode({
    EndpointName = [var.endpoints[each.key].name]
    AlarmName    = ["${var.endpoints[each.key].name}/idle-stop"]
    DryRun       = [local.idle_stops[each.key] == "delete" ? "false" : "true"]
    Footprint    = [local.idle_footprints[each.key]]
  })

  dead_letter_config {
    arn = aws_sqs_queue.idle["idle"].arn
  }
}

# A deployed endpoint is about to receive requests.
resource "aws_cloudwatch_metric_alarm" "deployed" {
  for_each = local.idle_stops

  alarm_name          = "${var.endpoints[each.key].name}/deployed"
  alarm_description   = "A deployment took place within ${var.waste_hours} hours."
  namespace           = "AWS/Events"
  metric_name         = "TriggeredRules"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 3600
  evaluation_periods  = var.waste_hours
  datapoints_to_alarm = 1
  treat_missing_data  = "notBreaching"
  tags                = var.tags

  dimensions = {
    RuleName = aws_cloudwatch_event_rule.deployment[each.key].name
  }
}

# All variants ran, and none received a request. The alarm has no action: EventBridge receives its change.
resource "aws_cloudwatch_composite_alarm" "idle" {
  for_each = local.idle_stops

  alarm_name        = "${var.endpoints[each.key].name}/idle-stop"
  alarm_description = "The endpoint had no requests and no deployments for ${var.waste_hours} hours."
  tags              = var.tags

  # An endpoint is not idle until the alarm of deployments has data.
  alarm_rule = join(" AND ", concat(
    [
      for key, variant in local.variants :
      "ALARM(\"${aws_cloudwatch_metric_alarm.math["${key}/idle"].alarm_name}\")" if variant.endpoint == each.key
    ],
    ["OK(\"${aws_cloudwatch_metric_alarm.deployed[each.key].alarm_name}\")"],
  ))

  # An endpoint that is already idle changes the alarm once, so the target and its roles must exist before.
  depends_on = [aws_cloudwatch_event_target.idle, aws_iam_role_policy.starter, aws_iam_role_policy.stopper, aws_iam_role_policy.deleter]
}

# A message in the queue is an event that EventBridge could not deliver. It contains the reason.
resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = toset(concat(
    [for item in aws_sqs_queue.undelivered : "${var.name_prefix}-events-undelivered"],
    [for item in aws_sqs_queue.idle : "${var.name_prefix}-idle-undelivered"],
    var.dead_letter_queues,
  ))

  alarm_name          = "${each.key}/not-empty"
  alarm_description   = "EventBridge could not deliver an event; read the queue ${each.key}."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  tags                = var.tags

  dimensions = {
    QueueName = each.key
  }
}

data "aws_caller_identity" "location" {
  for_each = toset(var.verify_location ? ["caller"] : [])
}

data "aws_region" "location" {
  for_each = toset(var.verify_location ? ["caller"] : [])
}

check "location" {
  assert {
    condition     = alltrue([for identity in data.aws_caller_identity.location : identity.account_id == var.account_id]) ? alltrue([for region in data.aws_region.location : region.id == var.region]) : false
    error_message = "the provider works in another account or Region than ${var.account_id} and ${var.region}; correct account_id and region, or pass another provider."
  }
}
