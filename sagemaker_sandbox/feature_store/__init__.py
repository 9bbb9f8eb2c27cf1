"""SageMaker Feature Store: feature groups, the online store in memory, the offline store as Parquet in S3."""
