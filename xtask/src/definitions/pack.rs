//! Writes the tables: a header, the table of types, the index of resources, then their facts in blocks.
//!
//! ```text
//! "SOCLER4\x01"  u32 graph  u32 index  u32 blocks  (u32 packed, u32 raw) for each block   all little-endian
//! graph, index, blocks: deflate (RFC 1951)
//! ```
//! A block is JSON of several resources, one after the other; the index says where each one is.

use std::io::Write;

use anyhow::Context;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::Value;

use super::Resource;
use super::graph::Graph;

/// The kinds of resources in the tables; their place is their number there.
pub(super) const KINDS: [&str; 7] = [
    "StructureDefinition",
    "SearchParameter",
    "CodeSystem",
    "ValueSet",
    "ConceptMap",
    "OperationDefinition",
    "CompartmentDefinition",
];

/// A block costs about 0.2 ms to open.
const BLOCK: usize = 64 << 10;

pub(super) fn pack(graph: &Graph, resources: &[Resource]) -> anyhow::Result<Vec<u8>> {
    let mut blocks = vec![Vec::new()];
    let mut index = Vec::new();
    index.extend(u16::try_from(resources.len())?.to_le_bytes());
    let mut kind = "";
    for resource in resources {
        if blocks.last().is_some_and(|block| block.len() > BLOCK || kind != resource.kind) {
            blocks.push(Vec::new());
        }
        kind = &resource.kind;
        let number = blocks.len() - 1;
        let Some(block) = blocks.last_mut() else { continue };
        let start = block.len();
        serde_json::to_writer(&mut *block, &resource.body)?;
        entry(&mut index, resource, number, start, block.len()).with_context(|| resource.id.clone())?;
    }
    let graph = deflate(&graph.bytes)?;
    let index = deflate(&index)?;
    let mut out = b"SOCLER4\x01".to_vec();
    for size in [graph.len(), index.len(), blocks.len()] {
        out.extend(u32::try_from(size)?.to_le_bytes());
    }
    let packed: Vec<Vec<u8>> = blocks.iter().map(|block| deflate(block)).collect::<anyhow::Result<_>>()?;
    for (packed, raw) in packed.iter().zip(&blocks) {
        out.extend(u32::try_from(packed.len())?.to_le_bytes());
        out.extend(u32::try_from(raw.len())?.to_le_bytes());
    }
    out.extend(graph);
    out.extend(index);
    out.extend(packed.into_iter().flatten());
    Ok(out)
}

/// `u8 kind, u16 block, u32 start, u32 end`, then url, version, name, type, each after its length in a
/// byte, then `u8`: 1 for a structure that defines its type.
fn entry(index: &mut Vec<u8>, resource: &Resource, block: usize, start: usize, end: usize) -> anyhow::Result<()> {
    let kind = KINDS.iter().position(|kind| *kind == resource.kind).context("a kind without number")?;
    index.push(u8::try_from(kind)?);
    index.extend(u16::try_from(block)?.to_le_bytes());
    index.extend(u32::try_from(start)?.to_le_bytes());
    index.extend(u32::try_from(end)?.to_le_bytes());
    for member in ["url", "version", "name", "type"] {
        let text = resource.body[member].as_str().unwrap_or_default();
        index.push(u8::try_from(text.len())?);
        index.extend(text.as_bytes());
    }
    index.push(u8::from(defines_type(&resource.body)));
    Ok(())
}

fn defines_type(body: &Value) -> bool {
    body["resourceType"] == "StructureDefinition" && body["derivation"] != "constraint"
}

fn deflate(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}
