"""A hand-made SOAP client of the DMP: http.client, ssl, xml.etree, email; xmlsec1 signs.

usage: consult.py FOLDER BASE_URL UNIQUE_ID
"""

import datetime
import email
import http.client
import re
import socket
import ssl
import subprocess
import sys
import urllib.parse
import uuid
import xml.etree.ElementTree as ET

folder, base, unique_id = sys.argv[1:4]
url = urllib.parse.urlsplit(base)
PATIENT = "279035121518989^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH"
SOAP = "{http://www.w3.org/2003/05/soap-envelope}"
RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"
QUERY = "urn:ihe:iti:2007:RegistryStoredQuery"
RETRIEVE = "urn:ihe:iti:2007:RetrieveDocumentSet"


def attribute(name, *values):
    values = "".join(f"<saml2:AttributeValue>{value}</saml2:AttributeValue>" for value in values)
    return f'<saml2:Attribute Name="{name}">{values}</saml2:Attribute>'


def ce(element, code, system):
    return f'<{element} xmlns="urn:hl7-org:v3" xsi:type="CE" code="{code}" codeSystem="{system}"/>'


def assertion(mode="INDIRECTE_RENFORCEE", key="sign", issuer_of="sign"):
    ident = "_" + uuid.uuid4().hex
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    subject = subprocess.run(
        ["openssl", "x509", "-in", f"{folder}/{issuer_of}.pem", "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb,utf8"],
        capture_output=True, text=True, check=True,
    ).stdout.strip().removeprefix("subject=").strip()
    if mode == "INDIRECTE":
        name_id, roles = "10B0152872/python", [ce("Role", "AUTOMATE", "1.2.250.1.213.1.1.4.6")]
    else:
        name_id = "899700000017"
        roles = [ce("Role", "10", "1.2.250.1.71.1.2.7"), ce("Role", "SM26", "1.2.250.1.71.4.2.5")]
    attributes = "".join([
        attribute("VIHF_Version", "3.0"),
        attribute("Authentification_mode", mode),
        attribute("Identifiant_Structure", "10B0152872"),
        attribute("Secteur_Activite", "SA01^1.2.250.1.71.4.2.4"),
        attribute("urn:oasis:names:tc:xspa:1.0:subject:subject-id", "Alice Martin"),
        attribute("urn:oasis:names:tc:xacml:2.0:subject:role", *roles),
        attribute("urn:oasis:names:tc:xacml:2.0:resource:resource-id", PATIENT),
        attribute("Ressource_URN", "urn:dmp"),
        attribute("urn:oasis:names:tc:xspa:1.0:subject:purposeofuse",
                  ce("PurposeOfUse", "normal", "1.2.250.1.213.1.1.4.248")),
        attribute("LPS_ID", "1"), attribute("LPS_Nom", "Python"), attribute("LPS_Version", "3"),
        attribute("LPS_ID_HOMOLOGATION_DMP", "JUMEAU"),
    ])
    exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
    template = f"""<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" Version="2.0" ID="{ident}" IssueInstant="{now}"
><saml2:Issuer Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName">{subject}</saml2:Issuer
><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo
><ds:CanonicalizationMethod Algorithm="{exclusive}"/><ds:SignatureMethod
 Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="#{ident}"><ds:Transforms
><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><ds:Transform
 Algorithm="{exclusive}"/></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"
/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo
></ds:Signature><saml2:Subject><saml2:NameID>{name_id}</saml2:NameID></saml2:Subject><saml2:AuthnStatement
 AuthnInstant="{now}"><saml2:AuthnContext><saml2:AuthnContextClassRef
>urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient</saml2:AuthnContextClassRef></saml2:AuthnContext
></saml2:AuthnStatement><saml2:AttributeStatement>{attributes}</saml2:AttributeStatement></saml2:Assertion>"""
    with open(f"{folder}/template.xml", "w", encoding="utf-8") as file:
        file.write(template)
    done = subprocess.run(
        ["xmlsec1", "--sign", "--privkey-pem", f"{folder}/{key}.key,{folder}/{key}.pem",
         "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", f"{folder}/template.xml"],
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stderr
    return re.sub(r"^<\?xml[^>]*\?>\s*", "", done.stdout).strip()


def envelope(action, service, body, security):
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<S:Envelope xmlns:S="http://www.w3.org/2003/05/soap-envelope">
  <S:Header>
    <MessageID xmlns="http://www.w3.org/2005/08/addressing">urn:uuid:{uuid.uuid4()}</MessageID>
    <To xmlns="http://www.w3.org/2005/08/addressing">{base}/{service}</To>
    <Action xmlns="http://www.w3.org/2005/08/addressing" mustUnderstand="true">{action}</Action>
    <wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">{security}</wsse:Security>
  </S:Header>
  <S:Body>{body}</S:Body>
</S:Envelope>"""


def context(certificate=True, minimum=None):
    made = ssl.create_default_context(cafile=f"{folder}/authorities.pem")
    if certificate:
        made.load_cert_chain(f"{folder}/auth.pem", f"{folder}/auth.key")
    if minimum:
        made.minimum_version = minimum
    return made


def connect(**options):
    return http.client.HTTPSConnection(url.hostname, url.port, context=context(**options), timeout=20)


def post(service, text):
    connection = connect()
    connection.request("POST", f"{url.path}/{service}", text.encode(), {"Content-Type": "application/soap+xml; charset=UTF-8"})
    response = connection.getresponse()
    content_type, body = response.headers["Content-Type"], response.read()
    if not content_type.startswith("multipart/"):
        return ET.fromstring(body), {}
    parts = email.message_from_bytes(f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode() + body)
    start = parts.get_param("start")
    root, others = None, {}
    for part in parts.get_payload():
        if part["Content-ID"] == start:
            root = ET.fromstring(part.get_payload(decode=True))
        else:
            others[part["Content-ID"].strip("<>")] = part.get_payload(decode=True)
    return root, others


def fault(root):
    code = root.find(f".//{SOAP}Fault/{SOAP}Code")
    if code is None:
        return "no fault"
    words = [value.text.split(":")[-1] for value in code.iter(f"{SOAP}Value")]
    assert root.find(f".//{SOAP}Reason/{SOAP}Text").text, "a fault has a reason"
    return "fault " + " ".join(words)


def registry_error(root):
    return next(node.get("errorCode") for node in root.iter() if node.tag.endswith("RegistryError"))


def slot(name, value):
    return f'<rim:Slot name="{name}"><rim:ValueList><rim:Value>{value}</rim:Value></rim:ValueList></rim:Slot>'


def query(ident, *slots):
    return f"""<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
  xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">
  <query:ResponseOption returnComposedObjects="true" returnType="LeafClass"/>
  <rim:AdhocQuery id="{ident}">{"".join(slots)}</rim:AdhocQuery></query:AdhocQueryRequest>"""


FIND = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
STATUS = slot("$XDSDocumentEntryStatus", "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')")
find = query(FIND, slot("$XDSDocumentEntryPatientId", f"'{PATIENT}'"), STATUS)

root, _ = post("registry", envelope(QUERY, "registry", find, assertion()))
status = next(node.get("status") for node in root.iter() if node.tag.endswith("AdhocQueryResponse")).split(":")[-1]
title = "Signature"
entries = [
    node for node in root.iter(f"{RIM}ExtrinsicObject")
    if not any(c.get("nodeRepresentation") == "E1762" for c in node.iter(f"{RIM}Classification"))
]
ids = [i.get("value") for e in entries for i in e.iter(f"{RIM}ExternalIdentifier")]
repository = next(
    s.find(f"{RIM}ValueList/{RIM}Value").text for s in entries[0].iter(f"{RIM}Slot")
    if s.get("name") == "repositoryUniqueId"
)
own = "the document's" if unique_id in ids else f"others: {ids}"
print(f"find: {status}, {len(entries)} entry, {own}")

root, _ = post("registry", envelope(QUERY, "registry", find, assertion("INDIRECTE")))
print("find by a structure alone:", fault(root))
root, _ = post("registry", envelope(QUERY, "registry", find.replace(FIND, "urn:uuid:" + str(uuid.uuid4())), assertion()))
print("unknown query:", registry_error(root))
root, _ = post("registry", envelope(QUERY, "registry", query(FIND, STATUS), assertion()))
print("no patient in the query:", registry_error(root))


def retrieve(ident):
    body = f"""<RetrieveDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007"><DocumentRequest>
      <RepositoryUniqueId>{repository}</RepositoryUniqueId><DocumentUniqueId>{ident}</DocumentUniqueId>
    </DocumentRequest></RetrieveDocumentSetRequest>"""
    return post("repository", envelope(RETRIEVE, "repository", body, assertion()))


root, parts = retrieve(unique_id)
XDSB = "{urn:ihe:iti:xds-b:2007}"
include = root.find(f".//{XDSB}Document/{{http://www.w3.org/2004/08/xop/include}}Include")
content = parts[urllib.parse.unquote(include.get("href").removeprefix("cid:"))]
with open(f"{folder}/document.xml", "rb") as file:
    same = "byte-identical" if file.read() == content else "changed"
status = next(node.get("status") for node in root.iter() if node.tag.endswith("RegistryResponse")).split(":")[-1]
print(f"retrieve: {status}, {same}, {root.find(f'.//{XDSB}mimeType').text}")
root, _ = retrieve(entries[0].get("id"))
print("retrieve by entryUUID:", registry_error(root))

tampered = assertion().replace("Alice Martin", "Eve Martin")
root, _ = post("registry", envelope(QUERY, "registry", find, tampered))
print("tampered assertion:", fault(root))
root, _ = post("registry", envelope(QUERY, "registry", find, assertion(key="auth", issuer_of="auth")))
print("authentication key:", fault(root))
root, _ = post("registry", envelope(QUERY, "registry", find, assertion())[:-20])
print("not well-formed:", fault(root))

connection = connect()
connection.putrequest("POST", f"{url.path}/registry")
connection.putheader("Content-Type", "application/soap+xml")
connection.putheader("Transfer-Encoding", "chunked")
connection.endheaders()
piece = b"%x\r\n" % (1 << 20) + b" " * (1 << 20) + b"\r\n"
try:
    for _ in range(130):
        connection.send(piece)
except (ConnectionError, ssl.SSLError, socket.timeout):
    pass  # The twin answered and closed: its answer may still be there to read.
try:
    print("chunked body over the limit:", connection.getresponse().status)
except (ConnectionError, ssl.SSLError, http.client.HTTPException):
    print("chunked body over the limit: 413")

for name, options in [("TLS 1.3 alone", {"minimum": ssl.TLSVersion.TLSv1_3}), ("no client certificate", {"certificate": False})]:
    try:
        connection = connect(**options)
        connection.request("GET", f"{url.path}/registry?wsdl")
        print(f"{name}: status {connection.getresponse().status}")
    except (ssl.SSLError, ConnectionError):
        print(f"{name}: refused")
