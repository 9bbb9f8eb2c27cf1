"""Records of SageMaker Feature Store: the online store in memory, the offline store as Parquet in S3."""
