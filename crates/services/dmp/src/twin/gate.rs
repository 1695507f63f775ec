//! Who speaks, and may they? Checks 1 to 3 of every transaction: certificate, VIHF, rights.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use socle_identity::{IdNatStruct, Ins};
use socle_trust::chain::{self, Usage};
use socle_trust::{Anchors, Certificate, CertificateDer, DistinguishedName};
use socle_xml::roxmltree::Document;
use socle_xml::signature::{Policy, Sha1, verify_assertion};

use super::Strictness;
use super::fault::Refusal;
use super::people::{People, Situation};
use crate::model::rights::{Action, Profile, Right, right};
use crate::model::visibility::LpsViewer;
use crate::model::{Authorisation, ErrorCode, Existence, Mode, Purpose, Speaker, Vihf};
use crate::wire::vihf::{Received, read};

/// Identifiers of assertions kept against replay; beyond it the oldest are forgotten first.
const SEEN_MAX: usize = 1_000_000;
/// Key usage extension of a person's or structure's client certificate.
const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";

/// Who came through.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) vihf: Vihf,
    /// About whom.
    pub(super) patient: Ins,
    /// How this patient's DMP stands.
    pub(super) situation: Situation,
    pub(super) profile: Profile,
    /// What was taken though the texts write it otherwise.
    pub(super) leniencies: Vec<&'static str>,
}

impl Admitted {
    /// How this speaker sees documents.
    pub(super) fn viewer(&self) -> LpsViewer {
        let purpose = self.vihf.purpose();
        let Situation { opposes_bris_de_glace, opposes_centre15, .. } = self.situation;
        LpsViewer {
            mode: self.vihf.mode(),
            profile: self.profile,
            purpose,
            professional: match self.vihf.speaker() {
                Speaker::Professional(professional) => Some(professional.id().clone()),
                Speaker::Employee(_) | Speaker::Automaton(_) => None,
            },
            structure: self.vihf.structure().id.clone(),
            patient_opposed: match purpose {
                Purpose::Normal => false,
                Purpose::BrisDeGlace => opposes_bris_de_glace,
                Purpose::Centre15 => opposes_centre15,
            },
        }
    }
}

pub(super) struct Gate {
    anchors: Anchors,
    window: SignedDuration,
    strictness: Strictness,
    seen: Mutex<Seen>,
}

