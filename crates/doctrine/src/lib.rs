//! The Doctrine du numérique en santé as data: which requirements bind a product, and until when.
//!
//! Read in this order: [`catalogue`] (what the texts ask, as tables with their sources), [`product`] (what
//! is judged), [`applicability`] (which requirements bind it, and why), [`dossier`] (what was assessed, with
//! which evidence), [`evaluation`] (what is proven, missing, coming), [`eligibility`] (can it apply),
//! [`timeline`] (published apart from announced), [`guide`] (all of it as a page). All of it is pure, text in and values out, except [`store`], which keeps evidence in a
//! folder.
//!
//! Not here: any call to a service, any clock (the day is always given), any claim about a text that was
//! not found: UNKNOWN is a value of its own ([`catalogue::Known`]).

pub mod applicability;
pub mod catalogue;
pub mod dossier;
pub mod eligibility;
pub mod evaluation;
pub mod guide;
pub mod product;
pub mod store;
pub mod timeline;
