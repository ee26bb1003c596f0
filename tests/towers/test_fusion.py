import pytest
import torch
from torch.nn.functional import normalize

from aisle.towers import ConcatFusion, PostFusion
from aisle.towers.prefix import prefix_dims, served_prefix

DIMS = {"term": 6, "text": 4, "graph": 3}


def parts(rows, seed, dims=DIMS):
    torch.manual_seed(seed)
    return {name: normalize(torch.randn(rows, dim), dim=1) for name, dim in dims.items()}


def fusion(cls, *, trained, dims=DIMS):
    built = cls(dims)
    if trained:
        torch.manual_seed(9)
        with torch.no_grad():
            for parameter in built.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.3)
    return built


@torch.no_grad()
def test_an_untrained_late_fusion_averages_the_similarities_of_the_parts():
    channels, products = parts(5, 0), parts(5, 1)
    post = fusion(PostFusion, trained=False)
    score = (post.query(channels) * post.product(products)).sum(1)
    expected = sum((channels[name] * products[name]).sum(1) for name in DIMS) / 3
    torch.testing.assert_close(score, expected)


@torch.no_grad()
@pytest.mark.parametrize("trained", [False, True])
def test_the_late_fused_score_is_the_weighted_sum_and_the_one_inner_product_that_is_served(trained):
    channels, products = parts(7, 0), parts(7, 1)
    post = fusion(PostFusion, trained=trained)
    query, product = post.query(channels), post.product(products)
    together = torch.cat(list(channels.values()), dim=1)
    gates = post.gate(together).softmax(1)
    expected = 0
    for place, name in enumerate(DIMS):
        head = normalize(channels[name] + post.corrections[name](together), dim=1)
        expected += gates[:, place] * (head * products[name]).sum(1)
    torch.testing.assert_close((query * product).sum(1), expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_contributions_add_up_to_the_score():
    post = fusion(PostFusion, trained=True)
    query, product = post.query(parts(7, 0)), post.product(parts(7, 1))
    found = post.contributions(query, product)
    assert list(found) == list(DIMS)
    torch.testing.assert_close(sum(found.values()), (query * product).sum(1), atol=1e-5, rtol=0)
    torch.testing.assert_close(found["term"], (query[:, :6] * product[:, :6]).sum(1))


@torch.no_grad()
@pytest.mark.parametrize("dims", [DIMS, {"term": 5}])
def test_a_late_fused_product_has_the_norm_of_the_root_of_its_parts(dims):
    product = fusion(PostFusion, trained=True, dims=dims).product(parts(9, 2, dims))
    torch.testing.assert_close(product.norm(dim=1), torch.full((9,), len(dims) ** 0.5))


@torch.no_grad()
@pytest.mark.parametrize("trained", [False, True])
def test_gates_are_positive_and_sum_to_one(trained):
    query = fusion(PostFusion, trained=trained).query(parts(9, 3))
    gates = torch.stack([piece.norm(dim=1) for piece in query.split(list(DIMS.values()), dim=1)], dim=1)
    assert (gates >= 0).all()
    torch.testing.assert_close(gates.sum(1), torch.ones(9))
    if trained:
        assert gates.std(0).min() > 0
    else:
        torch.testing.assert_close(gates, torch.full((9, 3), 1 / 3))


def test_corrections_start_at_zero_and_learn():
    post, channels, products = fusion(PostFusion, trained=False), parts(4, 0), parts(4, 1)
    assert all(parameter.abs().sum() == 0 for parameter in post.parameters())
    (post.query(channels) * post.product(products)).sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in post.parameters())


@torch.no_grad()
def test_a_channel_corrects_the_heads_of_other_parts_once_trained():
    post, channels = fusion(PostFusion, trained=True), parts(2, 0)
    changed = channels | {"graph": -channels["graph"]}
    before, after = (post.query(these)[:, :6] for these in (channels, changed))
    assert not torch.allclose(normalize(before, dim=1), normalize(after, dim=1), atol=1e-3)


ALL_DIMS = {"term": 6, "text": 4, "graph": 3, "context": 2}
HISTORY = {"history": 5}


