/// What TD0.2 answers about a DMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existence {
    /// `NF`: the patient has no DMP, or opposed it.
    None,
    /// `OK`, `terminated`.
    Closed,
    /// `OK`, `active`.
    Open(Authorisation),
}

impl Existence {
    /// May it be fed (EX_0.1-1020)? Feeding needs no authorisation, only an open DMP.
    #[must_use]
    pub const fn may_feed(self) -> bool {
        matches!(self, Self::Open(_))
    }

    /// May it be consulted in ordinary mode, without TD0.3 first?
    #[must_use]
    pub const fn may_consult(self) -> bool {
        matches!(self, Self::Open(Authorisation::Valid))
    }
}

/// The authorisation of whoever asks, as the DMP holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authorisation {
    /// `VALIDE`.
    Valid,
    /// `EXPIRE`.
    Expired,
    /// `INTERDIT`: the patient blocked this professional.
    Forbidden,
    /// `NON_EXISTE`.
    Missing,
}

impl Authorisation {
    const CODES: [(Self, &'static str); 4] = [
        (Self::Valid, "VALIDE"),
        (Self::Expired, "EXPIRE"),
        (Self::Forbidden, "INTERDIT"),
        (Self::Missing, "NON_EXISTE"),
    ];

    /// The code.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|(known, _)| *known == self).map_or("", |(_, code)| code)
    }

    /// Reads the code.
    #[must_use]
    pub fn from_wire(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|(_, known)| *known == code).map(|(authorisation, _)| *authorisation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeding_needs_an_open_dmp_and_consulting_an_authorisation() {
        let cases = [
            (Existence::None, false, false),
            (Existence::Closed, false, false),
            (Existence::Open(Authorisation::Valid), true, true),
            (Existence::Open(Authorisation::Missing), true, false),
            (Existence::Open(Authorisation::Expired), true, false),
            (Existence::Open(Authorisation::Forbidden), true, false),
        ];
        for (existence, feed, consult) in cases {
            assert_eq!((existence.may_feed(), existence.may_consult()), (feed, consult), "{existence:?}");
        }
    }
}