impl Gate {
    pub(super) fn new(anchors: Anchors, window: Duration, strictness: Strictness) -> Self {
        let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX);
        Self { anchors, window, strictness, seen: Mutex::default() }
    }

    /// Lets a message in, or says why not.
    ///
    /// The right itself is asked by [`Self::check_right`], once the transaction knows what is asked.
    pub(super) fn admit(
        &self,
        message: &Document<'_>,
        tls: Option<&Certificate>,
        people: &People,
        now: Timestamp,
    ) -> Result<Admitted, Refusal> {
        let tls = tls.ok_or_else(|| Refusal::sender("aucun certificat client"))?;
        let signed = verify_assertion(message, &self.policy(), &|leaf, others| self.trust(leaf, others, now));
        let signed = signed.map_err(|error| Refusal::signature(&error))?;
        let seal = Certificate::from_der(&signed.certificate)
            .map_err(|error| Refusal::dmp(&ErrorCode::DmpInvalidCertificate, error.to_string()))?;
        let received =
            read(signed.node).map_err(|error| Refusal::security("InvalidSecurityToken", format!("VIHF : {error}")))?;
        check_keys(&received, &seal, tls)?;
        self.check_time(&received, now)?;
        let mut leniencies = Vec::new();
        self.lenient(received.other_mode_name, "Authentification_Mode", &mut leniencies)?;
        if !self.remember(&received.id, now) {
            return Err(Refusal::security("InvalidSecurityToken", "VIHF : cette assertion a déjà servi"));
        }
        let vihf = received.vihf;
        let patient = vihf.patient().cloned().ok_or_else(|| {
            Refusal::security("InvalidSecurityToken", "VIHF : resource-id est absent, l'INS du patient est nécessaire")
        })?;
        let situation = people.situation(&patient);
        let profile = vihf.profile(is_attending(&vihf, &situation));
        Ok(Admitted { vihf, patient, situation, profile, leniencies })
    }

    /// Check 3: the functional rights matrix.
    pub(super) fn check_right(admitted: &Admitted, action: Action) -> Result<(), Refusal> {
        let Admitted { vihf, profile, .. } = admitted;
        if right(vihf.mode(), *profile, vihf.purpose(), action) != Right::No {
            return Ok(());
        }
        let reason = format!(
            "la matrice des droits fonctionnels refuse cette transaction (mode {}, profil {profile:?}, accès {})",
            vihf.mode().as_str(),
            vihf.purpose().code()
        );
        Err(Refusal::dmp(&ErrorCode::DmpAccessDeniedByRightsService, reason))
    }

    /// To consult: the authorisation in the DMP, or an exceptional access that the patient did not oppose.
    pub(super) fn check_consultation(admitted: &Admitted) -> Result<(), Refusal> {
        let Situation { existence, opposes_bris_de_glace, opposes_centre15, .. } = &admitted.situation;
        let refused = match admitted.vihf.purpose() {
            Purpose::BrisDeGlace if *opposes_bris_de_glace => "le patient s'est opposé au bris de glace",
            Purpose::Centre15 if *opposes_centre15 => "le patient s'est opposé à l'accès d'urgence",
            Purpose::BrisDeGlace | Purpose::Centre15 => return Ok(()),
            Purpose::Normal => match existence {
                // Without an open DMP the next check has its own code.
                Existence::None | Existence::Closed | Existence::Open(Authorisation::Valid) => return Ok(()),
                Existence::Open(Authorisation::Expired) => "l'autorisation d'accès a expiré (TD0.3)",
                Existence::Open(Authorisation::Forbidden) => "le patient a bloqué ce professionnel",
                Existence::Open(Authorisation::Missing) => "aucune autorisation d'accès (TD0.3)",
            },
        };
        Err(Refusal::dmp(&ErrorCode::DmpAccessDeniedByRightsService, refused))
    }

    /// The seal of a lot is trusted as that of a VIHF.
    pub(super) fn trust(
        &self,
        leaf: &[u8],
        others: &[Vec<u8>],
        now: Timestamp,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let others: Vec<_> = others.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        chain::verify(leaf, &others, &self.anchors, Usage::Signature, now)?;
        Ok(())
    }

    /// SHA-1 is what samples of the kit use.
    pub(super) fn policy(&self) -> Policy {
        match self.strictness {
            Strictness::Strict => Policy { sha1: Sha1::Refused },
            Strictness::Lenient => Policy { sha1: Sha1::DmpKit },
        }
    }

    /// Takes something that is only seen in the field, or refuses it.
    pub(super) fn lenient(
        &self,
        seen: bool,
        what: &'static str,
        leniencies: &mut Vec<&'static str>,
    ) -> Result<(), Refusal> {
        match (seen, self.strictness) {
            (false, _) => Ok(()),
            (true, Strictness::Lenient) => {
                leniencies.push(what);
                Ok(())
            }
            (true, Strictness::Strict) => Err(Refusal::sender(format!("refusé par ce jumeau strict : {what}"))),
        }
    }

    fn check_time(&self, received: &Received, now: Timestamp) -> Result<(), Refusal> {
        let age = now.duration_since(received.issued_at).abs();
        let early = received.not_before.is_some_and(|from| now < from.saturating_sub(self.window).unwrap_or(from));
        let late = received.not_on_or_after.is_some_and(|until| now >= until);
        if age > self.window || early || late {
            let reason = "VIHF : l'assertion est périmée ou pas encore valable : vérifiez l'horloge (NTP)";
            return Err(Refusal::security("MessageExpired", reason));
        }
        Ok(())
    }

    /// False when this assertion came before.
    fn remember(&self, id: &str, now: Timestamp) -> bool {
        let forget_before = now.saturating_sub(self.window).ok().and_then(|t| t.saturating_sub(self.window).ok());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.forget(forget_before.unwrap_or(Timestamp::MIN));
        seen.add(id, now)
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate")
            .field("window", &self.window)
            .field("strictness", &self.strictness)
            .finish_non_exhaustive()
    }
}

fn is_attending(vihf: &Vihf, situation: &Situation) -> bool {
    match (vihf.speaker(), &situation.attending) {
        (Speaker::Professional(professional), Some(attending)) => professional.id() == attending,
        _ => false,
    }
}

/// The Issuer is the seal; a structure's mode takes a structure's keys, a person's mode a person's.
fn check_keys(received: &Received, seal: &Certificate, tls: &Certificate) -> Result<(), Refusal> {
    let issuer: Result<DistinguishedName, _> = received.issuer.parse();
    if issuer.as_ref().ok() != Some(seal.subject()) {
        let reason = "VIHF : Issuer n'est pas le sujet du certificat de signature (RFC 2253)";
        return Err(Refusal::security("InvalidSecurityToken", reason));
    }
    let invalid = |reason: &str| Refusal::dmp(&ErrorCode::DmpInvalidCertificate, reason);
    if !tls.extended_key_usages().iter().any(|usage| usage == CLIENT_AUTH) {
        return Err(invalid("le certificat TLS n'est pas un certificat d'authentification client"));
    }
    match received.vihf.mode() {
        Mode::Indirect | Mode::IndirectRenforcee => {
            if structure_of(seal).is_none() {
                return Err(invalid("en mode indirect, le VIHF est signé par le certificat ORG_SIGN de la structure"));
            }
            if structure_of(tls).is_none() {
                return Err(invalid("en mode indirect, la connexion est celle de la structure (ORG_AUTH_CLI)"));
            }
        }
        Mode::Direct => {
            if seal.subject().get("CN") != Some(received.vihf.name_id().as_str()) {
                return Err(invalid("en mode direct, le VIHF est signé par la carte du professionnel qu'il nomme"));
            }
        }
    }
    Ok(())
}

