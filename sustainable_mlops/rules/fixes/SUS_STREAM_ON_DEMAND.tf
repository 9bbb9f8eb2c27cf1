resource "aws_kinesis_stream" "this" {
  name = "sagemaker-events"

  stream_mode_details {
    stream_mode = "ON_DEMAND"
  }
}
