"""What our client sent for ITI-41, read by Python's MIME and XML parsers and by xmlsec1.

usage: provide.py FOLDER
"""

import base64
import email
import hashlib
import re
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree as ET

folder = sys.argv[1]


def read(name):
    with open(f"{folder}/{name}", "rb") as file:
        return file.read()


content_type = read("request.type").decode()
message = email.message_from_bytes(f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode() + read("request.bin"))
assert message.is_multipart() and message.get_content_type() == "multipart/related"
assert not message.defects, message.defects
parts = message.get_payload()
print(f"{len(parts)} parts:", "; ".join(part.get_content_type() for part in parts))

root_part = parts[0]
assert message.get_param("start") == root_part["Content-ID"]
assert message.get_param("type") == "application/xop+xml"
assert message.get_param("start-info") == "application/soap+xml"
assert message.get_param("action") == "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
assert root_part.get_param("type") == "application/soap+xml"
print("start names the root; action and start-info are there")

envelope = root_part.get_payload(decode=True)
root = ET.fromstring(envelope)
contents = {part["Content-ID"].strip("<>"): part.get_payload(decode=True) for part in parts[1:]}
XOP = "{http://www.w3.org/2004/08/xop/include}Include"
documents = {}
for node in root.iter("{urn:ihe:iti:xds-b:2007}Document"):
    assert len(node) == 1 and node[0].tag == XOP and not (node.text or "").strip() and not (node[0].tail or "").strip()
    cid = urllib.parse.unquote(node[0].get("href").removeprefix("cid:"))
    documents[node.get("id")] = contents.pop(cid)
assert not contents, "a part is not included"
RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"
entries = {node.get("id"): node for node in root.iter(f"{RIM}ExtrinsicObject")}
assert set(entries) == set(documents)
print("each Document includes one part, each part once")

signature_id = next(i for i, e in entries.items() if any(c.get("nodeRepresentation") == "E1762" for c in e))
document_id = next(i for i in entries if i != signature_id)
assert documents[document_id] == read("document.xml")
print("the document is byte-identical")

SOAP = "{http://www.w3.org/2003/05/soap-envelope}"
assert root.tag == f"{SOAP}Envelope"
action = root.find(f"{SOAP}Header/{{http://www.w3.org/2005/08/addressing}}Action")
assert action.get(f"{SOAP}mustUnderstand") in ("1", "true")
print("SOAP 1.2, action", action.text)

kinds = [node.get("associationType").split(":")[-1] for node in root.iter(f"{RIM}Association")]
packages = len(list(root.iter(f"{RIM}RegistryPackage")))
print(f"{packages} RegistryPackage, {len(entries)} ExtrinsicObject, {kinds.count('HasMember')} HasMember, {kinds.count('signs')} signs")


def identifier(node, name):
    for child in node.iter(f"{RIM}ExternalIdentifier"):
        if child.find(f"{RIM}Name/{RIM}LocalizedString").get("value").endswith(name):
            return child.get("value")
    raise AssertionError(name)


DS = "{http://www.w3.org/2000/09/xmldsig#}"
lot = ET.fromstring(documents[signature_id])
manifest = lot.find(f".//{DS}Manifest")
assert manifest.get("Id") == "IHEManifest"
named = {r.get("URI"): r.find(f"{DS}DigestValue").text for r in manifest.iter(f"{DS}Reference")}
set_id = identifier(next(root.iter(f"{RIM}RegistryPackage")), "uniqueId")
unique_id = identifier(entries[document_id], "uniqueId")
assert set(named) == {f"urn:oid:{set_id}", f"urn:oid:{unique_id}"}, named
assert named[f"urn:oid:{set_id}"] == "AA=="
# The manifest asks for Canonical XML 1.0 with comments; Python's own is 2.0, so xmllint does it.
with open(f"{folder}/canonical.xml", "wb") as out:
    subprocess.run(["xmllint", "--c14n", f"{folder}/document.xml"], stdout=out, check=True)
digest = base64.b64encode(hashlib.sha256(read("canonical.xml")).digest()).decode()
assert named[f"urn:oid:{unique_id}"] == digest
print("the manifest names the lot and the document, and its digest is right")

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
assertion = root.find(f".//{SAML}Assertion")
values = {a.get("Name"): a.find(f"{SAML}AttributeValue") for a in assertion.iter(f"{SAML}Attribute")}
patient = values["urn:oasis:names:tc:xacml:2.0:resource:resource-id"].text
assert all(identifier(e, "patientId") == patient for e in entries.values())
role = values["urn:oasis:names:tc:xacml:2.0:subject:role"][0].get("code")
print(f"VIHF: {values['Authentification_mode'].text}, {role}, the patient of the entries")


def verifies(name, content, ids):
    with open(f"{folder}/{name}", "wb") as file:
        file.write(content)
    command = ["xmlsec1", "--verify", "--enabled-reference-uris", "empty,same-doc", "--ignore-manifests",
               "--trusted-pem", f"{folder}/root.pem", "--untrusted-pem", f"{folder}/intermediate.pem"]
    for attribute, element in ids:
        command += [f"--id-attr:{attribute}", element]
    done = subprocess.run(command + [f"{folder}/{name}"], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr


def both(what, content, ids, before, after):
    good, said = verifies("good.xml", content, ids)
    assert good, said
    assert before in content
    bad, _ = verifies("bad.xml", content.replace(before, after), ids)
    assert not bad
    print(f"xmlsec1: the {what} verifies, a changed one does not")


raw = re.search(rb"<saml2:Assertion.*</saml2:Assertion>", envelope, re.S).group(0)
both("assertion", raw, [("ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion")], b">INDIRECTE<", b">DIRECTE<")
ids = [("Id", "http://www.w3.org/2000/09/xmldsig#:Manifest"), ("Id", "http://uri.etsi.org/01903/v1.1.1#:SignedProperties")]
both("lot", documents[signature_id], ids, b"AA==", b"AB==")
