# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

resource "aws_iam_role" "tracking_server" {
  for_each = aws_sagemaker_mlflow_tracking_server.this

  name_prefix          = "${substr("${local.tracking_server_name}-off-hours", 0, 37)}-"
  description          = "Stops and starts the tracking server ${local.tracking_server_name}"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "StopAndStart"
        Effect    = "Allow"
        Principal = { Service = "scheduler.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnEquals = {
            "aws:SourceArn" = "arn:${var.partition}:scheduler:${var.region}:${var.account_id}:schedule-group/${local.tracking_server_name}"
          }
        }
      },
    ]
  })
}

resource "aws_iam_role_policy" "tracking_server" {
  for_each = aws_iam_role.tracking_server

  name = "stop-and-start"
  role = each.value.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "StopAndStart"
        Effect   = "Allow"
        Action   = ["sagemaker:StartMlflowTrackingServer", "sagemaker:StopMlflowTrackingServer"]
        Resource = "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:mlflow-tracking-server/${local.tracking_server_name}"
      },
    ]
  })
}