def channels_of(parts):
    """Query-side channels: those that parts have too, and history."""
    torch.manual_seed(7)
    rows = len(parts["term"])
    return parts | {"history": normalize(torch.randn(rows, 5), dim=1)}


@torch.no_grad()
@pytest.mark.parametrize("cls", [PostFusion, ConcatFusion])
def test_a_channel_without_a_part_starts_without_a_say_and_can_learn_one(cls):
    fused, queries, products = cls(ALL_DIMS, HISTORY), parts(5, 0, ALL_DIMS), parts(5, 1, ALL_DIMS)
    channels = channels_of(queries)
    other = channels | {"history": -channels["history"]}
    served = fused.query(channels)
    assert served.shape == fused.product(products).shape == (5, 15)
    assert torch.equal(served, fused.query(other))
    scale = 1 / 4 if cls is PostFusion else 1 / 4**0.5
    torch.testing.assert_close(served, torch.cat(list(queries.values()), dim=1) * scale)
    for parameter in fused.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.3)
    assert not torch.allclose(fused.query(channels), fused.query(other), atol=1e-2)


@torch.no_grad()
def test_contributions_of_an_early_fusion_add_up_too():
    concat = fusion(ConcatFusion, trained=True)
    query, product = concat.query(parts(7, 0)), concat.product(parts(7, 1))
    torch.testing.assert_close(sum(concat.contributions(query, product).values()), (query * product).sum(1))


@torch.no_grad()
def test_an_untrained_early_fusion_is_the_identity_on_both_sides():
    concat, vectors = fusion(ConcatFusion, trained=False), parts(5, 0)
    expected = torch.cat(list(vectors.values()), dim=1) / 3**0.5
    torch.testing.assert_close(concat.query(vectors), expected)
    torch.testing.assert_close(concat.product(vectors), expected)


