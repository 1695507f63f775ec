//! SOAP envelopes as written here and as seen in the field.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a helper that fails, fails its test")]

use proptest::prelude::*;
use socle_xml::soap::{self, Fault, FaultCode, Outgoing, SoapError, Version};
use socle_xml::{Limits, NodeExt, parse};

const KIT_HEADER: &str = r#"<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://www.w3.org/2005/08/addressing">
  <soap:Header>
    <wsa:MessageID> urn:uuid:1 </wsa:MessageID>
    <wsa:To></wsa:To>
    <wsa:ReplyTo mustUnderstand="true"><wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address></wsa:ReplyTo>
    <wsa:Action mustUnderstand="true">urn:ihe:iti:2007:RegistryStoredQuery</wsa:Action>
    <x:Strange xmlns:x="urn:x" soap:mustUnderstand="1"/>
    <x:Loose xmlns:x="urn:x" mustUnderstand="true"/>
    <x:Optional xmlns:x="urn:x" soap:mustUnderstand="0"/>
    <x:Known xmlns:x="urn:x" soap:mustUnderstand="true"/>
  </soap:Header>
  <soap:Body> <q:Query xmlns:q="urn:q"/> </soap:Body>
</soap:Envelope>"#;

#[test]
fn an_envelope_in_the_style_of_the_dmp_kit_is_read() {
    let document = parse(KIT_HEADER, &Limits::ENVELOPE).expect("well-formed");
    let envelope = soap::read(&document).expect("envelope");
    assert_eq!(envelope.version, Version::Soap12);
    assert_eq!(envelope.action.as_deref(), Some("urn:ihe:iti:2007:RegistryStoredQuery"));
    assert_eq!(envelope.message_id.as_deref(), Some("urn:uuid:1"));
    assert_eq!(envelope.to, None, "an empty To is none");
    assert_eq!(envelope.relates_to, None);
    assert_eq!(envelope.reply_to.as_deref(), Some(soap::ANONYMOUS));
    assert!(envelope.content.expect("content").is(Some("urn:q"), "Query"));
    assert!(envelope.fault().is_none());

    let refused = envelope.not_understood(|namespace, name| (namespace, name) == (Some("urn:x"), "Known"));
    let names: Vec<_> = refused.iter().map(|block| block.tag_name().name()).collect();
    assert_eq!(names, ["Strange", "Loose"], "with and without prefix, false does not count");
    assert_eq!(
        soap::not_understood_block(refused[0]),
        "<soap:NotUnderstood xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:q=\"urn:x\" qname=\"q:Strange\"/>"
    );
}

#[test]
fn soap_1_1_is_recognised_as_such() {
    let text = r#"<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><a/></e:Body></e:Envelope>"#;
    let document = parse(text, &Limits::ENVELOPE).expect("well-formed");
    let envelope = soap::read(&document).expect("envelope");
    assert_eq!(envelope.version, Version::Soap11);
    assert!(envelope.header.is_none());
}

#[test]
fn what_is_no_envelope_is_refused() {
    let wrap = |inner: &str| {
        format!("<s:Envelope xmlns:s='{}' xmlns:wsa='{}'>{inner}</s:Envelope>", soap::NS_SOAP12, soap::NS_WSA)
    };
    let cases = [
        ("another document", "<html/>".to_owned(), SoapError::NotAnEnvelope),
        ("another namespace", "<Envelope xmlns='urn:soap'><Body/></Envelope>".to_owned(), SoapError::NotAnEnvelope),
        ("another root", format!("<s:Body xmlns:s='{}'/>", soap::NS_SOAP12), SoapError::NotAnEnvelope),
        ("no body", wrap("<s:Header/>"), SoapError::NoBody),
        ("empty", wrap(""), SoapError::NoBody),
        ("header after body", wrap("<s:Body/>\n<s:Header/>"), SoapError::Structure { line: 2 }),
        ("two bodies", wrap("<s:Body/>\n<s:Body/>"), SoapError::Structure { line: 2 }),
        ("two headers", wrap("<s:Header/>\n<s:Header/><s:Body/>"), SoapError::Structure { line: 2 }),
        (
            "body of SOAP 1.1",
            wrap(&format!("\n<b:Body xmlns:b='{}'/>", soap::NS_SOAP11)),
            SoapError::Structure { line: 2 },
        ),
        (
            "two actions",
            wrap("<s:Header><wsa:Action>a</wsa:Action>\n<wsa:Action>b</wsa:Action></s:Header><s:Body/>"),
            SoapError::Twice { name: "Action", line: 2 },
        ),
    ];
    for (name, text, expected) in cases {
        let document = parse(&text, &Limits::ENVELOPE).expect("well-formed");
        assert_eq!(soap::read(&document).err(), Some(expected), "{name}");
    }
}

