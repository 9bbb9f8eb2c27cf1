"""Options of the commands that describe a model and its load."""

from typing import Annotated

import typer

Peak = Annotated[float, typer.Option(help="Peak load as a multiple of the average.")]
Latency = Annotated[
    str,
    typer.Option(
        help="p99 in ms, or the latency that callers accept: cold_start, minutes (within the hour) or batch (a job a "
        "day)."
    ),
]
PayloadKb = Annotated[float, typer.Option(help="Size of the larger of request and response, in kB.")]
ModelMb = Annotated[float, typer.Option(help="Size of the model, in MB.")]
Accelerator = Annotated[
    str,
    typer.Option(
        help="Required accelerator, as values of silicon: none: graviton or x86; gpu: gpu; any: gpu or inferentia2."
    ),
]
