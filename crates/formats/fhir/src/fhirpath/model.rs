//! Types of FHIR and of FHIRPath, and what links them.

use std::fmt;

pub use crate::definitions::TypeId;
use crate::definitions::{PrimitiveKind, types};

/// A type of FHIRPath itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum System {
    /// `true`, `false`
    Boolean,
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// An exact decimal.
    Decimal,
    /// A date.
    Date,
    /// A date with a time.
    DateTime,
    /// A time of day.
    Time,
    /// A number with a unit.
    Quantity,
    /// What `type()` gives.
    Any,
}

impl System {
    /// The name after `System.`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "Boolean",
            Self::String => "String",
            Self::Integer => "Integer",
            Self::Decimal => "Decimal",
            Self::Date => "Date",
            Self::DateTime => "DateTime",
            Self::Time => "Time",
            Self::Quantity => "Quantity",
            Self::Any => "Any",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        const ALL: [System; 9] = [
            System::Boolean,
            System::String,
            System::Integer,
            System::Decimal,
            System::Date,
            System::DateTime,
            System::Time,
            System::Quantity,
            System::Any,
        ];
        ALL.into_iter().find(|system| system.name() == name)
    }
}

/// A type of FHIR or of FHIRPath.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// `System.String`
    System(System),
    /// `FHIR.string`, `FHIR.Patient`, `FHIR.Patient.contact`
    Fhir(TypeId),
}

impl Type {
    /// `System` or `FHIR`.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::System(_) => "System",
            Self::Fhir(_) => "FHIR",
        }
    }

    /// `String`, `Patient`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::System(system) => system.name(),
            Self::Fhir(id) => types().name(id),
        }
    }

    /// The FHIRPath type that its values become (FHIR R4 §2.9.1.2, table of conversions).
    #[must_use]
    pub fn system(self) -> Option<System> {
        match self {
            Self::System(system) => Some(system),
            Self::Fhir(id) => system_of(id).or_else(|| is_quantity(id).then_some(System::Quantity)),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.namespace(), self.name())
    }
}

/// The FHIRPath type of a primitive.
pub(super) fn system_of(id: TypeId) -> Option<System> {
    Some(match types().primitive(id)? {
        PrimitiveKind::Boolean => System::Boolean,
        PrimitiveKind::Integer | PrimitiveKind::PositiveInt | PrimitiveKind::UnsignedInt => System::Integer,
        PrimitiveKind::Decimal => System::Decimal,
        PrimitiveKind::Date => System::Date,
        PrimitiveKind::DateTime | PrimitiveKind::Instant => System::DateTime,
        PrimitiveKind::Time => System::Time,
        _ => System::String,
    })
}

/// `Quantity`, or a type made from it.
pub(super) fn is_quantity(id: TypeId) -> bool {
    types().named("Quantity").is_some_and(|quantity| types().is_subtype(id, quantity))
}

/// A type as an expression names it: `Quantity` may be that of FHIR and that of FHIRPath.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TypeTest {
    pub(super) fhir: Option<TypeId>,
    pub(super) system: Option<System>,
}

impl TypeTest {
    /// None when neither has a type of that name.
    pub(super) fn named(namespace: Option<&str>, name: &str) -> Option<Self> {
        let fhir = types().named(name);
        let system = System::named(name);
        let test = match namespace {
            None => Self { fhir, system },
            Some("FHIR") => Self { fhir, system: None },
            Some("System") => Self { fhir: None, system },
            Some(_) => return None,
        };
        let is_system_patient = namespace == Some("System") && test.system.is_none() && fhir.is_some();
        (test.fhir.is_some() || test.system.is_some() || is_system_patient).then_some(test)
    }

    /// The type, or one made from it.
    pub(super) fn is(self, kind: Type) -> bool {
        match kind {
            Type::System(system) => self.system == Some(system),
            Type::Fhir(id) => self.fhir.is_some_and(|wanted| types().is_subtype(id, wanted)),
        }
    }

    /// The type: of a primitive exactly it (a `code` is no `string` here, as the R4 suite has it), else also
    /// one made from it. A primitive is also what FHIRPath calls its value (`value as String`): FHIR R4 §2.9.1.1
    /// has it converted where that is needed.
    pub(super) fn filters(self, kind: Type) -> bool {
        match kind {
            Type::Fhir(id) if types().primitive(id).is_some() => match self.fhir {
                Some(wanted) => wanted == id,
                None => self.system.is_some() && system_of(id) == self.system,
            },
            _ => self.is(kind),
        }
    }

    pub(super) fn types(self) -> impl Iterator<Item = Type> {
        self.fhir.map(Type::Fhir).into_iter().chain(self.system.map(Type::System))
    }
}
