"""AWS accounts with SageMaker's framework images, by Region.

Source: `image_uri_config` of the SageMaker Python SDK 3.27 (xgboost, which scikit-learn shares, and pytorch, which the
other deep learning containers share). A test compares this table with the installed SDK.
"""

#: Accounts by Region: XGBoost and scikit-learn first, deep learning containers last.
FRAMEWORK_REGISTRIES: dict[str, tuple[str, ...]] = {
    "af-south-1": ("510948584623", "626614931356"),
    "ap-east-1": ("651117190479", "871362719292"),
    "ap-east-2": ("975050140332",),
    "ap-northeast-1": ("354813040037", "763104351884"),
    "ap-northeast-2": ("366743142698", "763104351884"),
    "ap-northeast-3": ("867004704886", "364406365360"),
    "ap-south-1": ("720646828776", "763104351884"),
    "ap-south-2": ("628508329040", "772153158452"),
    "ap-southeast-1": ("121021644041", "763104351884"),
    "ap-southeast-2": ("783357654285", "763104351884"),
    "ap-southeast-3": ("951798379941", "907027046896"),
    "ap-southeast-4": ("106583098589", "457447274322"),
    "ap-southeast-5": ("550225433462",),
    "ap-southeast-6": ("633930458069",),
    "ap-southeast-7": ("590183813437",),
    "ca-central-1": ("341280168497", "763104351884"),
    "ca-west-1": ("190319476487", "204538143572"),
    "cn-north-1": ("450853457545", "727897471807"),
    "cn-northwest-1": ("451049120500", "727897471807"),
    "eu-central-1": ("492215442770", "763104351884"),
    "eu-central-2": ("680994064768", "380420809688"),
    "eu-north-1": ("662702820516", "763104351884"),
    "eu-south-1": ("978288397137", "692866216735"),
    "eu-south-2": ("104374241257", "503227376785"),
    "eu-west-1": ("141502667606", "763104351884"),
    "eu-west-2": ("764974769150", "763104351884"),
    "eu-west-3": ("659782779980", "763104351884"),
    "il-central-1": ("898809789911", "780543022126"),
    "me-central-1": ("272398656194", "914824155844"),
    "me-south-1": ("801668240914", "217643126080"),
    "me-west-1": ("124382933778",),
    "mx-central-1": ("637423239942",),
    "sa-east-1": ("737474898029", "763104351884"),
    "us-east-1": ("683313688378", "763104351884"),
    "us-east-2": ("257758044811", "763104351884"),
    "us-gov-east-1": ("237065988967", "446045086412"),
    "us-gov-west-1": ("414596584902", "442386744353"),
    "us-west-1": ("746614075791", "763104351884"),
    "us-west-2": ("246618743249", "763104351884"),
}
