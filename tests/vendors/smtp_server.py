"""An SMTP server on a free port of this machine that keeps each message as a file.

usage: smtp_server.py FOLDER; prints its port on the first line.
"""
import asyncio
import os
import sys

from aiosmtpd.smtp import SMTP

folder = sys.argv[1]
count = 0


class Keep:
    async def handle_DATA(self, server, session, envelope):
        global count
        count += 1
        aside = os.path.join(folder, f".{count:06}.part")
        with open(aside, "wb") as file:
            file.write(envelope.content)
        os.rename(aside, os.path.join(folder, f"{count:06}.eml"))
        return "250 kept"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Keep(), enable_SMTPUTF8=True), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
