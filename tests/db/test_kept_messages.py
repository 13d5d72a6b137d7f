"""Raw messages: kept letter for letter under their bill, whatever stands under keys that nobody reads."""

from __future__ import annotations

from builders import KEYS, City, a_2304, bill_id_of, facts, settle
from settlement.db.engine import fund_transaction
from settlement.db.messages import find_message
from settlement.services.resources import Resources


async def test_half_a_character_from_the_insurer_keeps_no_bill_from_being_recorded_and_read_again(
    resources: Resources, city: City
):
    output = a_2304(city.member)
    output["setlinfo"]["memo"] = "half \ud800 and \0"
    held = await settle(resources, city, output, facts(city, discharged_on=None))
    assert held.answer["state"] == "held"
    async with fund_transaction(resources.engine, city.fund_id) as connection:
        kept = await find_message(connection, KEYS, city.fund_id, bill_id_of(held), "settlement")
    assert kept is not None
    assert kept["output"]["setlinfo"]["memo"] == output["setlinfo"]["memo"]
    assert (await settle(resources, city, output)).answer["state"] == "live"
