"""A SOAP message written by hand, sent by Python's own http.client and ssl: no code of ours on this side.

Arguments: URL, authorities (PEM), certificate (PEM), key (PEM). Exit 0 when every answer is right.
"""

import http.client
import ssl
import sys
import urllib.parse
import uuid
import xml.etree.ElementTree as ET

URL, CA, CERT, KEY = sys.argv[1:5]
ACTION = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite"
ENV = "{http://www.w3.org/2003/05/soap-envelope}"
RES = "{http://www.cnamts.fr/INSiResultat}"
SIRAM = "{urn:siram}"

CONTEXT = ssl.create_default_context(cafile=CA)
CONTEXT.load_cert_chain(CERT, KEY)


def envelope(traits, idam="SOCLE-JUMEAU-0001", message_id=None):
    message_id = message_id or "uuid:%s" % uuid.uuid4()
    return f"""<?xml version='1.0' encoding='utf-8'?>
<env:Envelope xmlns:env='http://www.w3.org/2003/05/soap-envelope' xmlns:wsa='http://www.w3.org/2005/08/addressing'>
 <env:Header>
  <ContexteBAM xmlns='urn:siram:bam:ctxbam' Version='01_02'><Id>{uuid.uuid4()}</Id>
   <Temps>2026-11-24T10:00:00.000Z</Temps><Emetteur>10B0000001</Emetteur><COUVERTURE/></ContexteBAM>
  <l:ContexteLPS xmlns:l='urn:siram:lps:ctxlps' Nature='CTXLPS' Version='01_00'><l:Id>{uuid.uuid4()}</l:Id>
   <l:Temps>2026-11-24T10:00:00+00:00</l:Temps><l:Emetteur>10B0000001</l:Emetteur><l:LPS><l:IDAM R='4'>{idam}</l:IDAM>
   <l:Version>1</l:Version><l:Instance>{uuid.uuid4()}</l:Instance><l:Nom>peer</l:Nom></l:LPS></l:ContexteLPS>
  <wsa:Action>{ACTION}</wsa:Action><wsa:MessageID>{message_id}</wsa:MessageID>
 </env:Header>
 <env:Body Id='_0'><RECSANSVITALE xmlns='http://www.cnamts.fr/INSiRecSans'>{traits}</RECSANSVITALE></env:Body>
</env:Envelope>"""


def call(body, media="application/soap+xml; charset=utf-8"):
    url = urllib.parse.urlsplit(URL)
    connection = http.client.HTTPSConnection(url.hostname, url.port, context=CONTEXT, timeout=20)
    connection.request("POST", url.path, body.encode(), {"Content-Type": f'{media}; action="{ACTION}"'})
    response = connection.getresponse()
    root = ET.fromstring(response.read())
    connection.close()
    return response.status, response.getheader("Content-Type"), root


def traits(name, given, sex, date):
    given = "".join(f"<Prenom>{one}</Prenom>" for one in given)
    return f"<NomNaissance>{name}</NomNaissance>{given}<Sexe>{sex}</Sexe><DateNaissance>{date}</DateNaissance>"


def answers():
    for asked, code in [
        (traits("PAT-TROIS", ["DOMINIQUE"], "F", "1979-03-28"), "00"),
        (traits("PAT-TROIS", ["DOMINIQUE", "MARIE-LOUISE"], "F", "1979-03-28"), "00"),
        (traits("HOUILLES", ["PIERRE"], "M", "1993-01-27"), "01"),
        (traits("HOMONYME", ["CAMILLE"], "F", "1985-05-05"), "02"),
    ]:
        status, media, root = call(envelope(asked))
        assert status == 200, (status, code)
        assert media.startswith("application/soap+xml"), media
        got = root.find(f"{ENV}Body/{RES}RESULTAT/{RES}CR/{RES}CodeCR")
        assert got is not None and got.text == code, (ET.tostring(root), code)
        individual = root.find(f"{ENV}Body/{RES}RESULTAT/{RES}INDIVIDU")
        assert (individual is not None) == (code == "00"), code
    person = call(envelope(traits("ADRUN", ["ZOE"], "F", "1975-12-31")))[2]
    active = person.find(f".//{RES}INSACTIF")
    number, key = active.find(f"{RES}IdIndividu/{RES}NumIdentifiant").text, active.find(f"{RES}IdIndividu/{RES}Cle").text
    assert number + key == "275126322074974" and int(key) == 97 - int(number) % 97
    assert active.find(f"{RES}OID").text == "1.2.250.1.213.1.4.8"


def faults():
    good = traits("PAT-TROIS", ["DOMINIQUE"], "F", "1979-03-28")
    message_id = "uuid:b3549edd-4ae9-472a-b26f-fd2fb4ef397f"
    for body, value, subcode, code in [
        (envelope(good, idam="INCONNU", message_id=message_id), "Sender", "siram_100", "desir_550"),
        (envelope(good.replace("PAT-TROIS", ""), message_id=message_id), "Sender", "siram_10", "insi_19"),
        (
            envelope(traits("PANNE-SERVICE", ["ANNE"], "F", "1990-09-09"), message_id=message_id),
            "Receiver",
            "siram_40",
            "insi_111",
        ),
    ]:
        status, media, root = call(body)
        assert status == 500, status
        assert media.startswith("application/soap+xml"), media
        fault = root.find(f"{ENV}Body/{ENV}Fault")
        assert fault.find(f"{ENV}Code/{ENV}Value").text.split(":")[1] == value
        assert fault.find(f"{ENV}Code/{ENV}Subcode/{ENV}Value").text.split(":")[1] == subcode
        reason = fault.find(f"{ENV}Reason/{ENV}Text")
        assert reason.text and reason.get("{http://www.w3.org/XML/1998/namespace}lang") == "fr"
        error = fault.find(f"{ENV}Detail/{SIRAM}Erreur")
        assert error.get("code") == code and error.get("severite") == "erreur" and error.text, ET.tostring(fault)
        assert error.get("messageID") == message_id
    old = envelope(good).replace("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/")
    status, media, root = call(old, media="text/xml")
    assert status == 500 and media.startswith("text/xml"), (status, media)
    assert root.find(".//faultcode").text.endswith(":VersionMismatch")


answers()
faults()
print("by hand: every answer is right")
