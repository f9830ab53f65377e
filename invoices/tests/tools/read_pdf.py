"""Reads PDF files given as arguments with PDFium: a JSON list, for each its title, its pages' text, and what the QR codes
on the pages, as they are drawn, say to ZXing."""

import json
import sys

import pypdfium2
import zxingcpp


def read(path):
    document = pypdfium2.PdfDocument(path)
    pages = []
    for page in document:
        # 144 dots an inch: what a screen shows to the camera of a telephone.
        picture = page.render(scale=2).to_pil()
        codes = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
        pages.append(
            {
                "text": page.get_textpage().get_text_range(),
                "codes": [bytes(code.bytes).decode() for code in codes],
                "size": [round(side) for side in page.get_size()],
            }
        )
    return {"title": document.get_metadata_value("Title"), "pages": pages}


print(json.dumps([read(path) for path in sys.argv[1:]]))
