"""A mail client that is not ours: sends with smtplib, reads with imaplib, opens the archive with zipfile.

Arguments: CA file, submission port, IMAP port (STARTTLS), IMAP port (TLS), password. What is expected comes as
JSON on the standard input. Prints `ok`.
"""
import email
import email.policy
import hashlib
import imaplib
import io
import json
import smtplib
import ssl
import sys
import zipfile
from email.message import EmailMessage

ca, submission, imap, imaps, password = sys.argv[1:6]
expected = json.load(sys.stdin)
context = ssl.create_default_context(cafile=ca)
SENDER, READER = "dr.paul.durand@medecin.mssante.test", "dr.marie.martin@medecin.mssante.test"

# What Socle sent, read over both ways to TLS.
with imaplib.IMAP4("localhost", int(imap)) as box:
    box.starttls(context)
    box.login(READER, password)
    assert box.select("INBOX") == ("OK", [b"1"]), box.select("INBOX")
    status, found = box.uid("SEARCH", None, "HEADER", "X-MSS-INS", "O")
    assert (status, found) == ("OK", [b"1"]), (status, found)
    status, data = box.uid("FETCH", "1", "(FLAGS BODY.PEEK[])")
    raw = data[0][1]
with imaplib.IMAP4_SSL("localhost", int(imaps), ssl_context=context) as box:
    box.login(READER, password)
    box.select("INBOX", readonly=True)
    assert box.fetch("1", "(RFC822)")[1][0][1] == raw
    status, data = box.fetch("1", "(BODYSTRUCTURE)")
    structure = b" ".join(part if isinstance(part, bytes) else b" ".join(part) for part in data)
    assert b'"APPLICATION" "ZIP"' in structure and b'"APPLICATION" "PDF"' in structure, structure

message = email.message_from_bytes(raw, policy=email.policy.default)
assert not message.defects, message.defects
assert message["Subject"] == expected["subject"], message["Subject"]
sender = message["From"].addresses[0]
assert (sender.display_name, sender.addr_spec) == (expected["label"], expected["from"]), sender
assert message["Message-ID"] == expected["message_id"]
assert (message["X-MSS-CODECDA"], message["X-MSS-INS"], message["X-MSS-NIL"]) == ("11488-4", "O", "SOCLE-JUMEAU")
assert message.get_content_type() == "multipart/mixed"
body = message.get_body(("plain",))
assert body["Content-Language"] == "fr"
text = body.get_content().replace("\r\n", "\n").rstrip("\n")
assert text == expected["body"], repr(text)
files = {part.get_filename(): part.get_content() for part in message.iter_attachments()}
assert list(files) == ["IHE_XDM.zip", expected["pdf_name"]], list(files)
assert files[expected["pdf_name"]].startswith(b"%PDF-1.4")
archive = zipfile.ZipFile(io.BytesIO(files["IHE_XDM.zip"]))
assert archive.testzip() is None
document = archive.read("IHE_XDM/SUBSET01/DOC00001.XML")
assert hashlib.sha256(document).hexdigest() == expected["document_sha256"]

# A mail written by Python: everything that its mail client would send.
answer = EmailMessage()
answer["From"], answer["To"], answer["Subject"] = SENDER, READER, "Réponse à « CR » 🩺"
answer["Message-ID"] = "<python.1@medecin.mssante.test>"
answer.set_content("Chère consœur,\n.\n..\nfin\n")
answer.add_attachment(b"PK\x00\xff", maintype="application", subtype="zip", filename="IHE_XDM.zip")
with smtplib.SMTP("localhost", int(submission)) as smtp:
    smtp.ehlo("lps.test")
    assert not smtp.has_extn("auth"), "nothing to log in with in clear"
    smtp.starttls(context=context)
    smtp.login(SENDER, password)
    assert smtp.has_extn("8bitmime") and smtp.has_extn("size") and smtp.has_extn("dsn")
    refused = smtp.send_message(
        answer,
        to_addrs=[READER, "nobody@medecin.mssante.test"],
        mail_options=["BODY=8BITMIME"],
        rcpt_options=["NOTIFY=SUCCESS"],
    )
    assert list(refused) == ["nobody@medecin.mssante.test"], refused
    assert refused["nobody@medecin.mssante.test"][0] == 550, refused
    try:
        smtp.sendmail(SENDER, ["x@example.com"], "Subject: x\r\n\r\nx")
        raise SystemExit("a domain of the internet was accepted")
    except smtplib.SMTPRecipientsRefused as error:
        assert error.recipients["x@example.com"] == (550, b"5.7.1 the domain is not in the liste blanche MSSante"), error

with imaplib.IMAP4_SSL("localhost", int(imaps), ssl_context=context) as box:
    box.login(READER, password)
    assert box.select("INBOX") == ("OK", [b"2"])
    stored = email.message_from_bytes(box.fetch("2", "(BODY[])")[1][0][1], policy=email.policy.default)
    assert stored["Subject"] == "Réponse à « CR » 🩺"
    assert stored["Return-Path"] == f"<{SENDER}>"
    text = stored.get_body().get_content().replace("\r\n", "\n")
    assert text == "Chère consœur,\n.\n..\nfin\n", repr(text)
    assert box.search(None, "UNSEEN") == ("OK", [b"1"]), "reading marked the second one"
    assert box.create("Dossiers")[0] == "OK"
    assert box.copy("2", "Dossiers")[0] == "OK"
    assert box.store("2", "+FLAGS", "\\Deleted")[0] == "OK"
    assert box.expunge() == ("OK", [b"2"])
    assert box.select("Dossiers") == ("OK", [b"1"])
    draft = EmailMessage()
    draft["Subject"] = "brouillon"
    draft.set_content("à finir\n")
    assert box.append("Drafts", "\\Draft", None, draft.as_bytes(policy=email.policy.SMTP))[0] == "OK"
    assert box.select("Drafts") == ("OK", [b"1"])
    capabilities = box.capability()[1][0].decode().split()
    assert {"IDLE", "UIDPLUS", "MOVE", "SPECIAL-USE", "NAMESPACE"} <= set(capabilities), capabilities
    special = b" ".join(box.list()[1])
    assert all(use in special for use in (b"\\Sent", b"\\Drafts", b"\\Trash", b"\\Archive", b"\\Junk")), special

# The report that was asked for is a delivery status for Python's parser too.
with imaplib.IMAP4_SSL("localhost", int(imaps), ssl_context=context) as box:
    box.login(SENDER, password)
    assert box.select("INBOX") == ("OK", [b"1"])
    report = email.message_from_bytes(box.fetch("1", "(BODY[])")[1][0][1], policy=email.policy.default)
    assert report.get_content_type() == "multipart/report" and not report.defects, report.defects
    status = next(part for part in report.walk() if part.get_content_type() == "message/delivery-status")
    fields = {name.lower(): value for block in status.get_payload() for name, value in block.items()}
    assert fields["action"] == "delivered" and fields["final-recipient"] == f"rfc822; {READER}", fields
print("ok")
