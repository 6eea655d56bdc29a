"""Reads each line, a JSON string with a text in it, as a facilitator in Python does, and says what payment it is."""
import json
import sys


def facts(p):
    is_permit = p["payload"].get("permit2Authorization") is not None
    t = p["payload"]["permit2Authorization" if is_permit else "authorization"]
    terms = (
        [t["witness"]["to"], t["permitted"]["amount"], t["witness"]["validAfter"], t["deadline"]]
        if is_permit
        else [t["to"], t["value"], t["validAfter"], t["validBefore"]]
    )
    a = {"network": p["network"], "amount": "", "payTo": ""} if p["x402Version"] == 1 else p["accepted"]
    kind = "permit2" if is_permit else "eip3009"
    head = [str(p["x402Version"]), a["network"], a["amount"], a["payTo"], kind, t["from"]]
    return head + terms + [t["nonce"], p["payload"]["signature"]]


for line in sys.stdin:
    try:
        document = json.loads(json.loads(line))
        print(json.dumps(facts(document["paymentPayload"] if sys.argv[1] == "questions" else document)))
    except Exception:
        print("null")
