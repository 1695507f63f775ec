"""Another SOAP stack (zeep) reads the twin's WSDL and calls the operation it finds there.

Arguments: URL, authorities (PEM), certificate (PEM), key (PEM). Exit 0 when every answer is right.
"""

import datetime
import sys
import uuid

import requests
import zeep
from zeep.transports import Transport
from zeep.wsa import WsAddressingPlugin

URL, CA, CERT, KEY = sys.argv[1:5]

session = requests.Session()
# Else REQUESTS_CA_BUNDLE of the environment would win over the twins' authorities.
session.trust_env = False
session.verify, session.cert = CA, (CERT, KEY)
client = zeep.Client(f"{URL}?wsdl", transport=Transport(session=session), plugins=[WsAddressingPlugin()])
service = client.bind("ICIR-v1", "ICIRService")
bam = client.get_element("{urn:siram:bam:ctxbam}ContexteBAM")
lps = client.get_element("{urn:siram:lps:ctxlps}ContexteLPS")


def search(idam="SOCLE-JUMEAU-0001", **traits):
    now = datetime.datetime.now(datetime.timezone.utc)
    software = {"IDAM": {"_value_1": idam, "R": "4"}, "Version": "1", "Instance": str(uuid.uuid4()), "Nom": "zeep"}
    headers = [
        bam(Id=str(uuid.uuid4()), Temps=now, Emetteur="10B0000001", COUVERTURE={}, Version="01_02"),
        lps(Id=str(uuid.uuid4()), Temps=now, Emetteur="10B0000001", LPS=software, Nature="CTXLPS", Version="01_00"),
    ]
    return service.rechercherInsAvecTraitsIdentite(_soapheaders=headers, **traits)


DOMINIQUE = {"NomNaissance": "PAT-TROIS", "Prenom": ["DOMINIQUE"], "Sexe": "F", "DateNaissance": "1979-03-28"}

found = search(**DOMINIQUE)
assert found.CR.CodeCR == "00" and found.CR.LibelleCR == "OK", found
assert found.INDIVIDU.INSACTIF.IdIndividu.NumIdentifiant == "2790351215189", found
assert found.INDIVIDU.TIQ.ListePrenom == "DOMINIQUE MARIE-LOUISE", found

nobody = search(**{**DOMINIQUE, "Sexe": "M"})
assert nobody.CR.CodeCR == "01" and nobody.INDIVIDU is None, nobody

for wrong, subcode, code in [
    ({"idam": "INCONNU"}, "siram_100", "desir_550"),
    ({"NomNaissance": None}, "siram_10", "insi_19"),
]:
    try:
        search(**{**DOMINIQUE, **wrong})
    except zeep.exceptions.Fault as fault:
        assert "Sender" in fault.code and fault.subcodes[0].localname == subcode, (fault.code, fault.subcodes)
        error = fault.detail.find("{urn:siram}Erreur")
        assert error.get("code") == code and error.get("messageID"), error
    else:
        raise AssertionError(f"{wrong} was answered")

print("zeep: every answer is right")
