"""The account's own carbon data: the export that the Customer Carbon Footprint Tool writes.

Whether an account has one is not asked of every plan: it is made once, mostly elsewhere. Only an export that is there
is looked at, and only if it is of carbon emissions.
"""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules.reading import judge
from sustainable_mlops.rules.rule import Severity, Verdicts, rule

EXPORT = "aws_bcmdataexports_export"


@rule(
    id="SUS_CARBON_EXPORT",
    severity=Severity.WARN,
    title="Carbon emissions are exported as Parquet, and each export takes the place of the last",
    practices=("1",),
    fix='Set format and compression to "PARQUET" and overwrite to "OVERWRITE_REPORT".',
    types=(EXPORT,),
)
def carbon_export(_: Plan, export: Resource) -> Verdicts:
    """Parquet takes up to 87 % less storage than CSV (ML Lens); months are corrected later, so the newest counts."""
    query = export.text("export.0.data_query.0.query_statement")
    if query is UNKNOWN or query is None or "CARBON_EMISSIONS" not in query.upper():
        return
    output = "export.0.destination_configurations.0.s3_destination.0.s3_output_configurations.0"
    for name, wanted in (("format", "PARQUET"), ("overwrite", "OVERWRITE_REPORT")):
        value = export.text(f"{output}.{name}")
        yield judge(value, f"{output}.{name}", {wanted}.__contains__, f"{name} is {value}")
