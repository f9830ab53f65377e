"""An SMTP server on a free port of this machine that keeps each message as a file.

usage: smtp_server.py FOLDER [CERTIFICATE KEY]; prints its port on the first line. With a certificate it takes nothing
before STARTTLS. Whom the messages were from, on the envelope, stands in a file beside each. Addresses in FOLDER/refused
are refused for good, those in FOLDER/delayed for now.
"""
import asyncio
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP

folder = sys.argv[1]
count = 0


def listed(name, address):
    try:
        with open(os.path.join(folder, name)) as file:
            return address in file.read().split()
    except FileNotFoundError:
        return False


class Keep:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if listed("refused", address):
            return f"550 5.1.1 <{address}> no such user here"
        if listed("delayed", address):
            return f"451 4.7.1 <{address}> come back later"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        global count
        count += 1
        with open(os.path.join(folder, f"{count:06}.from"), "w") as file:
            file.write(envelope.mail_from)
        aside = os.path.join(folder, f".{count:06}.part")
        with open(aside, "wb") as file:
            file.write(envelope.content)
        os.rename(aside, os.path.join(folder, f"{count:06}.eml"))
        return "250 kept"


async def main():
    loop = asyncio.get_running_loop()
    tls = None
    if len(sys.argv) > 3:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(sys.argv[2], sys.argv[3])
    made = lambda: SMTP(Keep(), enable_SMTPUTF8=True, tls_context=tls, require_starttls=tls is not None)
    server = await loop.create_server(made, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
