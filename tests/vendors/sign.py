"""Signs a body with a vendor's own library; prints headers and body as JSON.

usage: sign.py VENDOR SECRET BODY
"""
import datetime
import importlib.util
import json
import sys
import time
from importlib import metadata

vendor, secret, body = sys.argv[1:]
headers = [["Content-Type", "application/json"]]

if vendor == "mollie":
    # Loaded from its file: another package on PyPI owns the same top-level name.
    path = metadata.distribution("mollie-api-py").locate_file("mollie/utils/webhooks/signature_validator.py")
    spec = importlib.util.spec_from_file_location("signature_validator", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    headers.append(["X-Mollie-Signature", "sha256=" + module.SignatureValidator.create_signature(body, secret)])
elif vendor == "stripe":
    import stripe

    headers.append(["Stripe-Signature", stripe.WebhookSignature.generate_signature_header(body, secret, int(time.time()))])
elif vendor == "adyen":
    import Adyen

    notification = json.loads(body)
    for entry in notification["notificationItems"]:
        item = entry["NotificationRequestItem"]
        signature = Adyen.util.generate_notification_sig(item, secret)
        text = signature.decode() if isinstance(signature, bytes) else signature
        item.setdefault("additionalData", {})["hmacSignature"] = text
    body = json.dumps(notification)
elif vendor == "standard_webhooks":
    from standardwebhooks import Webhook

    now = datetime.datetime.now(datetime.timezone.utc)
    headers += [
        ["webhook-id", "msg_vendor"],
        ["webhook-timestamp", str(int(now.timestamp()))],
        ["webhook-signature", Webhook(secret).sign("msg_vendor", now, body)],
    ]
else:
    sys.exit(f"unknown vendor {vendor}")

json.dump({"headers": headers, "body": body}, sys.stdout)
