# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "studio" {
  source = "../.."

  name_prefix         = "flights-dev"
  account_id          = "123456789012"
  region              = "eu-north-1"
  deletion_protection = false # development: `terraform destroy` deletes the domain with its spaces
  tags                = { workload = "flight_delay" }

  kms_key_arn        = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  role_arn           = "arn:aws:iam::123456789012:role/flights-dev-studio"
  vpc_id             = "vpc-0123456789abcdef0"
  subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  security_group_ids = ["sg-0123456789abcdef0"]

  keep_home_directories = false
  disk_gb               = { default = 10, max = 100 }
  hidden_instance_types = ["ml.g4dn.xlarge", "ml.g5.xlarge"]

  users = {
    anna  = {}
    bjorn = { role_arn = "arn:aws:iam::123456789012:role/flights-dev-studio-lead" }
  }
  spaces = {
    anna-notebooks = { user = "anna", disk_gb = 20 }
  }
  tracking_server = {
    artifacts_s3_uri = "s3://flights-dev-models-123456789012-eu-north-1/mlflow"
    off_hours = {
      begin    = "cron(0 19 ? * MON-FRI *)"
      end      = "cron(0 8 ? * MON-FRI *)"
      timezone = "Europe/Stockholm"
    }
  }
  lifecycle_scripts = {
    private-index = { script = "pip config set global.index-url https://packages.example.com/simple" }
  }
}


