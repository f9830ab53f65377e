"""Draws SVG with resvg and scans it with ZXing: a JSON list of pictures on standard input, a JSON list of what their QR
codes say on standard output. They are drawn on black, as on a page in dark colours."""

import io
import json
import sys

import resvg_py
import zxingcpp
from PIL import Image


def scan(svg):
    picture = resvg_py.svg_to_bytes(svg_string=svg, width=240, background="black")
    codes = zxingcpp.read_barcodes(Image.open(io.BytesIO(bytes(picture))), formats=zxingcpp.BarcodeFormat.QRCode)
    return [{"text": bytes(code.bytes).decode(), "correction": code.ec_level} for code in codes]


print(json.dumps([scan(svg) for svg in json.load(sys.stdin)]))
