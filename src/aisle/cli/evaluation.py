"""`aisle evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from aisle.cli.options import JsonOption, WorkspaceOption
from aisle.cli.output import keep_for_report, print_json, say
from aisle.core.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from aisle.pipelines.debiasing import Debiased
    from aisle.pipelines.evaluating import EvaluationOutcome, Labels

__all__ = ["MeasuresOption", "SlicesOption", "as_labels", "as_names", "evaluate", "print_outcome"]

SlicesOption = Annotated[
    str | None,
    typer.Option(
        help="Slices to print, with commas: of a log band, signed-in, returning, history, cold, domestic, repeats; "
        "words (length of the query); column:NAME (of searches, users or judgments). Without it all of the first."
    ),
]
MeasuresOption = Annotated[
    str, typer.Option(help="With commas, as ir-measures writes them: R@k, nDCG@k, P@k, Success@k, MRR[@k], AP[@k].")
]
DebiasedOption = Annotated[
    bool,
    typer.Option("--debiased", help="Also recall of a log's clicks and orders, freed of what its search preferred."),
]
CoverageOption = Annotated[
    float, typer.Option(help="Least share of a system's first 10 products that the log showed, for --debiased.")
]
WeightOption = Annotated[
    float, typer.Option(help="Most that one logged positive counts against another, for --debiased.")
]
GradeOption = Annotated[
    float, typer.Option(help="Least grade of a relevant product for recall and MRR, in the judgments' own units.")
]
LabelsOption = Annotated[
    str | None,
    typer.Option(
        help="What is to be found: judgments, log (the orders of its searches) or truth (of a simulated marketplace). "
        "Without it the log where one was mined, else judgments.",
    ),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust-quality", help="Measure though the index knows quality values of after the searches, or undated ones."
    ),
]


def evaluate(
    workspace: WorkspaceOption = Path("workspace"),
    split: Annotated[str, typer.Option(help="Part of judgments or log; of a log validation or test.")] = "test",
    systems: Annotated[str, typer.Option(help="Systems to compare, with commas.")] = "lexical,semantic,hybrid",
    min_grade: GradeOption = 1.0,
    labels: LabelsOption = None,
    max_searches: Annotated[int, typer.Option(min=1, help="Most searches of a log, drawn evenly.")] = 10_000,
    slices: SlicesOption = None,
    measures: MeasuresOption = "R@10,R@100,nDCG@10,MRR",
    debiased: DebiasedOption = False,
    min_coverage: CoverageOption = 0.1,
    max_weight: WeightOption = 1000.0,
    run: Annotated[
        Path | None, typer.Option(help="Write runs in TREC's format here, with qrels and queries beside them.")
    ] = None,
    trust_quality: TrustOption = False,
    seed: Annotated[int, typer.Option(help="Seed of bootstrap and permutations.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Measure systems over the whole catalogue, with 95 % intervals and paired tests.

    The last outcome of each kind of labels and split is kept in the workspace's `evaluation/` for `aisle report`.

    Example: `aisle evaluate --workspace shop --min-grade 3 --run out.trec --json`

    Example: `aisle evaluate --workspace shop --measures R@1000,nDCG@20,P@5 --slices band,words,column:device`

    Example: `aisle evaluate --workspace shop --labels log --debiased`
    """
    from aisle.pipelines.debiasing import DebiasingConfig
    from aisle.pipelines.evaluating import evaluate_systems
    from aisle.pipelines.kept_outcomes import keep_evaluation
    from aisle.workspace import Workspace

    opened = Workspace.open(workspace)
    outcome = evaluate_systems(
        opened,
        split=split,
        systems=as_names(systems),
        labels=as_labels(labels),
        min_grade=min_grade,
        max_searches=max_searches,
        slices=as_names(slices) if slices is not None else None,
        run=run,
        trust_quality=trust_quality,
        seed=seed,
        measures=as_names(measures),
        debiasing=DebiasingConfig(min_coverage, max_weight) if debiased else None,
    )
    if as_json:
        print_json(outcome.as_dict())
    else:
        print_outcome(outcome)
    settings = {"max_searches": max_searches, "slices": slices, "trust_quality": trust_quality, "split": split}
    keep_for_report(lambda: keep_evaluation(opened, outcome, settings=settings, seed=seed))


