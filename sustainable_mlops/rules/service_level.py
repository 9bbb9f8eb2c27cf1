"""The kind of endpoint follows from how long callers can wait, which the tag `latency_slo` says."""

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource, Variant
from sustainable_mlops.rules.hosting import ASYNCHRONOUS, ENDPOINT, REAL_TIME, SERVERLESS, each_variant
from sustainable_mlops.rules.labels import Patience, patience
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.serverless import provisioned

#: The patience that each kind asks of a caller at worst: a serverless worker starts in seconds, an instance in minutes.
_ASKS = {REAL_TIME: Patience.MILLISECONDS, SERVERLESS: Patience.COLD_START, ASYNCHRONOUS: Patience.MINUTES}


@rule(
    id="SUS_ENDPOINT_FITS_SLO",
    severity=Severity.WARN,
    title="An endpoint is of the kind that its latency objective needs, and no faster",
    practices=("51", "56"),
    fix=(
        "latency_slo minutes: asynchronous; cold_start: serverless (or asynchronous beyond 6 GB or with a GPU); "
        "milliseconds: real-time; batch: a transform job and no endpoint."
    ),
    types=(ENDPOINT,),
)
def fits_slo(plan: Plan, endpoint: Resource) -> Verdicts:
    wanted = patience(endpoint)
    if wanted is None:
        return
    if wanted is UNKNOWN:
        yield unknown("its latency_slo is none of milliseconds, cold_start, minutes, batch or a duration", "tags")
        return
    if wanted is Patience.BATCH:
        yield failed("its callers can wait for a batch, which needs no endpoint", "tags.latency_slo")
        return

    def judge(variant: Variant) -> Verdicts:
        asks = _ASKS[str(variant.kind)]
        if isinstance(variant.serverless, Block) and provisioned(variant.serverless) not in (None, UNKNOWN):
            asks = Patience.MILLISECONDS
        if variant.kind == ASYNCHRONOUS and not _at_zero(plan, endpoint, variant):
            asks = Patience.COLD_START
        if asks > wanted:
            yield failed(f"callers wait for {_name(wanted)}, and {variant.kind} may take {_name(asks)}")
        elif variant.kind == REAL_TIME and wanted >= Patience.MINUTES:
            yield failed("callers can wait for minutes, and its instances wait for callers day and night")
        else:
            yield passed()

    yield from each_variant(plan, endpoint, judge, *_ASKS)


def _at_zero(plan: Plan, endpoint: Resource, variant: Variant) -> bool:
    """Whether it may have no instance when a request comes."""
    targets = plan.joins.scalable_targets(endpoint, variant.name)
    return bool(targets.maybe) or any(target.new.number("min_capacity") in (0, UNKNOWN) for target in targets.sure)


def _name(level: Patience) -> str:
    return "a cold start" if level is Patience.COLD_START else level.name.lower()
