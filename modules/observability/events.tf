# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

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