#[test]
fn a_response_answers_its_request() {
    let request = Outgoing::request("urn:a", "https://x/registry?a=1&b=2", "<q/>");
    let text = request.to_xml();
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?><soap:Envelope "), "{text}");
    let document = parse(&text, &Limits::ENVELOPE).expect("well-formed");
    let envelope = soap::read(&document).expect("envelope");
    assert_eq!(envelope.to.as_deref(), Some("https://x/registry?a=1&b=2"));
    let id = envelope.message_id.as_deref().expect("id");
    assert!(id.strip_prefix("urn:uuid:").is_some_and(|u| u.len() == 36), "{id}");

    let mut response = Outgoing::response("urn:aResponse", Some(id), "<r/>");
    response.headers.push("<h:Extra xmlns:h=\"urn:h\"/>".to_owned());
    let text = response.to_xml();
    let document = parse(&text, &Limits::ENVELOPE).expect("well-formed");
    let envelope = soap::read(&document).expect("envelope");
    assert_eq!(envelope.relates_to.as_deref(), Some(id));
    assert_eq!(envelope.to.as_deref(), Some(soap::ANONYMOUS));
    assert!(envelope.header.expect("header").child(Some("urn:h"), "Extra").is_some());
    assert_ne!(envelope.message_id.as_deref(), Some(id));
}

#[test]
fn faults_are_written_and_read_back() {
    let cases = [
        Fault::new(FaultCode::Sender, "refusé : <&> \"été\""),
        Fault {
            code: FaultCode::Receiver,
            subcode: Some("siram_40".to_owned()),
            reason: "téléservice indisponible".to_owned(),
            lang: "fr".to_owned(),
            detail: Some("<siram:Erreur xmlns:siram=\"urn:siram\" code=\"insi_111\"></siram:Erreur>".to_owned()),
        },
        Fault {
            subcode: Some("{urn:dmp}DMPInvalidCertificate".to_owned()),
            lang: "en".to_owned(),
            ..Fault::new(FaultCode::Sender, "wrong certificate")
        },
        Fault::new(FaultCode::MustUnderstand, "?"),
        Fault::new(FaultCode::VersionMismatch, "?"),
        Fault::new(FaultCode::DataEncodingUnknown, "?"),
    ];
    for fault in cases {
        let text = Outgoing::response("urn:fault", None, fault.to_body_xml()).to_xml();
        let document = parse(&text, &Limits::ENVELOPE).expect("well-formed");
        let mut read = soap::read(&document).expect("envelope").fault().expect("fault");
        // The namespaces of the envelope come along, so that the detail stands alone.
        let around = " xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:wsa=\"http://www.w3.org/2005/08/addressing\"";
        read.detail = read.detail.map(|detail| detail.replace(around, ""));
        assert_eq!(read, fault);
        assert_eq!(fault.http_status(), if fault.code == FaultCode::Sender { 400 } else { 500 });
    }
}

#[test]
fn a_fault_in_the_style_of_insi_is_read() {
    let text = r#"<S:Envelope xmlns:S="http://www.w3.org/2003/05/soap-envelope" xmlns:env="http://www.w3.org/2003/05/soap-envelope">
 <env:Body><soap:Fault xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Code><soap:Value>soap:Sender</soap:Value>
  <soap:Subcode><soap:Value>soap:siram_100</soap:Value></soap:Subcode></soap:Code>
 <soap:Reason><soap:Text xml:lang="fr">Logiciel non autorisé</soap:Text></soap:Reason>
 <soap:Detail><siram:Erreur xmlns:siram="urn:siram" code="desir_550" severite="erreur">texte</siram:Erreur></soap:Detail>
</soap:Fault></env:Body></S:Envelope>"#;
    let document = parse(text, &Limits::ENVELOPE).expect("well-formed");
    let fault = soap::read(&document).expect("envelope").fault().expect("fault");
    assert_eq!(
        (fault.code, fault.subcode.as_deref(), fault.lang.as_str()),
        (FaultCode::Sender, Some("siram_100"), "fr")
    );
    let detail = fault.detail.expect("detail");
    let detail = parse(&detail, &Limits::ENVELOPE).expect("detail stands alone");
    assert_eq!(detail.root_element().attribute("code"), Some("desir_550"));
}