@torch.no_grad()
def test_early_fused_vectors_have_unit_length_and_a_projection_of_each_side():
    concat, vectors = fusion(ConcatFusion, trained=True), parts(5, 0)
    query, product = concat.query(vectors), concat.product(vectors)
    torch.testing.assert_close(query.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(product.norm(dim=1), torch.ones(5))
    assert not torch.allclose(query, product, atol=1e-2)
    together = torch.cat(list(vectors.values()), dim=1)
    torch.testing.assert_close(query, normalize(concat.query_projection(together), dim=1))


@torch.no_grad()
@pytest.mark.parametrize("cls", [PostFusion, ConcatFusion])
def test_the_order_in_which_parts_are_given_does_not_matter(cls):
    fused, vectors = fusion(cls, trained=True), parts(3, 0)
    backwards = dict(reversed(vectors.items()))
    assert torch.equal(fused.query(vectors), fused.query(backwards))
    assert torch.equal(fused.product(vectors), fused.product(backwards))


@torch.no_grad()
@pytest.mark.parametrize("cls", [PostFusion, ConcatFusion])
def test_permuting_candidates_permutes_scores(cls):
    fused, channels, products = fusion(cls, trained=True), parts(3, 0), parts(8, 1)
    order = torch.tensor([3, 1, 7, 0, 5, 2, 6, 4])
    scores = fused.query(channels) @ fused.product(products).T
    permuted = fused.query(channels) @ fused.product({name: part[order] for name, part in products.items()}).T
    torch.testing.assert_close(permuted, scores[:, order])


@torch.no_grad()
@pytest.mark.parametrize("cls", [PostFusion, ConcatFusion])
def test_no_rows_are_fused_to_none(cls):
    fused = fusion(cls, trained=True)
    assert fused.query(parts(0, 0)).shape == (0, 13)
    assert fused.product(parts(0, 0)).shape == (0, 13)


@torch.no_grad()
@pytest.mark.parametrize("cls", [PostFusion, ConcatFusion])
def test_served_vectors_are_of_full_precision_under_autocast(cls):
    fused, channels = fusion(cls, trained=True), parts(3, 0)
    with torch.autocast("cpu", torch.bfloat16):
        query, product = fused.query(channels), fused.product(channels)
    assert (query.dtype, product.dtype) == (torch.float32, torch.float32)
    torch.testing.assert_close(query, fused.query(channels), atol=0.02, rtol=0)


ABSENT = {"absent": {"text"}}


@torch.no_grad()
@pytest.mark.parametrize("trained", [False, True])
def test_a_late_fused_query_has_a_vector_for_a_part_that_it_has_no_channel_for(trained):
    torch.manual_seed(4)
    post = PostFusion(DIMS, {"history": 5}, **ABSENT)
    if trained:
        for parameter in post.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    queries, products = parts(6, 0, {"term": 6, "graph": 3, "history": 5}), parts(6, 1)
    served = post.query(queries)
    assert served.shape == post.product(products).shape == (6, 13)
    heads = served.split(list(DIMS.values()), dim=1)
    gates = torch.stack([head.norm(dim=1) for head in heads])
    torch.testing.assert_close(gates.sum(0), torch.ones(6))
    assert gates.min() > 0
    directions = normalize(heads[1], dim=1)
    assert torch.allclose(directions, directions[:1].expand(6, -1), atol=1e-5) != trained
    contributions = post.contributions(served, post.product(products))
    assert list(contributions) == list(DIMS)
    torch.testing.assert_close(sum(contributions.values()), (served * post.product(products)).sum(1))


@torch.no_grad()
def test_an_early_fused_query_starts_with_nothing_where_it_has_no_channel():
    concat, queries = ConcatFusion(DIMS, {"history": 5}, **ABSENT), parts(6, 0, {"term": 6, "graph": 3, "history": 5})
    served = concat.query(queries)
    nothing = torch.zeros(6, 4)
    torch.testing.assert_close(served, torch.cat([queries["term"], nothing, queries["graph"]], dim=1) / 2**0.5)
    torch.testing.assert_close(concat.product(parts(6, 1)), torch.cat(list(parts(6, 1).values()), dim=1) / 3**0.5)


@torch.no_grad()
@pytest.mark.parametrize("cls", [PostFusion, ConcatFusion])
def test_an_absent_channel_can_start_as_a_map_of_another(cls):
    torch.manual_seed(5)
    fused, queries = cls(DIMS, {"history": 5}, **ABSENT), parts(6, 0, {"term": 6, "graph": 3, "history": 5})
    weight, bias = torch.randn(4, 3), torch.randn(4)
    before = fused.query(queries).split(list(DIMS.values()), dim=1)
    fused.start_absent_from("text", "graph", weight, bias)
    after = fused.query(queries).split(list(DIMS.values()), dim=1)
    torch.testing.assert_close(normalize(after[1], dim=1), normalize(queries["graph"] @ weight.T + bias, dim=1))
    for one, other in ((0, 0), (2, 2)):
        torch.testing.assert_close(normalize(before[one], dim=1), normalize(after[other], dim=1))


@pytest.mark.parametrize("cls", [PostFusion, ConcatFusion])
def test_an_absent_channel_learns_from_the_start(cls):
    torch.manual_seed(6)
    fused = cls(DIMS, **ABSENT)
    (fused.query(parts(4, 0, {"term": 6, "graph": 3})) * fused.product(parts(4, 1))).sum().backward()
    layer, rows = fused._layer_of("text")
    gradient = layer.weight.grad[rows]
    assert torch.isfinite(gradient).all()
    assert 1e-6 < gradient.abs().max() < 100


@torch.no_grad()
def test_contributions_of_vectors_that_were_cut_add_up_to_their_score():
    post = fusion(PostFusion, trained=True)
    sizes = post.served_dims
    query, product = (served_prefix(one, sizes, 8) for one in (post.query(parts(7, 0)), post.product(parts(7, 1))))
    found = post.contributions(query, product)
    torch.testing.assert_close(sum(found.values()), (query * product).sum(1), atol=1e-5, rtol=0)
    kept = prefix_dims(sizes, 8)[0]
    torch.testing.assert_close(found["term"], (query[:, :kept] * product[:, :kept]).sum(1))


@pytest.mark.parametrize(("cls", "sizes"), [(PostFusion, (6, 4, 3)), (ConcatFusion, (13,))])
def test_what_has_a_length_of_its_own_in_a_served_vector(cls, sizes):
    assert cls(DIMS).served_dims == sizes
