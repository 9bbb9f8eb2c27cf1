# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "observability" {
  source = "../.."

  name_prefix        = "flights-prod"
  account_id         = "123456789012"
  region             = "eu-north-1"
  kms_key_arn        = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  idle_stop          = "delete"
  events             = ["deployments", "endpoints", "rollbacks", "model_packages", "training_jobs"]
  log_groups         = ["/aws/sagemaker/TrainingJobs", "/aws/sagemaker/Studio"]
  log_retention_days = 90
  tags               = { workload = "flight_delay" }
  thresholds         = { errors = 0.01, cpu_high = 70, efficiency = 5 }
  waste_hours        = 72

  endpoints = {
    delay = {
      name           = "flights-prod-delay"
      kind           = "realtime"
      instance_type  = "ml.c7g.large"
      variants       = ["main", "new-features"]
      latency_slo_ms = 200

      deployment_minutes = 40 # wait_seconds of its endpoint is 1800
    }
    season = {
      name                = "flights-prod-season"
      kind                = "async"
      instance_type       = "ml.c7g.xlarge"
      backlog_slo_seconds = 900
    }
    words = {
      name           = "flights-prod-words"
      kind           = "realtime"
      instance_type  = "ml.g5.xlarge"
      idle_stop      = "report"
      latency_slo_ms = 2000
    }
    notes = {
      name                    = "flights-prod-notes"
      kind                    = "serverless"
      memory_mb               = 1024
      provisioned_concurrency = 1
      latency_slo_ms          = 500
    }
  }

  subscribers = {
    ml_team = { protocol = "email", endpoint = "ml-team@example.com" }
    on_call = { protocol = "https", endpoint = "https://on-call.example.com/alarms" }
    chat    = { protocol = "lambda", endpoint = "arn:aws:lambda:eu-north-1:123456789012:function:chat" }
    archive = {
      protocol = "sqs"
      endpoint = "arn:aws:sqs:eu-north-1:123456789012:ml-archive"
      topics   = ["alarms", "events"]
    }
  }
}