#[test]
fn a_fault_of_soap_1_1_is_read() {
    let text = r#"<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>
<faultcode>e:Client.Authentication</faultcode><faultstring xml:lang="en">no</faultstring><detail>plain &amp; short</detail>
</e:Fault></e:Body></e:Envelope>"#;
    let document = parse(text, &Limits::ENVELOPE).expect("well-formed");
    let fault = soap::read(&document).expect("envelope").fault().expect("fault");
    assert_eq!(fault.code, FaultCode::Sender);
    assert_eq!(fault.subcode.as_deref(), Some("Authentication"));
    assert_eq!(fault.detail.as_deref(), Some("plain &amp; short"));
}

#[test]
fn content_types_are_written_and_read() {
    let written = soap::content_type("urn:\"odd\"\\\r\naction");
    let read = soap::read_content_type(&written).expect("content type");
    assert_eq!(read.essence, "application/soap+xml");
    assert_eq!(read.parameter("charset"), Some("UTF-8"));
    assert_eq!(read.parameter("ACTION"), Some("urn:\"odd\"\\action"), "line ends cannot go into a header");

    let cases = [
        ("no parameter", "Text/XML", Some(("text/xml", None))),
        (
            "unquoted",
            "application/soap+xml;action=urn:a ; charset=utf-8",
            Some(("application/soap+xml", Some("urn:a"))),
        ),
        (
            "spaces and case",
            " Application/SOAP+XML ;  Action = \"urn:a;b\" ;",
            Some(("application/soap+xml", Some("urn:a;b"))),
        ),
        ("quote not closed", "a/b; action=\"urn", None),
        ("no subtype", "text", None),
        ("a parameter without value", "text/xml; charset", None),
        ("two slashes", "a/b/c", None),
    ];
    for (name, value, expected) in cases {
        let read = soap::read_content_type(value);
        let shown = read.as_ref().map(|t| (t.essence.as_str(), t.parameter("action")));
        assert_eq!(shown, expected, "{name}");
    }
}

#[test]
fn attributes_and_text_survive_the_writer() {
    use socle_xml::write::{Writer, escaped};
    let mut w = Writer::document();
    w.open("a").ns("", "urn:d").ns("p", "urn:p").attr_opt("none", None).attr("p:b", "x");
    w.leaf("c", "").leaf_opt("d", None).raw("<e/>").open("f");
    assert_eq!(
        w.finish(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a xmlns=\"urn:d\" xmlns:p=\"urn:p\" p:b=\"x\"><c/><e/><f/></a>"
    );
    assert_eq!(escaped("<&>\"'\r\n\t\u{0}é"), "&lt;&amp;&gt;&quot;&apos;&#13;&#10;&#9;\u{FFFD}é");
}

proptest! {
    /// Whatever is written is well-formed and is read back as it was, control characters apart.
    #[test]
    fn text_and_attributes_are_read_back(text in any::<String>(), value in "[\\PC\r\n\t<>&\"']*") {
        let mut w = socle_xml::write::Writer::fragment();
        w.open("a").attr("v", &value).text(&text);
        let written = w.finish();
        let document = parse(&written, &Limits::default()).expect("well-formed");
        let visible = |s: &str| s.chars().map(|c| match c {
            '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'.. => c,
            _ => '\u{FFFD}',
        }).collect::<String>();
        prop_assert_eq!(document.root_element().full_text(), visible(&text));
        let read = document.root_element().attribute("v");
        let expected = visible(&value);
        prop_assert_eq!(read, Some(expected.as_str()));
    }

    #[test]
    fn addressing_is_read_back(action in "\\PC{1,40}", to in "\\PC{0,40}", relates in "\\PC{0,40}") {
        let trimmed = |s: &str| Some(s.trim().to_owned()).filter(|t| !t.is_empty());
        let mut message = Outgoing::request(action.clone(), to.clone(), "");
        message.relates_to = Some(relates.clone());
        let text = message.to_xml();
        let document = parse(&text, &Limits::ENVELOPE).expect("well-formed");
        let envelope = soap::read(&document).expect("envelope");
        prop_assert_eq!(envelope.action, trimmed(&action));
        prop_assert_eq!(envelope.to, trimmed(&to));
        prop_assert_eq!(envelope.relates_to, trimmed(&relates));
    }

    #[test]
    fn any_well_formed_text_is_no_panic(text in "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'>(<s:Header/>|<s:Body/>|<s:Fault/>|<s:Code>|</s:Code>|x){0,4}</s:Envelope>") {
        if let Ok(document) = parse(&text, &Limits::ENVELOPE)
            && let Ok(envelope) = soap::read(&document)
        {
            let _ = (envelope.fault(), envelope.not_understood(|_, _| false));
        }
    }

    #[test]
    fn any_content_type_is_no_panic(value in any::<String>()) {
        let _ = soap::read_content_type(&value);
        let _ = socle_xml::mtom::is_multipart(&value);
    }
}
