resource "aws_kinesis_firehose_delivery_stream" "this" {
  name        = "sagemaker-events"
  destination = "extended_s3"

  extended_s3_configuration {
    role_arn       = aws_iam_role.this.arn
    bucket_arn     = aws_s3_bucket.this.arn
    prefix         = "events/"
    buffering_size = 128 # MB; at least 64 for a columnar format

    data_format_conversion_configuration {
      input_format_configuration {
        deserializer {
          open_x_json_ser_de {}
        }
      }

      output_format_configuration {
        serializer {
          parquet_ser_de {}
        }
      }

      schema_configuration {
        role_arn      = aws_iam_role.this.arn
        database_name = "events" # a table of the Glue Data Catalog
        table_name    = "events"
      }
    }
  }
}
