//! The closed lists of the catalogue: each value has its token in the tables and a name for people.

use socle_finding::Text;

/// A value that the tables write as a token.
pub(super) trait Token: Sized {
    /// The value of a token.
    fn read(token: &str) -> Option<Self>;
    /// Every token, for an error message.
    fn accepted() -> String;
}

macro_rules! tokens {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $token:literal, $fr:literal, $en:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$value_doc])* $value,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$value,)*];

            /// The token in the tables.
            #[must_use]
            pub const fn token(self) -> &'static str {
                match self { $(Self::$value => $token,)* }
            }

            /// The name for people.
            #[must_use]
            pub const fn name(self) -> Text {
                match self { $(Self::$value => Text::fixed($fr, $en),)* }
            }

            /// The value of a token.
            #[must_use]
            pub fn of(token: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.token() == token)
            }
        }

        impl Token for $name {
            fn read(token: &str) -> Option<Self> {
                Self::of(token)
            }

            fn accepted() -> String {
                [$($token),*].join(", ")
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.token())
            }
        }
    };
}

tokens! {
    /// The three parts of the Doctrine.
    Pillar {
        /// Rules.
        Rules = "1-regles", "Règles", "Rules";
        /// Common services.
        Services = "2-services-socles", "Services socles", "Common services";
        /// The State as a platform.
        Platform = "3-etat-plateforme", "État-plateforme", "State as a platform";
    }
}

tokens! {
    /// How strongly it is asked. Never merged with the condition or the date.
    Level {
        /// It must be.
        Mandatory = "obligatoire", "obligatoire", "mandatory";
        /// It should be.
        Recommended = "recommandé", "recommandé", "recommended";
        /// It will have to be.
        Coming = "à venir", "à venir", "coming";
    }
}

tokens! {
    /// How well a source holds.
    Grade {
        /// Stated in the cited page.
        A = "A", "énoncé par la page citée", "stated by the cited page";
        /// Deduced from a text or an official sample.
        B = "B", "déduit d'un texte ou d'un exemple officiel", "deduced from a text or an official sample";
        /// A legal text known in general: the article is to be checked again.
        C = "C", "texte juridique à revérifier", "legal text to be checked again";
    }
}

tokens! {
    /// By what a requirement is proven.
    Method {
        /// A program tries it on the wire.
        Probe = "probe", "sonde", "probe";
        /// A document is examined.
        Document = "document", "document", "document";
        /// A setting is examined.
        Config = "config", "configuration", "configuration";
        /// Somebody attests it.
        Attestation = "attestation", "attestation", "attestation";
    }
}

tokens! {
    /// Is an event certain?
    Published {
        /// Its act is published.
        Published = "publié", "publié", "published";
        /// It was only announced.
        Announced = "annoncé", "annoncé", "announced";
        /// Voted; its publication in the Official Journal of the Union was not seen.
        AdoptedNotSeen = "adopté, JOUE non vu", "adopté, JOUE non vu", "adopted, Official Journal of the Union not seen";
    }
}

tokens! {
    /// Whom a requirement binds: a kind of product, or a role.
    Kind {
        /// Every digital health service.
        Any = "ANY", "tout service numérique en santé", "any digital health service";
        /// The vendor.
        Editor = "EDITOR", "éditeur", "vendor";
        /// Any professional software.
        Lps = "LPS", "logiciel de professionnel de santé", "professional software";
        /// Hospital record.
        Dpi = "DPI", "dossier patient informatisé", "hospital patient record";
        /// Intermediation platform.
        Pfi = "PFI", "plateforme d'intermédiation", "intermediation platform";
        /// Identity reference.
        Ri = "RI", "référentiel d'identités", "identity reference";
        /// Patient administration.
        Gam = "GAM", "gestion administrative des malades", "patient administration";
        /// Practice software.
        Lgc = "LGC", "logiciel de gestion de cabinet", "practice software";
        /// Pharmacy software.
        Lgo = "LGO", "logiciel de gestion d'officine", "pharmacy software";
        /// Laboratory system.
        Sgl = "SGL", "système de gestion de laboratoire", "laboratory system";
        /// Radiology system.
        Ris = "RIS", "système d'information de radiologie", "radiology system";
        /// Imaging exchange.
        Drimbox = "DRIMBOX", "DRIMbox", "DRIMbox";
        /// Medico-social record.
        Dui = "DUI", "dossier usager informatisé", "medico-social user record";
        /// Appointment software.
        Agenda = "AGENDA", "agenda de rendez-vous", "appointment software";
        /// Regulation software of the SAMU.
        Lrm = "LRM", "logiciel de régulation médicale", "medical regulation software";
        /// Application for users.
        App = "APP", "application pour usagers", "user-facing application";
        /// Teleconsultation.
        Tlc = "TLC", "système de téléconsultation", "teleconsultation system";
        /// Digital medical device.
        Dmn = "DMN", "dispositif médical numérique", "digital medical device";
        /// A component with an AI system.
        Ai = "AI", "composant d'intelligence artificielle", "AI component";
        /// MSSanté operator.
        MssOperator = "MSS-OP", "opérateur MSSanté", "MSSanté operator";
        /// MSSanté client.
        MssClient = "MSS-CLIENT", "client de messagerie MSSanté", "MSSanté mail client";
        /// Proxy e-santé.
        Proxy = "PROXY", "proxy e-santé", "e-santé proxy";
        /// Local identity provider.
        IdentityProvider = "FI", "fournisseur d'identité local", "local identity provider";
        /// Host.
        Host = "HOST", "hébergeur", "host";
        /// Mon espace santé itself.
        Mes = "MES", "Mon espace santé", "Mon espace santé";
        /// Hospital.
        Es = "ES", "établissement de santé", "hospital";
        /// Medico-social establishment.
        Esms = "ESMS", "établissement ou service médico-social", "medico-social establishment";
        /// Professional.
        Ps = "PS", "professionnel de santé", "health professional";
    }
}

impl Kind {
    /// Is it a kind of software, whose maker is then a vendor? The others are roles.
    #[must_use]
    pub const fn is_software(self) -> bool {
        !matches!(self, Self::Any | Self::Editor | Self::Host | Self::Mes | Self::Es | Self::Esms | Self::Ps)
    }

    /// Is it software for professionals, which the rules for `LPS` bind too?
    #[must_use]
    pub const fn is_professional(self) -> bool {
        matches!(
            self,
            Self::Lps
                | Self::Lgc
                | Self::Lgo
                | Self::Sgl
                | Self::Ris
                | Self::Dpi
                | Self::Pfi
                | Self::Dui
                | Self::Drimbox
        )
    }
}
