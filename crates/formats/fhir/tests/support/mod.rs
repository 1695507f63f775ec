//! The shared sample data: found, unpacked, or missed out loud.

use std::io::Read;
use std::path::{Path, PathBuf};

/// A file of the shared data, or nothing and a line that says which test was skipped.
///
/// With `SOCLE_STRICT=1`, missing data is a failure.
pub(crate) fn shared(test: &str, path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SOCLE_SHARED").map_or_else(default_root, PathBuf::from);
    let file = root.join("data").join(path);
    if file.exists() {
        return Some(file);
    }
    assert!(std::env::var("SOCLE_STRICT").as_deref() != Ok("1"), "{test}: no shared data at {}", file.display());
    println!("SKIPPED {test}: no shared data");
    None
}

fn default_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared")
}

/// The JSON files of a `.tgz`, by their path inside, in its order.
#[allow(dead_code, reason = "not every test unpacks by itself")]
pub(crate) fn unpack(tgz: &Path) -> Vec<(String, Vec<u8>)> {
    let mut tar = Vec::new();
    let packed = std::fs::File::open(tgz).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut tar).unwrap();
    let mut files = Vec::new();
    let mut rest = tar.as_slice();
    let mut long_name = None;
    while rest.len() >= 512 && rest[0] != 0 {
        let (header, after) = rest.split_at(512);
        let size = octal(&header[124..136]);
        let content = &after[..size];
        rest = &after[size.div_ceil(512) * 512..];
        match header[156] {
            b'L' => long_name = Some(text(content)),
            b'0' | 0 => {
                let name = long_name.take().unwrap_or_else(|| ustar_name(header));
                if name.ends_with(".json") {
                    files.push((name, content.to_vec()));
                }
            }
            _ => long_name = None,
        }
    }
    assert!(!files.is_empty(), "{} holds no JSON", tgz.display());
    files
}

fn ustar_name(header: &[u8]) -> String {
    let (name, prefix) = (text(&header[..100]), text(&header[345..500]));
    if prefix.is_empty() || &header[257..262] != b"ustar" { name } else { format!("{prefix}/{name}") }
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

fn octal(field: &[u8]) -> usize {
    let digits = field.iter().filter(|byte| byte.is_ascii_digit());
    digits.fold(0, |value, digit| value * 8 + usize::from(digit - b'0'))
}
