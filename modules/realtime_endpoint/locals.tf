# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  # The name may be longer than name_prefix.
  name = var.name == null ? var.name_prefix : var.name

  # Weights of the variants that serve requests. Their names must not change: a deployment matches by name.
  weights = merge(
    { for name in [var.variant_name] : name => 100 },
    { for key, challenger in var.challengers : key => challenger.weight },
  )

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

  # Patterns of images that cannot run next to others on this silicon.
  images_not_beside = {
    graviton    = "amd64|x86|-gpu-|neuron|/sagemaker-(xgboost|scikit-learn):[0-9.-]+(cpu-py3)?$|-inference:[^/]*-cpu-py"
    inferentia2 = "-gpu-|aarch64|arm64|graviton"
    gpu         = "aarch64|arm64|graviton|neuron"
    x86         = "-gpu-|aarch64|arm64|graviton|neuron"
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

  # Patterns of expressions with a valid field, from the EventBridge user guide.
  cron = {
    minutes             = "(?i)^cron\\((\\S+ ){0}(((\\*|[0-5]?[0-9](-[0-5]?[0-9])?)(/[1-9][0-9]*)?)[, ])+(\\S+ ){4}\\S+\\)$"
    hours               = "(?i)^cron\\((\\S+ ){1}(((\\*|([01]?[0-9]|2[0-3])(-([01]?[0-9]|2[0-3]))?)(/[1-9][0-9]*)?)[, ])+(\\S+ ){3}\\S+\\)$"
    "days of the month" = "(?i)^cron\\((\\S+ ){2}(((\\*|(0?[1-9]|[12][0-9]|3[01])(-(0?[1-9]|[12][0-9]|3[01]))?)(/[1-9][0-9]*)?|\\?|LW|L(-(0?[1-9]|[12][0-9]|3[01]))?|(0?[1-9]|[12][0-9]|3[01])W)[, ])+(\\S+ ){2}\\S+\\)$"
    months              = "(?i)^cron\\((\\S+ ){3}(((\\*|(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)(-(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC))?)(/[1-9][0-9]*)?)[, ])+(\\S+ ){1}\\S+\\)$"
    "days of the week"  = "(?i)^cron\\((\\S+ ){4}(((\\*|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(-([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT))?)(/[1-9][0-9]*)?|\\?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)#[1-5])[, ])+(\\S+ ){0}\\S+\\)$"
    years               = "(?i)^cron\\((\\S+ ){5}(((\\*|(19[7-9][0-9]|2[01][0-9]{2})(-(19[7-9][0-9]|2[01][0-9]{2}))?)(/[1-9][0-9]*)?)[,)])+$"
  }

  # Canonical names of the tz database, which Application Auto Scaling requires.
  canonical_time_zones = [
    "Africa/Abidjan", "Africa/Accra", "Africa/Addis_Ababa", "Africa/Algiers", "Africa/Asmara",
    "Africa/Bamako", "Africa/Bangui", "Africa/Banjul", "Africa/Bissau", "Africa/Blantyre",
    "Africa/Brazzaville", "Africa/Bujumbura", "Africa/Cairo", "Africa/Casablanca", "Africa/Ceuta",
    "Africa/Conakry", "Africa/Dakar", "Africa/Dar_es_Salaam", "Africa/Djibouti", "Africa/Douala",
    "Africa/El_Aaiun", "Africa/Freetown", "Africa/Gaborone", "Africa/Harare", "Africa/Johannesburg",
    "Africa/Juba", "Africa/Kampala", "Africa/Khartoum", "Africa/Kigali", "Africa/Kinshasa",
    "Africa/Lagos", "Africa/Libreville", "Africa/Lome", "Africa/Luanda", "Africa/Lubumbashi",
    "Africa/Lusaka", "Africa/Malabo", "Africa/Maputo", "Africa/Maseru", "Africa/Mbabane",
    "Africa/Mogadishu", "Africa/Monrovia", "Africa/Nairobi", "Africa/Ndjamena", "Africa/Niamey",
    "Africa/Nouakchott", "Africa/Ouagadougou", "Africa/Porto-Novo", "Africa/Sao_Tome", "Africa/Tripoli",
    "Africa/Tunis", "Africa/Windhoek", "America/Adak", "America/Anchorage", "America/Anguilla",
    "America/Antigua", "America/Araguaina", "America/Argentina/Buenos_Aires",
    "America/Argentina/Catamarca", "America/Argentina/Cordoba", "America/Argentina/Jujuy",
    "America/Argentina/La_Rioja", "America/Argentina/Mendoza", "America/Argentina/Rio_Gallegos",
    "America/Argentina/Salta", "America/Argentina/San_Juan", "America/Argentina/San_Luis",
    "America/Argentina/Tucuman", "America/Argentina/Ushuaia", "America/Aruba", "America/Asuncion",
    "America/Atikokan", "America/Bahia", "America/Bahia_Banderas", "America/Barbados", "America/Belem",
    "America/Belize", "America/Blanc-Sablon", "America/Boa_Vista", "America/Bogota", "America/Boise",
    "America/Cambridge_Bay", "America/Campo_Grande", "America/Cancun", "America/Caracas",
    "America/Cayenne", "America/Cayman", "America/Chicago", "America/Chihuahua",
    "America/Ciudad_Juarez", "America/Costa_Rica", "America/Coyhaique", "America/Creston",
    "America/Cuiaba", "America/Curacao", "America/Danmarkshavn", "America/Dawson",
    "America/Dawson_Creek", "America/Denver", "America/Detroit", "America/Dominica", "America/Edmonton",
    "America/Eirunepe", "America/El_Salvador", "America/Fort_Nelson", "America/Fortaleza",
    "America/Glace_Bay", "America/Goose_Bay", "America/Grand_Turk", "America/Grenada",
    "America/Guadeloupe", "America/Guatemala", "America/Guayaquil", "America/Guyana", "America/Halifax",
    "America/Havana", "America/Hermosillo", "America/Indiana/Indianapolis", "America/Indiana/Knox",
    "America/Indiana/Marengo", "America/Indiana/Petersburg", "America/Indiana/Tell_City",
    "America/Indiana/Vevay", "America/Indiana/Vincennes", "America/Indiana/Winamac", "America/Inuvik",
    "America/Iqaluit", "America/Jamaica", "America/Juneau", "America/Kentucky/Louisville",
    "America/Kentucky/Monticello", "America/Kralendijk", "America/La_Paz", "America/Lima",
    "America/Los_Angeles", "America/Lower_Princes", "America/Maceio", "America/Managua",
    "America/Manaus", "America/Marigot", "America/Martinique", "America/Matamoros", "America/Mazatlan",
    "America/Menominee", "America/Merida", "America/Metlakatla", "America/Mexico_City",
    "America/Miquelon", "America/Moncton", "America/Monterrey", "America/Montevideo",
    "America/Montserrat", "America/Nassau", "America/New_York", "America/Nome", "America/Noronha",
    "America/North_Dakota/Beulah", "America/North_Dakota/Center", "America/North_Dakota/New_Salem",
    "America/Nuuk", "America/Ojinaga", "America/Panama", "America/Paramaribo", "America/Phoenix",
    "America/Port-au-Prince", "America/Port_of_Spain", "America/Porto_Velho", "America/Puerto_Rico",
    "America/Punta_Arenas", "America/Rankin_Inlet", "America/Recife", "America/Regina",
    "America/Resolute", "America/Rio_Branco", "America/Santarem", "America/Santiago",
    "America/Santo_Domingo", "America/Sao_Paulo", "America/Scoresbysund", "America/Sitka",
    "America/St_Barthelemy", "America/St_Johns", "America/St_Kitts", "America/St_Lucia",
    "America/St_Thomas", "America/St_Vincent", "America/Swift_Current", "America/Tegucigalpa",
    "America/Thule", "America/Tijuana", "America/Toronto", "America/Tortola", "America/Vancouver",
    "America/Whitehorse", "America/Winnipeg", "America/Yakutat", "Antarctica/Casey", "Antarctica/Davis",
    "Antarctica/DumontDUrville", "Antarctica/Macquarie", "Antarctica/Mawson", "Antarctica/McMurdo",
    "Antarctica/Palmer", "Antarctica/Rothera", "Antarctica/Syowa", "Antarctica/Troll",
    "Antarctica/Vostok", "Arctic/Longyearbyen", "Asia/Aden", "Asia/Almaty", "Asia/Amman", "Asia/Anadyr",
    "Asia/Aqtau", "Asia/Aqtobe", "Asia/Ashgabat", "Asia/Atyrau", "Asia/Baghdad", "Asia/Bahrain",
    "Asia/Baku", "Asia/Bangkok", "Asia/Barnaul", "Asia/Beirut", "Asia/Bishkek", "Asia/Brunei",
    "Asia/Chita", "Asia/Colombo", "Asia/Damascus", "Asia/Dhaka", "Asia/Dili", "Asia/Dubai",
    "Asia/Dushanbe", "Asia/Famagusta", "Asia/Gaza", "Asia/Hebron", "Asia/Ho_Chi_Minh", "Asia/Hong_Kong",
    "Asia/Hovd", "Asia/Irkutsk", "Asia/Jakarta", "Asia/Jayapura", "Asia/Jerusalem", "Asia/Kabul",
    "Asia/Kamchatka", "Asia/Karachi", "Asia/Kathmandu", "Asia/Khandyga", "Asia/Kolkata",
    "Asia/Krasnoyarsk", "Asia/Kuala_Lumpur", "Asia/Kuching", "Asia/Kuwait", "Asia/Macau",
    "Asia/Magadan", "Asia/Makassar", "Asia/Manila", "Asia/Muscat", "Asia/Nicosia", "Asia/Novokuznetsk",
    "Asia/Novosibirsk", "Asia/Omsk", "Asia/Oral", "Asia/Phnom_Penh", "Asia/Pontianak", "Asia/Pyongyang",
    "Asia/Qatar", "Asia/Qostanay", "Asia/Qyzylorda", "Asia/Riyadh", "Asia/Sakhalin", "Asia/Samarkand",
    "Asia/Seoul", "Asia/Shanghai", "Asia/Singapore", "Asia/Srednekolymsk", "Asia/Taipei",
    "Asia/Tashkent", "Asia/Tbilisi", "Asia/Tehran", "Asia/Thimphu", "Asia/Tokyo", "Asia/Tomsk",
    "Asia/Ulaanbaatar", "Asia/Urumqi", "Asia/Ust-Nera", "Asia/Vientiane", "Asia/Vladivostok",
    "Asia/Yakutsk", "Asia/Yangon", "Asia/Yekaterinburg", "Asia/Yerevan", "Atlantic/Azores",
    "Atlantic/Bermuda", "Atlantic/Canary", "Atlantic/Cape_Verde", "Atlantic/Faroe", "Atlantic/Madeira",
    "Atlantic/Reykjavik", "Atlantic/South_Georgia", "Atlantic/St_Helena", "Atlantic/Stanley",
    "Australia/Adelaide", "Australia/Brisbane", "Australia/Broken_Hill", "Australia/Darwin",
    "Australia/Eucla", "Australia/Hobart", "Australia/Lindeman", "Australia/Lord_Howe",
    "Australia/Melbourne", "Australia/Perth", "Australia/Sydney", "Etc/GMT+1", "Etc/GMT+10",
    "Etc/GMT+11", "Etc/GMT+12", "Etc/GMT+2", "Etc/GMT+3", "Etc/GMT+4", "Etc/GMT+5", "Etc/GMT+6",
    "Etc/GMT+7", "Etc/GMT+8", "Etc/GMT+9", "Etc/GMT-1", "Etc/GMT-10", "Etc/GMT-11", "Etc/GMT-12",
    "Etc/GMT-13", "Etc/GMT-14", "Etc/GMT-2", "Etc/GMT-3", "Etc/GMT-4", "Etc/GMT-5", "Etc/GMT-6",
    "Etc/GMT-7", "Etc/GMT-8", "Etc/GMT-9", "Europe/Amsterdam", "Europe/Andorra", "Europe/Astrakhan",
    "Europe/Athens", "Europe/Belgrade", "Europe/Berlin", "Europe/Bratislava", "Europe/Brussels",
    "Europe/Bucharest", "Europe/Budapest", "Europe/Busingen", "Europe/Chisinau", "Europe/Copenhagen",
    "Europe/Dublin", "Europe/Gibraltar", "Europe/Guernsey", "Europe/Helsinki", "Europe/Isle_of_Man",
    "Europe/Istanbul", "Europe/Jersey", "Europe/Kaliningrad", "Europe/Kirov", "Europe/Kyiv",
    "Europe/Lisbon", "Europe/Ljubljana", "Europe/London", "Europe/Luxembourg", "Europe/Madrid",
    "Europe/Malta", "Europe/Mariehamn", "Europe/Minsk", "Europe/Monaco", "Europe/Moscow", "Europe/Oslo",
    "Europe/Paris", "Europe/Podgorica", "Europe/Prague", "Europe/Riga", "Europe/Rome", "Europe/Samara",
    "Europe/San_Marino", "Europe/Sarajevo", "Europe/Saratov", "Europe/Simferopol", "Europe/Skopje",
    "Europe/Sofia", "Europe/Stockholm", "Europe/Tallinn", "Europe/Tirane", "Europe/Ulyanovsk",
    "Europe/Vaduz", "Europe/Vatican", "Europe/Vienna", "Europe/Vilnius", "Europe/Volgograd",
    "Europe/Warsaw", "Europe/Zagreb", "Europe/Zurich", "Indian/Antananarivo", "Indian/Chagos",
    "Indian/Christmas", "Indian/Cocos", "Indian/Comoro", "Indian/Kerguelen", "Indian/Mahe",
    "Indian/Maldives", "Indian/Mauritius", "Indian/Mayotte", "Indian/Reunion", "Pacific/Apia",
    "Pacific/Auckland", "Pacific/Bougainville", "Pacific/Chatham", "Pacific/Chuuk", "Pacific/Easter",
    "Pacific/Efate", "Pacific/Fakaofo", "Pacific/Fiji", "Pacific/Funafuti", "Pacific/Galapagos",
    "Pacific/Gambier", "Pacific/Guadalcanal", "Pacific/Guam", "Pacific/Honolulu", "Pacific/Kanton",
    "Pacific/Kiritimati", "Pacific/Kosrae", "Pacific/Kwajalein", "Pacific/Majuro", "Pacific/Marquesas",
    "Pacific/Midway", "Pacific/Nauru", "Pacific/Niue", "Pacific/Norfolk", "Pacific/Noumea",
    "Pacific/Pago_Pago", "Pacific/Palau", "Pacific/Pitcairn", "Pacific/Pohnpei", "Pacific/Port_Moresby",
    "Pacific/Rarotonga", "Pacific/Saipan", "Pacific/Tahiti", "Pacific/Tarawa", "Pacific/Tongatapu",
    "Pacific/Wake", "Pacific/Wallis", "UTC",
  ]
}
