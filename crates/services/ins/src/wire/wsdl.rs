use socle_xml::write::escaped;

/// The contract of WS_INS2 in one document, with this address: the names, namespaces, actions and
/// sequences of `DESIR_ICIR_EXP` 1.5.0 in our own writing, the schemas inline so that nothing is fetched.
///
/// It offers `rechercherInsAvecTraitsIdentite` alone, and no `wsse:Security` part: this is the access
/// by the certificate of an organisation, where no assertion is sent.
#[must_use]
pub fn wsdl(location: &str) -> String {
    include_str!("contract.wsdl").replace("{location}", &escaped(location))
}
