"""Ties the service to the insurer, importing nothing of either: live settlements against the insurer's raw log.

    python tie_to_raw_log.py API_URL CLIENT_ID CLIENT_SECRET RAW_LOG BUSINESS_DATE

Takes the insurer's settlement ids of the live settlements from the API, adds up what the insurer's own log says about
those, adds up what the API says, and prints both; exits with 1 if they differ by a fen.
"""

import base64
import json
import sys
import urllib.parse
import urllib.request
from decimal import Decimal
from pathlib import Path


def main(api: str, client_id: str, secret: str, raw_log: str, day: str) -> int:
    live = fetch_live(api, fetch_token(api, client_id, secret), day)
    raw = settled_at_the_insurer(Path(raw_log))
    theirs = {
        "insurer": total(raw[row["insurer_settlement_id"]]["fund_pay_sumamt"] for row in live),
        "hospital": total(raw[row["insurer_settlement_id"]]["hosp_part_amt"] for row in live),
        "account": total(raw[row["insurer_settlement_id"]]["acct_pay"] for row in live),
        "cash": total(raw[row["insurer_settlement_id"]]["psn_cash_pay"] for row in live),
    }
    ours = {
        "insurer": total(row["bill"]["insurer_paid"] for row in live),
        "hospital": total(row["bill"]["provider_absorbed"] for row in live),
        "account": total(row["bill"]["account_paid"] for row in live),
        "cash": total(row["cash_due"] for row in live) + total(row["mutual_aid"]["on_bill"] for row in live),
    }
    told = {"live": len(live), "insurer_log": theirs, "service": ours, "equal": theirs == ours}
    print(json.dumps(told, default=str))
    return 0 if theirs == ours and live else 1


def total(amounts) -> Decimal:
    return sum((Decimal(str(amount)) for amount in amounts), Decimal("0.00"))


def fetch_token(api: str, client_id: str, secret: str) -> str:
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    form = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
    request = urllib.request.Request(f"{api}/oauth/token", form, {"Authorization": f"Basic {basic}"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["access_token"]


def fetch_live(api: str, token: str, day: str) -> list:
    rows, query = [], {"state": "live", "business_date": day, "limit": "500"}
    while True:
        url = f"{api}/v1/settlements?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            page = json.load(answer)
        rows += page["settlements"]
        if page["next_cursor"] is None:
            return rows
        query["cursor"] = page["next_cursor"]


def settled_at_the_insurer(raw_log: Path) -> dict:
    found = {}
    for line in raw_log.read_text(encoding="utf-8").splitlines():
        exchange = json.loads(line, parse_float=Decimal)
        if exchange["infno"] in ("2207", "2304") and exchange["response"]["infcode"] == 0:
            setlinfo = exchange["response"]["output"]["setlinfo"]
            found[str(setlinfo["setl_id"])] = setlinfo
    return found


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
