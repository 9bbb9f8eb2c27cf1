"""SageMaker Feature Store's records: the online store in memory, the offline store as Parquet in S3."""
