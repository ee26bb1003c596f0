from aisle.reporting.report import LiveLifts, abtest_section

LIVE = LiveLifts(0.0558, 0.0263, "Etsy")


def test_no_test_names_the_command():
    section = abtest_section([], live=LIVE, made=())
    assert section.command.startswith("aisle abtest lexical hybrid")


def test_lifts_bands_days_and_what_stands_beside(abtest, hostile, made):
    body = abtest_section([abtest], live=LIVE, made=[made]).body
    assert "199,000 simulated searches within 3 days" in body
    assert "+12.5 % [+5 %, +20 %] <small>p=0.001</small>" in body
    assert "4.00 % → 4.50 %" in body
    assert "search purchase rate +5.6 %, site-wide conversion +2.6 % (Etsy)" in body
    assert "the points that each band adds" in body
    assert "always-valid" in body
    assert "day 2" in body
    assert '<td class="number">7.2</td>' in body
    assert "The same shoppers, with the same needs" in body
    assert "A/A: of 200 splits of 1,000 recorded searches of lexical, 9 differ" in body
    assert "four times out of five" in body
    assert hostile not in body


def test_the_finding_says_simulated(abtest):
    [finding] = abtest_section([{**abtest, "b": "hybrid"}], live=LIVE, made=()).findings
    assert finding.startswith("Simulated A/B test of hybrid against lexical, 199,000 searches: ")
    assert "search purchase rate +12.5 % [+5 %, +20 %]" in finding


def test_an_aa_test_alone(abtest):
    names = ("a", "b", "config", "power", "aa_searches", "aa_runs", "aa_rejections")
    section = abtest_section([{name: abtest[name] for name in names}], live=LIVE, made=())
    assert "lexical against itself" in section.body
    assert "A/A: of 200" in section.body
    assert section.findings == ()


def test_a_lift_that_is_not_defined(abtest):
    nothing = {**abtest["purchase_rate_lift"], "value": None, "low": None, "high": None, "p": None}
    nothing["a"] = {**nothing["a"], "value": None}
    section = abtest_section([{**abtest, "purchase_rate_lift": nothing, "bands": {}}], live=LIVE, made=())
    assert "search purchase rate not defined" in section.findings[0]
    assert "– → 4.50 %" in section.body
