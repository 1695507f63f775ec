//! The twin's IMAP as mail clients use it, command by command.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and says aloud what it skips"
)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use socle_mss::wire::sasl::{self, AccessToken};
use support::imap::Imap;
use support::*;

const MAIL: &str = "Subject: essai\r\nFrom: a@b.test\r\n\r\ncorps\r\n";

async fn append(imap: &mut Imap, folder: &str, mail: &str) -> String {
    imap.ok(&format!("APPEND {folder} (\\Seen) \"21-Nov-2026 08:00:00 +0100\" {{{}+}}\r\n{mail}", mail.len())).await
}

#[test]
fn folders_are_those_of_rfc_6154_and_of_the_client() {
    run(async {
        let mut twin = Twin::start().await;
        let mut imap = Imap::login(twin.running(), MARIE).await;
        let list = imap.ok("LIST \"\" \"*\"").await;
        for line in [
            "* LIST (\\HasNoChildren) \"/\" \"INBOX\"",
            "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"",
            "* LIST (\\HasNoChildren \\Drafts) \"/\" \"Drafts\"",
            "* LIST (\\HasNoChildren \\Trash) \"/\" \"Trash\"",
            "* LIST (\\HasNoChildren \\Archive) \"/\" \"Archive\"",
            "* LIST (\\HasNoChildren \\Junk) \"/\" \"Junk\"",
        ] {
            assert!(list.contains(line), "{line}\n{list}");
        }
        assert!(imap.ok("LIST \"\" \"\"").await.contains("* LIST (\\Noselect) \"/\" \"\""));
        imap.ok("CREATE \"Patients/A&AOk-/2026\"").await;
        let list = imap.ok("LIST \"Patients/\" \"%\"").await;
        assert!(list.contains("(\\HasChildren) \"/\" \"Patients/A&AOk-\"") && !list.contains("2026"), "{list}");
        imap.ok("RENAME Patients Dossiers").await;
        assert!(imap.ok("LIST \"\" \"*2026\"").await.contains("\"Dossiers/A&AOk-/2026\""));
        imap.ok("UNSUBSCRIBE Dossiers").await;
        let lsub = imap.ok("LSUB \"\" \"*\"").await;
        assert!(!lsub.contains("\"Dossiers\"\r\n") && lsub.contains("Dossiers/A&AOk-"), "{lsub}");
        imap.ok("SUBSCRIBE Dossiers").await;
        append(&mut imap, "Dossiers", MAIL).await;
        let status = imap.ok("STATUS Dossiers (MESSAGES UNSEEN UIDNEXT RECENT)").await;
        assert!(status.contains("* STATUS \"Dossiers\" (MESSAGES 1 UNSEEN 0 UIDNEXT 2 RECENT 1)"), "{status}");
        for (command, code) in [
            ("CREATE inbox", "NO [ALREADYEXISTS]"),
            ("CREATE Dossiers", "NO [ALREADYEXISTS]"),
            ("CREATE \"a//b\"", "NO [CANNOT]"),
            ("CREATE \"a*\"", "NO [CANNOT]"),
            ("DELETE INBOX", "NO [CANNOT]"),
            ("DELETE Sent", "NO [CANNOT]"),
            ("DELETE Dossiers", "NO [CANNOT]"),
            ("DELETE Nothing", "NO [NONEXISTENT]"),
            ("RENAME Nothing X", "NO [NONEXISTENT]"),
            ("RENAME Dossiers Sent", "NO [ALREADYEXISTS]"),
            ("RENAME Dossiers Dossiers/Sous", "NO [CANNOT]"),
            ("SELECT Nothing", "NO [NONEXISTENT]"),
            ("STATUS Nothing (MESSAGES)", "NO [NONEXISTENT]"),
            ("SUBSCRIBE Nothing", "NO [NONEXISTENT]"),
        ] {
            let (_, answer) = imap.command(command).await;
            assert!(answer.contains(code), "{command}: {answer}");
        }
        imap.ok("DELETE \"Dossiers/A&AOk-/2026\"").await;
        imap.ok("DELETE \"Dossiers/A&AOk-\"").await;
        imap.ok("DELETE Dossiers").await;

        append(&mut imap, "INBOX", MAIL).await;
        imap.ok("RENAME INBOX Ancien").await;
        assert_eq!(imap.select("INBOX").await.exists, 0, "INBOX stays, empty");
        assert_eq!(imap.select("Ancien").await.exists, 1);
        twin.stop().await;
    });
}

