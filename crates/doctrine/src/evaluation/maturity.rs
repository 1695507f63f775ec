//! A maturity view by theme, on a scale of our own: the official one (Convergence) is UNKNOWN.

use serde::Serialize;
use socle_finding::Text;

use super::Row;
use crate::applicability::Applicability;
use crate::catalogue::Level;
use crate::dossier::Status;

/// What must stand beside every level.
pub const SCALE: Text = Text::fixed(
    "échelle propre à Socle ; l'échelle officielle de Convergence est UNKNOWN",
    "Socle's own scale; the official scale of Convergence is UNKNOWN",
);

/// One theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Maturity {
    /// The theme.
    pub theme: Text,
    /// 0 to 5: the fifths of the mandatory requirements in force that are conform; none when none is in force.
    pub level: Option<u8>,
    /// Conform.
    pub conform: usize,
    /// Mandatory and in force.
    pub out_of: usize,
}

/// The four themes of Convergence and our own fourth, each with the chapters that we put there.
const THEMES: [(Text, &[&str]); 4] = [
    (Text::fixed("interopérabilité", "interoperability"), &["Interopérabilité", "Partage", "Échange", "Europe"]),
    (Text::fixed("sécurité", "security"), &["Sécurité"]),
    (
        Text::fixed("urbanisation", "urbanisation"),
        &[
            "Identité",
            "Offre et parcours",
            "Urgence",
            "Prescription",
            "Référencement",
            "Services particuliers",
            "Financement",
        ],
    ),
    (Text::fixed("éthique", "ethics"), &["Éthique"]),
];

pub(super) fn of(rows: &[Row<'_>]) -> Vec<Maturity> {
    let theme = |(theme, chapters): &(Text, &[&str])| {
        let bound = rows.iter().filter(|row| {
            row.ruling.applicability == Applicability::Applicable
                && row.ruling.requirement.level == Level::Mandatory
                && chapters.contains(&row.ruling.requirement.chapter.as_str())
        });
        let (mut conform, mut out_of) = (0, 0);
        for row in bound {
            out_of += 1;
            conform += usize::from(row.status == Status::Conform);
        }
        let level = (conform * 5).checked_div(out_of).and_then(|level| u8::try_from(level).ok());
        Maturity { theme: theme.clone(), level, conform, out_of }
    };
    THEMES.iter().map(theme).collect()
}