def as_names(listed: str) -> list[str]:
    """Split what was written with commas."""
    return [name.strip() for name in listed.split(",") if name.strip()]


def as_labels(name: str | None) -> Labels | None:
    """Return the labels of a name; None where none was given.

    Raises:
        UsageError: If there are none of that name.
    """
    from aisle.pipelines.evaluating import Labels

    for label in get_args(Labels):
        if name == label:
            return cast("Labels", label)
    if name is None:
        return None
    raise UsageError(
        f"Labels must be one of {', '.join(get_args(Labels))}",
        received={"labels": name},
        remedy="Leave --labels out for the log where one was mined, else judgments.",
    )


_ASKED = {"judgments": "queries", "log": "searches", "truth": "searches"}


def _debiased_table(found: Debiased) -> Table:
    """Lay out recall without and with weights, beside how much of each system the log showed."""
    from rich.text import Text

    from aisle.evaluation import plain_table

    recall, config = found.recall, found.config
    table = plain_table(
        f"Recall of {recall.num_positives:,} clicks and orders of {found.num_searches:,} searches",
        f"plain → debiased [95 % bootstrap interval]: weights 1/propensity up to {config.max_weight:g}, worth "
        f"{recall.effective_positives:,.0f} equal positives; {found.told_share:.0%} of the propensities told by "
        f"the log, the place's part estimated. shown: share of the first 10 products that the log showed (refused "
        f"below {config.min_coverage:g}).",
    )
    for name in ("system", *next(iter(recall.plain.values())), "shown"):
        table.add_column(name, justify="left" if name == "system" else "right")
    for system, plain in recall.plain.items():
        pairs = [(plain[measure], recall.debiased[system][measure]) for measure in plain]
        cells = [f"{a.value:.3f} → {b.value:.3f}\n[{b.low:.3f}, {b.high:.3f}]" for a, b in pairs]
        table.add_row(Text(system), *map(Text, cells), Text(f"{found.coverage[system]:.1%}"))
    return table


def print_outcome(outcome: EvaluationOutcome) -> None:
    """Print measures as a table, with what a reader must know about them."""
    from rich.console import Console

    from aisle.evaluation import evaluation_table
    from aisle.pipelines.relevance import RELEVANCE_MEASURE

    relevance = outcome.relevance
    beside = {RELEVANCE_MEASURE: relevance.summary} if relevance is not None else None
    wanted = f"{_ASKED[outcome.labels]} with {outcome.labelled}"
    Console().print(evaluation_table(outcome.evaluation, wanted=wanted, beside=beside))
    if relevance is not None:
        say(f"{RELEVANCE_MEASURE} beside them is of {relevance.graded_by}: selling what nobody asked for shows there.")
    if outcome.debiased is not None:
        Console().print(_debiased_table(outcome.debiased))
    if outcome.is_simulated:
        what = "Truth" if outcome.labels == "truth" else "Log"
        say(f"{what} of a simulated marketplace: these figures are simulated.")
    if outcome.trusted_quality:
        told = outcome.trusted_quality
        say(
            f"Trusted: {', '.join(told['columns'])} up to {told['until']}, {told['undated']:,} products undated. "
            "They may tell of what these searches came to."
        )
    if outcome.shown_by:
        shares = ", ".join(f"{part} {share:.1%}" for part, share in outcome.shown_by.items())
        say(f"These {outcome.labelled} by the part of the logging policy that had shown the product: {shares}.")
    if outcome.exposures:
        say("Logged orders favour what was shown. Of the log's impressions, clicks and orders:")
    for part, shares in (outcome.exposures or {}).items():
        say(f"  {part}: " + ", ".join(f"{share:.1%}" for share in shares.values()))
    if outcome.num_unknown:
        say(f"{outcome.num_unknown:,} judged products are not in the catalogue; they count as missed.")
    hybrid = outcome.hybrid
    say(f"Hybrid: {hybrid['fusion']}, semantic weight {hybrid['semantic_weight']} ({hybrid['weight_from']}).")
    for file in outcome.files:
        say(f"Wrote {file}")
