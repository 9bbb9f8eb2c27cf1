# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

# Without this, SageMaker creates these log groups with the first job and keeps the logs forever.
resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338:nobody reads a year of job logs; log_retention_days sets the retention

  for_each = toset(var.log_groups)

  name              = each.key
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

check "instance_types_are_known" {
  assert {
    condition     = length(local.unknown) == 0
    error_message = "The catalogue does not know ${local.region_factors == null ? var.region : join(", ", local.unknown)}: the dashboard shows no kgCO2e and USD for it. Unknown instances have no alarms on CPUs and GPUs."
  }
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
