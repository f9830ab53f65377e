"""Holds events to what the API's description says of them: check_events.py DESCRIPTION < events, one a line."""

import json
import sys

from jsonschema import Draft202012Validator, FormatChecker

with open(sys.argv[1]) as file:
    document = json.load(file)

seen = set()
for line in sys.stdin:
    event = json.loads(line)
    kind = event["type"]
    body = document["webhooks"][kind]["post"]["requestBody"]["content"]["application/json"]
    for told in (event, body["example"]):
        # The schemas refer to components by their place in the document.
        schema = {**body["schema"], "components": document["components"]}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(told)
        data = document["components"]["schemas"]["EventData"]
        documents = {"invoice", "credit_note"}
        assert set(told["data"]) - documents == set(data["properties"]) - documents, f"{kind}: {sorted(told['data'])}"
        assert ("invoice" in told["data"]) == (kind == "activation.invoiced"), kind
        assert set(told) == set(body["schema"]["properties"]), f"{kind}: {sorted(told)}"
    seen.add(kind)
print("\n".join(sorted(seen)))
