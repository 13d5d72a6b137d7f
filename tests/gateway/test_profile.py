"""Profiles: those we ship load, and a wrong one says how to mend it."""

from __future__ import annotations

import pytest

from settlement.domain.scope import LiabilityPolicy, PersonCategory, ScopeReason
from settlement.gateway.profile import ProfileError, load_profile

GOOD = """
name = "town"
insured_areas = ["3716"]
account_money_in_fund_total = false
family_account = "inside"
"""


@pytest.mark.parametrize("name", ["hebei", "chongqing", "guangdong", "simulator"])
def test_shipped_profiles_load(name):
    assert load_profile(name).name == name


def test_only_guangdong_has_account_money_inside():
    inside = [
        name
        for name in ("hebei", "chongqing", "guangdong", "simulator")
        if load_profile(name).account_money_in_fund_total
    ]
    assert inside == ["guangdong"]


def load(tmp_path, text):
    file = tmp_path / "town.toml"
    file.write_text(text, encoding="utf-8")
    return load_profile(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace('family_account = "inside"', ""), "`family_account` is missing; add it."),
        (GOOD.replace("inside", "within"), "`family_account` is 'within': Input should be 'inside' or 'beside'."),
        (GOOD + "insured_area = []", "did you mean `insured_areas`?"),
        (GOOD + "zzz = 1", "`zzz` is not a key of a profile; remove it."),
        (GOOD + 'negative_allowed = ["cash"]', "`negative_allowed.0` is 'cash'"),
        (GOOD + 'authentication = "x-tif"', "add `tif_paasid_variable` and `tif_secret_variable`"),
        (GOOD + 'authentication = "apikey"', "add `apikey_variable`"),
        (GOOD + "serial_first = 9500\nserial_last = 9000", "`serial_first` is above `serial_last`"),
        (GOOD + '[aliases]\ncash = ["xjzf"]', "`cash` is not a field of setlinfo"),
        (GOOD + '[paths]\n"2207" = "/x"', "`2207` is never sent"),
        (GOOD + 'url = "http://a/{infno}"\n[paths]\n"5203" = "/x"', "keep one of them"),
        (GOOD + '[system_codes]\nGSXT = "injury"', "`system_codes.GSXT` is 'injury'"),
        (GOOD + "name = 1", "cannot be read as TOML"),
    ],
)
def test_a_wrong_profile_says_how_to_mend_it(tmp_path, text, said):
    with pytest.raises(ProfileError) as refused:
        load(tmp_path, text)
    assert said in str(refused.value)
    assert str(refused.value).endswith((".", "?"))


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(ProfileError, match="chongqing, guangdong, hebei, simulator"):
        load_profile("henan")


def test_a_url_may_be_one_a_template_or_a_table(tmp_path):
    assert load(tmp_path, GOOD).url_for("5203") is None
    assert load(tmp_path, GOOD + 'url = "http://a/CSB"').url_for("5203") == "http://a/CSB"
    assert load(tmp_path, GOOD + 'url = "http://a/hgs/{infno}"').url_for("5203") == "http://a/hgs/5203"
    table = load(tmp_path, GOOD + 'url = "http://a/rio_fsi/"\n[paths]\n"5203" = "/fsi/api/querySetlInfo"')
    assert table.url_for("5203") == "http://a/rio_fsi/fsi/api/querySetlInfo"
    assert table.url_for("1101") is None


def test_without_credentials_of_our_own_we_cannot_ask():
    guangdong = load_profile("guangdong")
    assert "url" in guangdong.missing_to_ask({})
    assert "SETTLEMENT_GATEWAY_SECRET" in guangdong.missing_to_ask({"SETTLEMENT_GATEWAY_PAASID": "x"})
    simulator = load_profile("simulator")
    assert simulator.missing_to_ask({}) == ("url",)
    assert simulator.with_url("http://127.0.0.1:1/").missing_to_ask({}) == ()


def test_the_scope_rules_are_the_citys_and_the_plans():
    rules = load_profile("chongqing").scope_rules(insurance_types={"310"}, person_categories={PersonCategory.ACTIVE})
    assert rules.system_codes == {"GSXT": ScopeReason.WORK_INJURY, "LXXT": ScopeReason.RETIRED_CADRE}
    assert rules.insured_areas == ("50",)
    assert rules.liability is LiabilityPolicy.HOLD
