# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "network" {
  source = "../.."

  name_prefix     = "flights-dev"
  account_id      = "123456789012"
  region          = "eu-north-1"
  vpc_id          = "vpc-0123456789abcdef0"
  subnet_ids      = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  route_table_ids = ["rtb-0123456789abcdef0"]
  tags            = { workload = "flight_delay" }

  purposes            = ["call_endpoints", "mlflow", "studio"]
  services            = ["kms"]
  endpoint_subnet_ids = ["subnet-0123456789abcdef0"]

  bucket_account_ids        = ["210987654321"]
  readable_bucket_arns      = ["arn:aws:s3:::jumpstart-cache-prod-eu-north-1"]
  client_security_group_ids = { booking_function = "sg-0123456789abcdef0" }
}