#[test]
fn messages_are_fetched_marked_copied_moved_and_removed() {
    run(async {
        let mut twin = Twin::start().await;
        let mut imap = Imap::login(twin.running(), MARIE).await;
        let appended = append(&mut imap, "INBOX", MAIL).await;
        assert!(appended.contains("[APPENDUID "), "{appended}");
        for _ in 0..4 {
            append(&mut imap, "INBOX", MAIL).await;
        }
        let inbox = imap.select("INBOX").await;
        assert_eq!((inbox.exists, inbox.uid_next), (5, 6));
        let fetched = imap.ok("FETCH 1 (FLAGS UID INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE)").await;
        for item in [
            "UID 1",
            "INTERNALDATE \"21-Nov-2026 07:00:00 +0000\"",
            &format!("RFC822.SIZE {}", MAIL.len()),
            "ENVELOPE (NIL \"essai\" ((NIL NIL \"a\" \"b.test\"))",
            "BODY (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 7 1)",
            "FLAGS (\\Seen \\Recent)",
        ] {
            assert!(fetched.contains(item), "{item}\n{fetched}");
        }
        assert!(imap.ok("FETCH 1 FAST").await.contains("RFC822.SIZE"));
        assert!(imap.ok("FETCH 2 (RFC822.HEADER RFC822.TEXT)").await.contains("RFC822.TEXT {7}\r\ncorps\r\n"));

        // \Seen comes with reading, not with peeking.
        imap.ok("STORE 1:2 -FLAGS.SILENT (\\Seen)").await;
        assert!(!imap.ok("FETCH 1 BODY.PEEK[]").await.contains("FLAGS"));
        let read = imap.ok("FETCH 1 BODY[TEXT]<0.5>").await;
        assert!(read.contains("BODY[TEXT]<0> {5}\r\ncorps") && read.contains("FLAGS (\\Seen"), "{read}");
        assert!(imap.ok("SEARCH UNSEEN").await.contains("* SEARCH 2\r\n"));
        assert!(imap.ok("UID SEARCH SUBJECT essai UID 2:4 SEEN").await.contains("* SEARCH 3 4\r\n"));

        let stored = imap.ok("UID STORE 2:3 +FLAGS (\\Flagged $Suivi)").await;
        assert!(stored.contains("* 2 FETCH (UID 2 FLAGS ($Suivi \\Flagged"), "{stored}");
        assert!(!imap.ok("STORE 2 FLAGS.SILENT (\\Answered)").await.contains("FETCH"));

        let copied = imap.ok("UID COPY 2:3 Archive").await;
        assert!(copied.contains("[COPYUID ") && copied.contains(" 2,3 1,2]"), "{copied}");
        let moved = imap.ok("MOVE 1 Trash").await;
        assert!(moved.contains("* OK [COPYUID ") && moved.contains(" 1 1] moved\r\n* 1 EXPUNGE"), "{moved}");
        imap.ok("STORE 1,3 +FLAGS.SILENT (\\Deleted)").await;
        let expunged = imap.ok("UID EXPUNGE 2").await;
        assert!(expunged.contains("* 1 EXPUNGE") && !expunged.contains("* 2 EXPUNGE"), "{expunged}");
        let expunged = imap.ok("EXPUNGE").await;
        assert!(expunged.contains("* 2 EXPUNGE"), "{expunged}");
        assert!(imap.ok("FETCH 1:* UID").await.contains("UID 5"));

        imap.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
        imap.ok("UNSELECT").await;
        assert_eq!(imap.select("INBOX").await.exists, 2, "UNSELECT removes nothing");
        imap.ok("CLOSE").await;
        assert_eq!(imap.select("INBOX").await.exists, 1, "CLOSE does");
        let examined = imap.ok("EXAMINE INBOX").await;
        assert!(examined.contains("[READ-ONLY]") && examined.contains("[PERMANENTFLAGS ()]"), "{examined}");
        for command in ["STORE 1 +FLAGS (\\Seen)", "EXPUNGE", "MOVE 1 Trash"] {
            assert!(imap.command(command).await.1.contains(" NO "), "{command}");
        }
        for (command, code) in [
            ("COPY 1 Nothing", "NO [TRYCREATE]"),
            ("APPEND Nothing {1+}\r\nx", "NO [TRYCREATE]"),
            ("FETCH 9 UID", "BAD"),
            ("SEARCH CHARSET KOI8-R ALL", "NO [BADCHARSET"),
            ("FETCH 1 BINARY[1]", "BAD"),
            ("SORT (DATE) UTF-8 ALL", "BAD"),
            ("NONSENSE", "BAD"),
        ] {
            let (_, answer) = imap.command(command).await;
            assert!(answer.contains(code), "{command}: {answer}");
        }
        assert!(!imap.ok("UID FETCH 900 FLAGS").await.contains("FETCH ("));
        let (bye, _) = imap.command("LOGOUT").await;
        assert!(bye.contains("* BYE"));
        twin.stop().await;
    });
}

