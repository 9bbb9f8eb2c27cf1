# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

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
