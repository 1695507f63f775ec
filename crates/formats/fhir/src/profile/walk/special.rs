//! Data types with rules that no definition states.

use socle_finding::Text;

use super::Walk;
use super::say::r4;
use crate::definitions::PrimitiveKind;
use crate::profile::program::TypeIx;
use crate::tape::Node;

impl<'d> Walk<'_, 'd> {
    pub(super) fn special(&mut self, node: Node<'d>, ix: TypeIx) {
        let known = &self.library.known;
        let ix = Some(ix);
        if ix == known.extension {
            self.extension(node);
        } else if ix == known.coding {
            self.coding(node);
        } else if ix == known.identifier {
            if let Some(system) = node.get("system")
                && let Some(text) = system.str()
            {
                self.is_absolute(system, text);
            }
        } else if ix == known.attachment {
            self.attachment(node);
        }
    }

    /// The id of an element is its own within the resource (FHIR R4 Element.id). A StructureDefinition has those of
    /// its elements twice, in its differential and in its snapshot.
    pub(super) fn element_id(&mut self, id: Node<'d>, node: Node<'d>) {
        let Some(resource) = self.resources.last() else { return };
        if *resource == node || resource.resource_type() == Some("StructureDefinition") {
            return;
        }
        let Some(text) = id.str() else { return };
        if !self.ids.insert((resource.index(), text)) {
            self.error(
                node,
                r4("Element.id"),
                Text::fixed(
                    "un autre élément de la ressource a déjà cet id",
                    "another element of the resource has this id already",
                ),
                Text::fixed(
                    "donnez à chaque élément son id, ou retirez-le",
                    "give each element its own id, or remove it",
                ),
            );
        }
    }

    /// `size` and `hash` are those of `data` (FHIR R4 §2.24.0.10).
    fn attachment(&mut self, node: Node<'d>) {
        let (Some(data), Some(size)) = (node.text("data"), node.get("size").and_then(Node::u64)) else { return };
        let Ok(bytes) = crate::base64::decode(data) else { return };
        if bytes.len() as u64 != size {
            self.error(
                node,
                r4("2.24.0.10"),
                Text::fixed("size n'est pas la taille de data", "size is not the size of data"),
                Text::fixed(
                    "mettez dans size le nombre d'octets avant l'encodage base64",
                    "put in size the number of bytes before base64 encoding",
                ),
            );
        }
    }

    /// Text that looks like HTML is an injection waiting for a careless viewer.
    pub(super) fn watch_text(&mut self, node: Node<'d>, primitive: PrimitiveKind) {
        if !self.options.security_checks || primitive != PrimitiveKind::String {
            return;
        }
        let Some(text) = node.str() else { return };
        let is_tag = |(at, _): (usize, &str)| {
            text[at + 1..].starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '/' || sign == '!')
        };
        if text.match_indices('<').any(is_tag) {
            self.error(
                node,
                r4("2.24.0.1"),
                Text::fixed("le texte contient des balises HTML", "the text holds HTML tags"),
                Text::fixed("retirez les balises", "remove the tags"),
            );
        }
    }
}
