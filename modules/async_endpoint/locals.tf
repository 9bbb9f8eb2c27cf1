# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  # The name may be longer than name_prefix.
  name = var.name == null ? var.name_prefix : var.name

  # Instance families for SageMaker hosting, by silicon.
  families = {
    graviton    = ["c6g", "c6gd", "c6gn", "c7g", "c8g", "m6g", "m6gd", "m8g", "r6g", "r6gd", "r7gd", "r8g"]
    inferentia2 = ["inf2"]
    gpu = [
      "g4dn", "g5", "g6", "g6e", "g7", "g7e", "p4d", "p4de", "p5", "p5e", "p5en", "p6-b200", "p6-b300",
    ]
    x86 = [
      "c4", "c5", "c5d", "c6i", "c6in", "c7i", "m4", "m5", "m5d", "m6i", "m7i", "r5", "r5d", "r6i", "r7i",
    ]
  }

  # Patterns of images for one silicon. Images that match none may run on any.
  images_for = {
    amd64       = "amd64|x86"
    gpu         = "-gpu-"
    graviton    = "aarch64|arm64|graviton"
    inferentia2 = "neuron"
    x86         = "/sagemaker-(xgboost|scikit-learn):[0-9.-]+(cpu-py3)?$|-inference:[^/]*-cpu-py"
  }

  # Patterns of images for other silicon; amd64 is every silicon except Graviton.
  images_not_for = {
    graviton    = "amd64|x86|-gpu-|neuron|/sagemaker-(xgboost|scikit-learn):[0-9.-]+(cpu-py3)?$|-inference:[^/]*-cpu-py"
    inferentia2 = "-gpu-|aarch64|arm64|graviton|/sagemaker-(xgboost|scikit-learn):[0-9.-]+(cpu-py3)?$|-inference:[^/]*-cpu-py"
    gpu         = "aarch64|arm64|graviton|neuron|/sagemaker-(xgboost|scikit-learn):[0-9.-]+(cpu-py3)?$|-inference:[^/]*-cpu-py"
    x86         = "-gpu-|aarch64|arm64|graviton|neuron"
  }

  # Regions without a family or a type. All other Regions have it.
  not_in_region = {
    c4 = [
      "af-south-1", "ap-east-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
      "ca-west-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-3", "il-central-1",
      "me-central-1", "me-south-1",
    ]
    c5  = ["ap-southeast-5"]
    c5d = ["ap-southeast-5", "ca-west-1"]
    c6gd = [
      "ap-east-1", "ap-south-2", "ap-southeast-4", "ap-southeast-5", "ca-west-1", "eu-south-1",
      "il-central-1", "me-central-1", "me-south-1",
    ]
    c6gn = [
      "af-south-1", "ap-south-2", "ap-southeast-4", "eu-central-2", "eu-south-2", "me-central-1",
    ]
    c6i = ["ap-southeast-3", "ap-southeast-4", "eu-central-2", "eu-south-2", "me-central-1"]
    c7g = ["ap-southeast-4", "me-central-1"]
    c7i = ["me-south-1"]
    c8g = ["me-central-1", "me-south-1"]
    g4dn = [
      "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ca-west-1", "eu-central-2",
      "eu-south-2", "il-central-1", "me-central-1",
    ]
    g5 = [
      "af-south-1", "ap-northeast-3", "ap-south-2", "ap-southeast-1", "ap-southeast-4", "ap-southeast-5",
      "ca-west-1", "eu-central-2", "eu-south-1", "me-south-1", "us-west-1",
    ]
    g6 = [
      "af-south-1", "ap-east-1", "ap-northeast-3", "ap-southeast-1", "ap-southeast-3", "ap-southeast-4",
      "ca-west-1", "eu-south-1", "eu-west-1", "il-central-1", "me-south-1", "us-west-1",
    ]
    g6e = [
      "af-south-1", "ap-east-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
      "ap-southeast-5", "ca-central-1", "ca-west-1", "eu-central-2", "eu-south-1", "eu-west-1",
      "eu-west-2", "eu-west-3", "il-central-1", "me-south-1", "sa-east-1", "us-west-1",
    ]
    g7 = [
      "af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
      "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
      "ap-southeast-5", "ca-central-1", "ca-west-1", "eu-central-2", "eu-south-1", "eu-west-1",
      "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "sa-east-1", "us-west-1",
    ]
    g7e = [
      "af-south-1", "ap-east-1", "ap-northeast-3", "ap-south-2", "ap-southeast-1", "ap-southeast-2",
      "ap-southeast-4", "ap-southeast-5", "ca-central-1", "ca-west-1", "eu-central-2", "eu-south-1",
      "eu-west-1", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "sa-east-1", "us-west-1",
    ]
    inf2 = [
      "af-south-1", "ap-east-1", "ap-northeast-3", "ap-south-2", "ap-southeast-3", "ap-southeast-4",
      "ap-southeast-5", "ca-central-1", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2",
      "il-central-1", "me-central-1", "me-south-1", "us-west-1",
    ]
    "ml.inf2.24xlarge" = ["ap-northeast-2"]
    "ml.inf2.48xlarge" = ["ap-northeast-2"]
    "ml.inf2.8xlarge"  = ["ap-northeast-2"]
    m4 = [
      "af-south-1", "ap-east-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
      "ca-west-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-3", "il-central-1",
      "me-central-1", "me-south-1",
    ]
    "ml.m4.10xlarge" = ["ap-northeast-3"]
    m5               = ["ap-southeast-5"]
    m5d              = ["ap-southeast-5"]
    m6i              = ["ap-southeast-4", "eu-south-2"]
    m7i              = ["ca-west-1", "me-south-1"]
    m8g              = ["il-central-1"]
    p4d = [
      "af-south-1", "ap-east-1", "ap-northeast-3", "ap-south-2", "ap-southeast-1", "ap-southeast-3",
      "ap-southeast-4", "ap-southeast-5", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2",
      "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "us-west-1",
    ]
    p4de = [
      "af-south-1", "ap-east-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
      "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ca-central-1", "ca-west-1",
      "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
      "me-central-1", "me-south-1", "sa-east-1", "us-east-2", "us-west-1",
    ]
    p5 = [
      "af-south-1", "ap-east-1", "ap-northeast-3", "ap-south-2", "ap-southeast-1", "ap-southeast-4",
      "ap-southeast-5", "ca-west-1", "eu-central-1", "eu-central-2", "eu-south-1", "eu-south-2",
      "eu-west-1", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
    ]
    "ml.p5.4xlarge" = ["ap-northeast-2", "ca-central-1", "us-west-1"]
    p5e = [
      "af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
      "ap-south-2", "ap-southeast-1", "ap-southeast-4", "ap-southeast-5", "ca-central-1", "ca-west-1",
      "eu-central-1", "eu-central-2", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3",
      "il-central-1", "me-central-1", "me-south-1", "us-east-1", "us-west-1",
    ]
    p5en = [
      "af-south-1", "ap-east-1", "ap-northeast-3", "ap-south-2", "ap-southeast-1", "ap-southeast-2",
      "ap-southeast-4", "ap-southeast-5", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2",
      "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-south-1", "sa-east-1",
    ]
    p6-b200 = [
      "af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1",
      "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ca-central-1", "ca-west-1",
      "eu-central-1", "eu-central-2", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2",
      "il-central-1", "me-central-1", "me-south-1", "sa-east-1", "us-west-1",
    ]
    p6-b300 = [
      "af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-3", "ap-south-1", "ap-southeast-1",
      "ap-southeast-2", "ap-southeast-4", "ap-southeast-5", "ca-central-1", "ca-west-1", "eu-central-1",
      "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
      "il-central-1", "me-central-1", "me-south-1", "us-east-2", "us-west-1",
    ]
    r5  = ["ap-southeast-5"]
    r5d = ["ap-southeast-5", "ca-west-1"]
    r6gd = [
      "ap-east-1", "ap-south-2", "ap-southeast-4", "ap-southeast-5", "ca-west-1", "eu-south-1",
      "il-central-1", "me-central-1", "me-south-1",
    ]
    r6i  = ["ap-southeast-3", "ap-southeast-4", "eu-south-2"]
    r7gd = ["ap-southeast-4", "ca-central-1", "ca-west-1", "eu-central-2", "me-south-1"]
    r7i = [
      "af-south-1", "ap-east-1", "ca-west-1", "eu-central-2", "il-central-1", "me-central-1", "me-south-1",
    ]
    r8g = ["il-central-1", "me-south-1"]
  }

  # Families, and single types, that version 5 of the AWS provider refuses.
  refused_by_provider_5 = ["c6in", "c8g", "g7", "g7e", "m8g", "p6-b200", "p6-b300", "r7gd", "ml.p5.4xlarge"]

  # Instance sizes of each family for SageMaker hosting.
  sizes = {
    c4   = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge"]
    c5   = ["large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "18xlarge"]
    c5d  = ["large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "18xlarge"]
    c6g  = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    c6gd = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    c6gn = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    c6i = [
      "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "32xlarge",
    ]
    c6in = [
      "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "32xlarge",
    ]
    c7g = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    c7i = [
      "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge",
    ]
    c8g = [
      "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
      "48xlarge",
    ]
    g4dn = ["xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    g5 = [
      "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge",
    ]
    g6 = [
      "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge",
    ]
    g6e = [
      "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge",
    ]
    g7   = ["2xlarge", "4xlarge", "8xlarge", "12xlarge", "24xlarge", "48xlarge"]
    g7e  = ["2xlarge", "4xlarge", "8xlarge", "12xlarge", "24xlarge", "48xlarge"]
    inf2 = ["xlarge", "8xlarge", "24xlarge", "48xlarge"]
    m4   = ["xlarge", "2xlarge", "4xlarge", "10xlarge", "16xlarge"]
    m5   = ["large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"]
    m5d  = ["large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"]
    m6g  = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    m6gd = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    m6i = [
      "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "32xlarge",
    ]
    m7i = [
      "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge",
    ]
    m8g = [
      "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
      "48xlarge",
    ]
    p4d     = ["24xlarge"]
    p4de    = ["24xlarge"]
    p5      = ["4xlarge", "48xlarge"]
    p5e     = ["48xlarge"]
    p5en    = ["48xlarge"]
    p6-b200 = ["48xlarge"]
    p6-b300 = ["48xlarge"]
    r5      = ["large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"]
    r5d     = ["large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"]
    r6g     = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    r6gd    = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    r6i = [
      "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "32xlarge",
    ]
    r7gd = ["medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    r7i = [
      "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge",
    ]
    r8g = [
      "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
      "48xlarge",
    ]
  }
}
