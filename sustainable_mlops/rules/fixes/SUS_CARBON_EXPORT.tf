resource "aws_bcmdataexports_export" "carbon" {
  export {
    name = "carbon"

    data_query {
      query_statement = "SELECT * FROM CARBON_EMISSIONS"
    }

    destination_configurations {
      s3_destination {
        s3_bucket = aws_s3_bucket.this.bucket
        s3_prefix = "carbon"
        s3_region = "eu-north-1"

        s3_output_configurations {
          format      = "PARQUET"
          compression = "PARQUET"
          output_type = "CUSTOM"
          overwrite   = "OVERWRITE_REPORT"
        }
      }
    }

    refresh_cadence {
      frequency = "SYNCHRONOUS"
    }
  }
}