/// The Struct_IdNat of an organisation's certificate: its OU. A person's certificate has none.
fn structure_of(certificate: &Certificate) -> Option<IdNatStruct> {
    certificate.subject().get("OU").and_then(|ou| ou.parse().ok())
}

/// Assertions seen, oldest first.
#[derive(Default)]
struct Seen {
    ids: HashSet<String>,
    order: VecDeque<(Timestamp, String)>,
}

impl Seen {
    fn forget(&mut self, before: Timestamp) {
        while self.order.front().is_some_and(|(at, _)| *at < before) || self.order.len() >= SEEN_MAX {
            if let Some((_, id)) = self.order.pop_front() {
                self.ids.remove(&id);
            }
        }
    }

    fn add(&mut self, id: &str, now: Timestamp) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back((now, id.to_owned()));
        true
    }
}

#[cfg(test)]
mod tests {
    use socle_trust::pki::{Organisation, Profile, TestPki};
    use socle_xml::signature::{Algorithm, Signer, sign};
    use socle_xml::soap::{NS_WSSE, Outgoing};
    use socle_xml::{Limits, parse};

    use super::*;
    use crate::model::{Automaton, Software, Structure};
    use crate::wire::vihf::{Issue, write};

    /// A message as of `at`, signed by the key.
    fn message(keys: &socle_trust::Credentials, at: Timestamp) -> String {
        let structure = Structure { id: "10B0152872".parse().unwrap(), sector: "SA01".into() };
        let software =
            Software { id: "1".into(), name: "Socle".into(), version: "0.1".into(), homologation: "TEST".into() };
        let speaker = Speaker::Automaton(Automaton { internal_id: "1".into(), name: "Socle".into() });
        let ins = crate::wire::ins_from_cx("279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH").unwrap();
        let vihf = Vihf { patient: Some(ins), ..Vihf::indirect(structure, speaker, software) };
        let issuer = keys.certificate().subject().to_string();
        let issue =
            Issue { at, authenticated_at: None, issuer: &issuer, version: "3.0", algorithm: Algorithm::RsaSha256 };
        let chain = keys.chain().iter().map(|der| der.to_vec()).collect();
        let signer = Signer::from_der(chain, keys.key().secret_der()).unwrap();
        let assertion = sign(&write(&vihf, &issue), &signer).unwrap();
        let mut outgoing = Outgoing::request("urn:x", "urn:y", "<a/>");
        outgoing.headers.push(format!("<wsse:Security xmlns:wsse=\"{NS_WSSE}\">{assertion}</wsse:Security>"));
        outgoing.to_xml()
    }

    fn code(gate: &Gate, message: &str, tls: &Certificate, now: Timestamp) -> String {
        let document = parse(message, &Limits::ENVELOPE).unwrap();
        let admitted = gate.admit(&document, Some(tls), &People::official(), now);
        admitted.map_or_else(|refusal| refusal.code(), |_| "admitted".to_owned())
    }

    #[test]
    fn an_expired_seal_and_one_of_tomorrow_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pki = TestPki::open_or_create(folder.path()).unwrap();
        let organisation = Organisation {
            cn: "x".into(),
            id: "10B0152872".parse().unwrap(),
            name: "x".into(),
            department: "Paris (75)".into(),
        };
        let wanted = [("sign", Profile::OrgSign(organisation.clone())), ("auth", Profile::OrgAuthCli(organisation))];
        let keys = pki.credentials_for(&wanted).unwrap();
        let (seal, tls) = (&keys[0], keys[1].certificate());
        let gate = Gate::new(pki.anchors().clone(), Duration::from_secs(300), Strictness::Strict);
        let now = Timestamp::now();
        let days = |count: i64| now + SignedDuration::from_hours(24 * count);
        let cases = [
            ("today", now, "admitted"),
            ("in three years and a day", days(3 * 365 + 1), "DMPInvalidCertificate"),
            ("a year before it was made", days(-365), "DMPInvalidCertificate"),
        ];
        for (case, at, expected) in cases {
            assert_eq!(code(&gate, &message(seal, at), tls, at), expected, "{case}");
        }
    }

    #[test]
    fn what_came_is_remembered_as_long_as_it_could_come_again() {
        let mut seen = Seen::default();
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        assert!(seen.add("a", at(0)) && seen.add("b", at(5)));
        assert!(!seen.add("a", at(6)), "it came before");
        seen.forget(at(3));
        assert!(seen.add("a", at(7)) && !seen.add("b", at(7)));
        assert_eq!(seen.order.len(), seen.ids.len());
    }
}
