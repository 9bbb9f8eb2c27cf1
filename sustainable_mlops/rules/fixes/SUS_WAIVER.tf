resource "aws_sagemaker_endpoint" "this" {
  # …

  tags = {
    "sust_waiver:SUS_OFF_HOURS" = "Callers in all time zones until 2027-06-30"
  }
}
