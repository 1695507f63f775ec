//! What expires or turns within six months, and what has expired.

use jiff::Span;
use jiff::civil::Date;
use serde::Serialize;
use socle_finding::Text;

use crate::catalogue::{Catalogue, Published};
use crate::dossier::Dossier;
use crate::product::{HdsReference, Product};

/// Something to act on before a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// The day.
    pub day: Date,
    /// What.
    pub said: Text,
    /// Is the day past?
    pub is_past: bool,
}

/// The first day on which a certificate against the reference of 2018 no longer holds (arrêté of 26 April
/// 2024: every host by 16 May 2026).
pub(crate) const HDS_V2_FOR_ALL: Date = jiff::civil::date(2026, 5, 16);

/// The alerts of a product, by day.
pub(super) fn alerts(catalogue: &Catalogue, product: &Product, dossier: Option<&Dossier>, today: Date) -> Vec<Alert> {
    let horizon = today.saturating_add(Span::new().months(6));
    let mut all = Vec::new();
    let mut add = |day: Date, said: Text| {
        if day <= horizon {
            all.push(Alert { day, said, is_past: day < today });
        }
    };
    for hosting in &product.hosting {
        if let Some(day) = hosting.valid_until {
            let host = &hosting.host;
            add(
                day,
                Text::new(
                    format!("le certificat HDS de {host} expire"),
                    format!("the HDS certificate of {host} expires"),
                ),
            );
        }
        if hosting.reference == Some(HdsReference::V1) {
            let host = &hosting.host;
            add(
                HDS_V2_FOR_ALL,
                Text::new(
                    format!("le certificat HDS v1 de {host} ne vaut plus à partir de ce jour"),
                    format!("the HDS v1 certificate of {host} no longer holds from that day"),
                ),
            );
        }
    }
    for assessment in dossier.map(|dossier| dossier.assessments.as_slice()).unwrap_or_default() {
        if let Some(day) = assessment.expires() {
            let id = assessment.requirement();
            add(day, Text::new(format!("l'évaluation de {id} expire"), format!("the assessment of {id} expires")));
        }
    }
    let coming = catalogue.milestones.iter().filter(|one| one.day.first() >= today);
    for milestone in coming {
        let said = Text::same(milestone.event.clone());
        let status = milestone.status.name();
        let said = match milestone.status {
            Published::Published => said,
            _ => Text::new(format!("{} ({})", said.fr, status.fr), format!("{} ({})", said.en, status.en)),
        };
        add(milestone.day.first(), said);
    }
    all.sort_by_key(|alert| alert.day);
    all
}
