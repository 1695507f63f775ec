//! The liste blanche that the twin serves, in the format of the national one.
//!
//! An enveloped XML signature by exclusive canonicalisation, RSA-SHA256, the certificate inline, as the last child
//! of the root: what the national file of 28/02/2025 verifies with.

use jiff::Timestamp;
use socle_trust::{Credentials, DistinguishedName};
use socle_xml::signature::{Signer, sign};
use socle_xml::write::escaped;

use crate::model::WhiteList;

/// The list as octets to serve.
#[derive(Debug)]
pub(crate) struct TrustList {
    pub(crate) xml: String,
    pub(crate) is_signed: bool,
}

impl TrustList {
    /// Writes the list, signed when a key is given that can.
    pub(crate) fn write(list: &WhiteList, signer: &Credentials, now: Timestamp) -> Self {
        let unsigned = document(list, now, "");
        let signed = Signer::from_pem(signer.chain_pem().as_bytes(), signer.key_pem().as_bytes())
            .map_err(|error| error.to_string())
            .and_then(|key| sign(&document(list, now, SIGNATURE), &key).map_err(|error| error.to_string()));
        match signed {
            Ok(xml) => Self { xml, is_signed: true },
            Err(error) => {
                tracing::warn!(error, "the liste blanche of the twin is not signed");
                Self { xml: unsigned, is_signed: false }
            }
        }
    }
}

/// The empty signature that the signer fills.
const SIGNATURE: &str = concat!(
    "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><SignedInfo>",
    "<CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
    "<SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>",
    "<Reference URI=\"\"><Transforms>",
    "<Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>",
    "<Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
    "</Transforms><DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>",
    "<DigestValue/></Reference></SignedInfo><SignatureValue/>",
    "<KeyInfo><X509Data><X509Certificate/></X509Data></KeyInfo></Signature>"
);

fn document(list: &WhiteList, now: Timestamp, signature: &str) -> String {
    let date = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListeBlancheMSSante xmlns=\"https://listeblanche.mssante.fr/schema\">\n    \
         <DateDeGeneration>{date}</DateDeGeneration>\n    <ListeDomaines>\n"
    );
    for domain in list.domains() {
        for operator in list.operators_of(domain) {
            xml.push_str(&entry(domain.as_str(), operator, &date));
        }
    }
    xml.push_str("    </ListeDomaines>\n");
    xml.push_str(signature);
    xml.push_str("</ListeBlancheMSSante>");
    xml
}

/// All six children, in the order of the national list.
fn entry(domain: &str, operator: &DistinguishedName, date: &str) -> String {
    let operator = escaped(&operator.to_string());
    format!(
        "        <Domaine>\n            <Nom>{domain}</Nom>\n            \
         <Description>Domaine d'un jumeau local non officiel</Description>\n            \
         <DNCertificatOperateur>{operator}</DNCertificatOperateur>\n            \
         <ResponsableContact>aucun, jumeau local</ResponsableContact>\n            \
         <SupportContact>aucun, jumeau local</SupportContact>\n            \
         <DateMAJ>{date}</DateMAJ>\n        </Domaine>\n"
    )
}
