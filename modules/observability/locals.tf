# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  publishers = {
    for key, topic in {
      events = {
        kms_key_arn   = var.kms_key_arn
        existing_role = var.existing_publisher_role
      }
    } : key => topic if length(var.events) > 0
  }

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
    lost_responses = {
      description  = "A response could not be written to S3."
      kinds        = ["async"]
      threshold    = 0
      metric       = "ResponseUploadFailures"
      statistic    = "Sum"
      is_immediate = true
    }
    lost_notifications = {
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
    idle_instances = {
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

  # Actions for idle real-time endpoints. Other endpoints scale to zero or cost nothing when idle.
  idle_stops = {
    for key, stop in {
      for key, endpoint in var.endpoints : key => coalesce(endpoint.idle_stop, var.idle_stop)
      if endpoint.kind == "realtime"
    } : key => stop if stop != "off"
  }
}
