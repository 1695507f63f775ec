"""Reads a mailbox over IMAP and TLS with the standard library alone, and prints one JSON line per mail
that carries an IHE_XDM.zip: its Message-ID and the SHA-256 of every file of the archive.

Usage: read_mailbox.py PORT ADDRESS PASSWORD AUTHORITIES.pem
"""

import email
import hashlib
import imaplib
import io
import json
import ssl
import sys
import zipfile


def archive_of(message):
    for part in message.walk():
        if (part.get_filename() or "").upper() == "IHE_XDM.ZIP":
            return part.get_payload(decode=True)
    return None


def main():
    port, address, password, authorities = sys.argv[1:]
    context = ssl.create_default_context(cafile=authorities)
    with imaplib.IMAP4_SSL("localhost", int(port), ssl_context=context) as box:
        box.login(address, password)
        status, _ = box.select("INBOX", readonly=True)
        assert status == "OK", status
        status, [numbers] = box.search(None, "ALL")
        assert status == "OK", status
        for number in numbers.split():
            status, data = box.fetch(number, "(BODY.PEEK[])")
            assert status == "OK", status
            message = email.message_from_bytes(data[0][1])
            archive = archive_of(message)
            if archive is None:
                continue
            with zipfile.ZipFile(io.BytesIO(archive)) as files:
                assert files.testzip() is None
                digests = [hashlib.sha256(files.read(name)).hexdigest() for name in files.namelist()]
            line = {
                "message_id": message["Message-ID"].strip(),
                "carries_ins": (message["X-MSS-INS"] or "").strip(),
                "digests": digests,
            }
            print(json.dumps(line))


main()