#[test]
fn two_sessions_see_each_other() {
    run(async {
        let mut twin = Twin::start().await;
        let mut one = Imap::login(twin.running(), MARIE).await;
        let mut two = Imap::login(twin.running(), MARIE).await;
        for _ in 0..3 {
            append(&mut one, "INBOX", MAIL).await;
        }
        one.select("INBOX").await;
        two.select("INBOX").await;
        two.send(b"i1 IDLE\r\n").await;
        assert_eq!(two.line().await, "+ idling\r\n");
        append(&mut one, "INBOX", MAIL).await;
        assert_eq!(two.line().await, "* 4 EXISTS\r\n");
        assert!(two.line().await.ends_with(" RECENT\r\n"));
        one.ok("STORE 4 +FLAGS (\\Flagged)").await;
        assert_eq!(two.line().await, "* 4 FETCH (UID 4 FLAGS (\\Flagged \\Seen \\Recent))\r\n");
        one.ok("STORE 2 +FLAGS.SILENT (\\Deleted)").await;
        assert!(two.line().await.starts_with("* 2 FETCH (UID 2 FLAGS (\\Deleted"));
        one.ok("EXPUNGE").await;
        assert_eq!(two.line().await, "* 2 EXPUNGE\r\n");
        two.send(b"DONE\r\n").await;
        assert!(two.answer("i1").await.1.contains("OK"));

        // Sequence numbers stay while they are in use: removals wait.
        one.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
        one.ok("EXPUNGE").await;
        let (told, done) = two.command("FETCH 1:3 UID").await;
        assert!(told.contains("UID 3") && told.contains("UID 4") && !told.contains("EXPUNGE"), "{told}");
        assert!(done.contains("NO some of the messages are gone"), "{done}");
        assert!(two.ok("NOOP").await.contains("* 1 EXPUNGE"));
        twin.stop().await;
    });
}

