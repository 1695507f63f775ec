use std::sync::LazyLock;

use serde::Deserialize;
use socle_identity::Oid;

/// The values that nothing but the vendor kit tells, from a file that can be replaced.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kit {
    /// repositoryUniqueId of the DMP.
    pub repository_unique_id: Oid,
    /// The VIHF attribute `VIHF_Version`.
    pub vihf_version: String,
    /// OID of the DMP in an HL7 v3 message.
    pub dmp_device: String,
    /// Code system of `TEST_EXST`.
    pub reason_system: String,
    /// Code system of the key word `AUTORISATION`.
    pub keyword_system: String,
    /// Code system of its values.
    pub authorisation_system: String,
}

static BUILT_IN: LazyLock<Kit> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the file is compiled in, and a test reads it")]
    Kit::from_toml(include_str!("kit.toml")).expect("wire/kit.toml is well-formed")
});

impl Kit {
    /// The values that came with this program.
    #[must_use]
    pub fn built_in() -> Self {
        BUILT_IN.clone()
    }

    /// Other values, from a file of the same form as `wire/kit.toml`.
    ///
    /// # Errors
    /// The TOML error, with line and column.
    pub fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

impl Default for Kit {
    fn default() -> Self {
        Self::built_in()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_file_reads_and_a_wrong_one_says_where() {
        assert_eq!(Kit::built_in().repository_unique_id.as_str(), "1.2.250.1.213.4.1.1.1.2");
        let error = Kit::from_toml("repository_unique_id = \"x\"").unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
        let more = format!("{}\nother = 1", include_str!("kit.toml"));
        assert!(Kit::from_toml(&more).is_err(), "a key that nobody reads is a mistake");
    }
}
