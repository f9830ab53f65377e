"""Verifies every DKIM signature of a message with dkimpy, another program than the one that signed.

usage: verify_dkim.py MESSAGE NAME=RECORD…; prints a line for each signature: "valid" or "wrong".
"""
import sys

import dkim

with open(sys.argv[1], "rb") as file:
    message = file.read()
records = dict(argument.split("=", 1) for argument in sys.argv[2:])


def published(name, timeout=5):
    return records.get(name.decode().rstrip("."), "").encode()


count = message.split(b"\r\n\r\n", 1)[0].lower().count(b"dkim-signature:")
for number in range(count):
    try:
        valid = dkim.DKIM(message).verify(idx=number, dnsfunc=published)
    except dkim.DKIMException as error:
        print("wrong", error)
        continue
    print("valid" if valid else "wrong")