#[test]
fn strangers_are_kept_out() {
    run(async {
        let mut twin = Twin::start().await;
        let mut imap = Imap::connect(twin.running()).await;
        for command in ["SELECT INBOX", "LIST \"\" *", "FETCH 1 UID", "APPEND INBOX {1+}\r\nx", "IDLE", "NAMESPACE"] {
            assert!(imap.command(command).await.1.contains(" BAD "), "{command}");
        }
        for command in [
            "LOGIN dr.marie.martin@medecin.mssante.test wrong",
            "LOGIN nobody jumeau",
            "LOGIN nobody@medecin.mssante.test jumeau",
        ] {
            assert!(imap.command(command).await.1.contains("NO [AUTHENTICATIONFAILED]"), "{command}");
        }
        let bearer = |token: &str| STANDARD.encode(sasl::xoauth2(MARIE, &AccessToken::new(token).unwrap()));
        imap.send(format!("x1 AUTHENTICATE XOAUTH2 {}\r\n", bearer(&token(PAUL_ID, 300))).as_bytes()).await;
        let challenge = imap.line().await;
        let json = STANDARD.decode(challenge.strip_prefix("+ ").unwrap().trim()).unwrap();
        assert_eq!(
            std::str::from_utf8(&json).unwrap(),
            r#"{"status":"401","schemes":"bearer","scope":"openid scope_all"}"#
        );
        imap.send(b"\r\n").await;
        assert!(imap.line().await.starts_with("x1 NO [AUTHENTICATIONFAILED] refused"));
        assert!(imap.command("AUTHENTICATE EXTERNAL =").await.1.contains(" NO "), "no certificate was shown");
        assert!(imap.command("CAPABILITY").await.0.contains("AUTH=XOAUTH2"));
        imap.ok(&format!("AUTHENTICATE XOAUTH2 {}", bearer(&token(MARIE_ID, 300)))).await;
        assert!(imap.ok("NAMESPACE").await.contains("* NAMESPACE ((\"\" \"/\")) NIL NIL"));
        assert!(imap.ok("ID NIL").await.contains("* ID ("));
        assert!(imap.command("LOGIN a b").await.1.contains(" BAD "));

        let mut imap = Imap::connect(twin.running()).await;
        for _ in 0..5 {
            assert!(imap.command("LOGIN nobody jumeau").await.1.contains(" NO "));
        }
        assert!(imap.line().await.starts_with("* BYE too many"));
        let mut imap = Imap::connect(twin.running()).await;
        imap.send(b"x LOGIN {5000}\r\n").await;
        assert!(imap.line().await.starts_with("x BAD the literal is too large"));
        imap.send(b"x LOGIN {5000+}\r\n").await;
        assert!(imap.line().await.starts_with("* BYE"));
        let mut imap = Imap::connect(twin.running()).await;
        imap.send(&[b'a'; 70_000]).await;
        assert!(imap.line().await.starts_with("* BYE"));
        twin.stop().await;
    });
}

#[test]
fn literals_wait_for_the_server_when_they_must() {
    run(async {
        let mut twin = Twin::start().await;
        let mut imap = Imap::connect(twin.running()).await;
        imap.send(format!("a LOGIN {{{}}}\r\n", MARIE.len()).as_bytes()).await;
        assert!(imap.line().await.starts_with("+ "));
        imap.send(format!("{MARIE} {{6}}\r\n").as_bytes()).await;
        assert!(imap.line().await.starts_with("+ "));
        imap.send(b"jumeau\r\n").await;
        assert!(imap.answer("a").await.1.starts_with("a OK"));
        let large = format!("Subject: large\r\n\r\n{}", "ligne\r\n".repeat(300_000));
        imap.send(format!("b APPEND INBOX {{{}}}\r\n", large.len()).as_bytes()).await;
        assert!(imap.line().await.starts_with("+ "));
        imap.send(large.as_bytes()).await;
        imap.send(b"\r\n").await;
        assert!(imap.answer("b").await.1.contains("APPENDUID"));
        imap.select("INBOX").await;
        assert_eq!(imap.message(1).await, large.as_bytes());
        twin.stop().await;
    });
}
