import dataclasses

from aisle.reporting import pretraining_page


def test_three_charts_and_three_tables_that_need_nothing_from_elsewhere(make_pretrained):
    page = pretraining_page(make_pretrained())
    assert page.count("<svg") == page.count("</svg>") == page.count("<figure>") == 3
    assert page.count("<table>") == page.count("</table>") == 3
    assert "<script" not in page
    assert "://" not in page


def test_charts_hold_the_runs_own_points(make_pretrained):
    page = pretraining_page(make_pretrained())
    assert "loss: 20 → 2" in page
    assert "masked: 20 → 3" in page
    assert "contrastive_recall: 0 → 25 %" in page
    assert "Weights of step 20 were kept" in page


def test_objectives_that_are_on_are_told(make_pretrained):
    page = pretraining_page(make_pretrained())
    assert (
        "Learnt to guess hidden tokens × 1; tell what belongs together (queries and products of the log) × 0.5." in page
    )
    assert "write the queries" not in page


def test_a_run_without_steps_has_its_first_measures(make_pretrained):
    told = make_pretrained()
    result = dataclasses.replace(told.result, history=told.result.history[:1], loss_curve=[], best_step=0)
    page = pretraining_page(dataclasses.replace(told, result=result))
    assert page.count("<svg") == 1
