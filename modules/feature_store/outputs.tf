# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

output "feature_groups" {
  description = "Feature groups by key: name, arn, offline_s3_uri (where the data is), online, and the declared features (name to type), which smlops evolve reads."

  value = {
    for key, group in aws_sagemaker_feature_group.this : key => {
      name           = group.feature_group_name
      arn            = group.arn
      offline_s3_uri = group.offline_store_config[0].s3_storage_config[0].resolved_output_s3_uri
      online         = var.feature_groups[key].online != null
      features       = { for name, feature in var.feature_groups[key].features : name => feature.type }
    }
  }
}

output "role_statements" {
  description = "IAM statements that these resources need in the roles `data_preparation`, `training` and `inference`: a map of lists by phase, with sid, actions, resources and condition. Add it to the list `role_statements` of `access`."

  value = {
    data_preparation = [
      {
        sid = "Records"
        actions = [
          "sagemaker:BatchGetRecord", "sagemaker:DeleteRecord", "sagemaker:DescribeFeatureGroup",
          "sagemaker:GetRecord", "sagemaker:PutRecord",
        ]
        resources = [
          for name in [for key, group in var.feature_groups : "${var.name_prefix}-${replace(key, "_", "-")}"] :
          "arn:${local.location.partition}:sagemaker:${local.location.region}:${local.location.account_id}:feature-group/${name}"
        ]
        condition = []
      },
      {
        sid     = "StoreRecords"
        actions = ["s3:PutObject"]
        resources = [
          "arn:${local.location.partition}:s3:::${replace(var.offline_store_s3_uri, "s3://", "")}/*",
        ]
        condition = []
      },
      {
        sid     = "ReadIcebergMetadata"
        actions = ["s3:GetObject"]
        resources = [
          "arn:${local.location.partition}:s3:::${replace(var.offline_store_s3_uri, "s3://", "")}/*/metadata/*",
        ]
        condition = []
      },
      {
        sid       = "ReadEncryptedMetadata"
        actions   = ["kms:Decrypt"]
        resources = [var.kms_key_arn]
        condition = [
          {
            test     = "StringEquals"
            variable = "kms:ViaService"
            values = [
              "s3.${local.location.region}.${local.location.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}",
            ]
          },
        ]
      },
      {
        sid     = "ReadBucketAcl"
        actions = ["s3:GetBucketAcl"]
        resources = [
          "arn:${local.location.partition}:s3:::${regex("[^/]+", replace(var.offline_store_s3_uri, "s3://", ""))}",
        ]
        condition = []
      },
      {
        sid     = "HandOver"
        actions = ["s3:PutObjectAcl"]
        resources = [
          "arn:${local.location.partition}:s3:::${replace(var.offline_store_s3_uri, "s3://", "")}/*",
        ]
        condition = [
          {
            test     = "StringEquals"
            variable = "s3:x-amz-acl"
            values   = ["bucket-owner-full-control"]
          },
        ]
      },
      {
        sid       = "EncryptOfflineStore"
        actions   = ["kms:GenerateDataKey"]
        resources = [var.kms_key_arn]
        condition = []
      },
      {
        sid     = "Table"
        actions = ["glue:GetTable", "glue:UpdateTable"]
        resources = [
          "arn:${local.location.partition}:glue:${local.location.region}:${local.location.account_id}:catalog",
          "arn:${local.location.partition}:glue:${local.location.region}:${local.location.account_id}:database/sagemaker_featurestore",
          "arn:${local.location.partition}:glue:${local.location.region}:${local.location.account_id}:table/sagemaker_featurestore/*",
        ]
        condition = []
      },
    ]
    training = [
      {
        sid     = "Records"
        actions = ["sagemaker:BatchGetRecord", "sagemaker:DescribeFeatureGroup", "sagemaker:GetRecord"]
        resources = [
          for name in [for key, group in var.feature_groups : "${var.name_prefix}-${replace(key, "_", "-")}"] :
          "arn:${local.location.partition}:sagemaker:${local.location.region}:${local.location.account_id}:feature-group/${name}"
        ]
        condition = []
      },
    ]
    inference = [
      {
        sid     = "Records"
        actions = ["sagemaker:BatchGetRecord", "sagemaker:DescribeFeatureGroup", "sagemaker:GetRecord"]
        resources = [
          for name in [for key, group in var.feature_groups : "${var.name_prefix}-${replace(key, "_", "-")}"] :
          "arn:${local.location.partition}:sagemaker:${local.location.region}:${local.location.account_id}:feature-group/${name}"
        ]
        condition = []
      },
    ]
  }
}
