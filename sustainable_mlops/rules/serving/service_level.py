"""The kind of endpoint follows from how long callers can wait, which the tag `latency_slo` says."""

from sustainable_mlops.catalogue import instances
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Variant
from sustainable_mlops.plan.scaling import of_instances
from sustainable_mlops.rules.labels import Patience, patience
from sustainable_mlops.rules.rule import Severity, Verdict, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.serving.variants import (
    ASYNCHRONOUS,
    ENDPOINT,
    REAL_TIME,
    SERVERLESS,
    each_variant,
    hosts_components,
    instance_type,
    named,
)

#: The patience that each kind asks of a caller at worst: a serverless worker starts in seconds, an instance in minutes.
_ASKS = {REAL_TIME: Patience.MILLISECONDS, SERVERLESS: Patience.COLD_START, ASYNCHRONOUS: Patience.MINUTES}
_TAG = "tags.latency_slo"


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
    wanted = patience(plan, endpoint)
    if wanted is None:
        return
    if wanted is UNKNOWN:
        yield unknown("its latency_slo is not known until apply", _TAG)
        return
    if isinstance(wanted, str):
        yield unknown("its latency_slo is none of milliseconds, cold_start, minutes, batch or a duration", _TAG)
        return
    if wanted is Patience.BATCH:
        yield failed("its callers can wait for a batch, which needs no endpoint", _TAG)
        return

    def judge(variant: Variant) -> Verdicts:
        least, most = _asks(plan, endpoint, variant)
        if least > wanted:
            yield failed(f"callers wait for {_name(wanted)}, and {variant.kind} may take {_name(least)}", _TAG)
        elif most > wanted:
            yield unknown(f"how long {named(variant)} may take is not known until apply", variant.block.path)
        elif variant.kind == REAL_TIME and wanted > Patience.MILLISECONDS:
            yield _idles(variant, wanted)
        else:
            yield passed()

    yield from each_variant(plan, endpoint, judge, *_ASKS)


def _asks(plan: Plan, endpoint: Resource, variant: Variant) -> tuple[Patience, Patience]:
    """The patience that a variant asks of a caller at worst: the least and the most that the plan leaves open."""
    at_worst = _ASKS[str(variant.kind)]
    if variant.kind == SERVERLESS:
        warm = variant.block.number("serverless_config.0.provisioned_concurrency")
        if warm not in (None, 0):
            return Patience.MILLISECONDS, at_worst if warm is UNKNOWN else Patience.MILLISECONDS
    if variant.kind == ASYNCHRONOUS:
        empties = of_instances(endpoint, variant, plan.joins).empties
        if empties is not True:
            return Patience.COLD_START, at_worst if empties is UNKNOWN else Patience.COLD_START
    return at_worst, at_worst


def _idles(variant: Variant, wanted: Patience) -> Verdict:
    """Of instances that wait for callers who can wait: what needs no accelerator could be serverless."""
    kind = instance_type(variant.block)
    found = instances.find(kind) if isinstance(kind, str) else None
    serverless_fits = found is not None and found.accelerator is None and not hosts_components(variant)
    if serverless_fits or wanted >= Patience.MINUTES:
        return failed(f"callers can wait for {_name(wanted)}, and its instances wait for callers day and night", _TAG)
    if found is None:
        return unknown("whether it needs an accelerator is not known until apply", variant.block.path)
    return passed()


def _name(level: Patience) -> str:
    return "a cold start" if level is Patience.COLD_START else level.name.lower()
