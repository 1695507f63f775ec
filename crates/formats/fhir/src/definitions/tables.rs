//! The tables inside the binary (`definitions/r4.bin`): a header, the table of types and names, the index of
//! resources, and their facts in blocks that are opened when somebody asks for one.
//!
//! The layout is written down where it is made, in `xtask/src/definitions/pack.rs`.

use std::io::Read;
use std::sync::{LazyLock, OnceLock};

use bytes::Bytes;
use flate2::read::DeflateDecoder;

static FILE: &[u8] = include_bytes!("../../definitions/r4.bin");

/// The table of names and types, as it was written.
pub(crate) struct Graph {
    pub(crate) names: Vec<&'static str>,
    /// Names that may have a `_name` beside them.
    pub(crate) companions: Vec<u16>,
    pub(crate) types: Vec<GraphType>,
    /// Members of all types, one type after the other.
    pub(crate) children: Vec<GraphChild>,
}

pub(crate) struct GraphType {
    pub(crate) name: &'static str,
    pub(crate) kind: u8,
    pub(crate) is_abstract: bool,
    pub(crate) parent: u16,
    pub(crate) name_id: u16,
    pub(crate) root: u16,
    pub(crate) element: u16,
    pub(crate) children: u16,
}

pub(crate) struct GraphChild {
    pub(crate) name: u16,
    pub(crate) base: u16,
    pub(crate) type_id: u16,
    pub(crate) flags: u8,
    pub(crate) element: u16,
}

/// What the index says of a resource.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) kind: u8,
    pub(super) block: u16,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) url: &'static str,
    pub(super) version: &'static str,
    pub(super) name: &'static str,
    pub(super) type_name: &'static str,
    pub(super) defines_type: bool,
}

/// The packed parts of the file.
struct Parts {
    graph: &'static [u8],
    index: &'static [u8],
    blocks: Vec<Block>,
}

struct Block {
    packed: &'static [u8],
    raw: usize,
    open: OnceLock<Bytes>,
}

static PARTS: LazyLock<Parts> = LazyLock::new(|| {
    let mut at = Reader(FILE);
    at.take(8);
    let (graph, index, blocks) = (at.u32(), at.u32(), at.u32());
    let sizes: Vec<(u32, u32)> = (0..blocks).map(|_| (at.u32(), at.u32())).collect();
    let (graph, index) = (at.take(graph as usize), at.take(index as usize));
    let open = |(packed, raw): (u32, u32)| Block {
        packed: at.take(packed as usize),
        raw: raw as usize,
        open: OnceLock::new(),
    };
    Parts { graph, index, blocks: sizes.into_iter().map(open).collect() }
});

/// The names and types of R4.
pub(crate) fn graph() -> &'static Graph {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| inflate(PARTS.graph, 256 << 10));
    static GRAPH: LazyLock<Graph> = LazyLock::new(|| Graph::read(&BYTES));
    &GRAPH
}

impl Graph {
    fn read(bytes: &'static [u8]) -> Self {
        let mut at = Reader(bytes);
        let names = at.many(Reader::text);
        let companions = at.many(Reader::u16);
        let types: Vec<GraphType> = at.many(|at| GraphType {
            name: at.text(),
            kind: at.u8(),
            is_abstract: at.u8() == 1,
            parent: at.u16(),
            name_id: at.u16(),
            root: at.u16(),
            element: at.u16(),
            children: at.u16(),
        });
        let count: usize = types.iter().map(|one| usize::from(one.children)).sum();
        let child = |at: &mut Reader<'static>| GraphChild {
            name: at.u16(),
            base: at.u16(),
            type_id: at.u16(),
            flags: at.u8(),
            element: at.u16(),
        };
        let children = (0..count).map(|_| child(&mut at)).collect();
        Self { names, companions, types, children }
    }
}

/// Every resource of the tables, structures first.
pub(super) fn index() -> Vec<Entry> {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| inflate(PARTS.index, 512 << 10));
    Reader(&BYTES).many(|at| Entry {
        kind: at.u8(),
        block: at.u16(),
        start: at.u32(),
        end: at.u32(),
        url: at.text(),
        version: at.text(),
        name: at.text(),
        type_name: at.text(),
        defines_type: at.u8() == 1,
    })
}

/// The JSON of a resource. Its block stays open.
pub(super) fn json(entry: &Entry) -> Bytes {
    let Some(block) = PARTS.blocks.get(usize::from(entry.block)) else { return Bytes::new() };
    let open = block.open.get_or_init(|| inflate(block.packed, block.raw).into());
    open.slice(entry.start as usize..entry.end as usize)
}

#[expect(clippy::expect_used, reason = "the tables are part of the binary, and a test opens all of them")]
fn inflate(packed: &[u8], size: usize) -> Vec<u8> {
    let mut raw = Vec::with_capacity(size);
    DeflateDecoder::new(packed).read_to_end(&mut raw).expect("the tables of the binary");
    raw
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    #[expect(clippy::expect_used, reason = "the tables are part of the binary, and a test reads all of them")]
    fn take(&mut self, size: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at_checked(size).expect("the tables of the binary");
        self.0 = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N));
        array
    }

    fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.array())
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    #[expect(clippy::expect_used, reason = "the tables are part of the binary, and a test reads all of them")]
    fn text(&mut self) -> &'a str {
        let size = self.u8();
        std::str::from_utf8(self.take(usize::from(size))).expect("the tables of the binary")
    }

    fn many<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.u16();
        (0..count).map(|_| one(self)).collect()
    }
}
