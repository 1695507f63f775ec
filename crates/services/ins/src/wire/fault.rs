use socle_xml::NodeExt;
use socle_xml::roxmltree::Node;
use socle_xml::soap::{Envelope, Fault, FaultCode, NS_SOAP11, NS_SOAP12};
use socle_xml::write::Writer;

use super::NS_SIRAM;
use crate::model::{InsiFault, Severity};

/// Reads the fault of an envelope; none when its body is something else.
#[must_use]
pub fn read_fault(envelope: &Envelope<'_>) -> Option<InsiFault> {
    let fault = envelope.fault()?;
    let error = envelope.content.and_then(error_element);
    Some(InsiFault {
        sender: fault.code != FaultCode::Receiver,
        subcode: fault.subcode,
        code: error.and_then(|node| node.attribute("code")).map(str::to_owned),
        severity: error.and_then(|node| node.attribute("severite")).and_then(|text| text.parse().ok()),
        reason: fault.reason,
        detail: error.map(NodeExt::trimmed_text).filter(|text| !text.is_empty()),
        message_id: error.and_then(|node| node.attribute("messageID")).map(str::to_owned),
    })
}

fn error_element<'a>(fault: Node<'a, 'a>) -> Option<Node<'a, 'a>> {
    fault.descendants().find(|node| node.is(Some(NS_SIRAM), "Erreur"))
}

/// The envelope of a fault, as the test platform writes it.
#[must_use]
pub fn write_fault(fault: &InsiFault) -> String {
    let code = if fault.sender { FaultCode::Sender } else { FaultCode::Receiver };
    let soap = Fault { subcode: fault.subcode.clone(), detail: write_detail(fault), ..Fault::new(code, &fault.reason) };
    write_soap_fault(&soap)
}

/// The envelope of a fault of SOAP itself, which has no code of INSi.
#[must_use]
pub(crate) fn write_soap_fault(fault: &Fault) -> String {
    let mut w = Writer::document();
    w.open("soap:Envelope").ns("soap", NS_SOAP12).open("soap:Body").raw(&fault.to_body_xml());
    w.finish()
}

fn write_detail(fault: &InsiFault) -> Option<String> {
    let code = fault.code.as_deref()?;
    let mut w = Writer::fragment();
    w.open("siram:Erreur").ns("siram", NS_SIRAM);
    w.attr("severite", fault.severity.unwrap_or(Severity::Error).as_str()).attr("code", code);
    w.attr_opt("messageID", fault.message_id.as_deref()).text(fault.detail.as_deref().unwrap_or_default());
    Some(w.finish())
}

/// The answer to a SOAP 1.1 message, in SOAP 1.1 (SOAP 1.2 Part 1, appendix A).
#[must_use]
pub(crate) fn version_mismatch_11() -> String {
    let mut w = Writer::document();
    w.open("soap:Envelope").ns("soap", NS_SOAP11).open("soap:Body").open("soap:Fault");
    w.leaf("faultcode", "soap:VersionMismatch");
    w.leaf("faultstring", "Le service parle SOAP 1.2 (SOAP 1.2 Part 1 §5.4.7).");
    w.finish()
}
