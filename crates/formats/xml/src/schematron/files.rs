//! Where rules, value sets and schemas are read from: a folder of the disk, or memory. Nothing outside can be named.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Files of one folder. Names are relative to it, with `/`; case is forgiven, since the published files were written
/// where it does not count.
pub trait Files: Send + Sync {
    /// The name as stored, `None` when there is no such file.
    fn find(&self, path: &str) -> Option<String>;

    /// The bytes of a file, by its name as stored.
    ///
    /// # Errors
    /// What the system says, or that it is too big.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// All names as stored, sorted.
    fn list(&self) -> Vec<String>;
}

/// `href` seen from the folder of `from`: relative names only, never above the root.
pub(crate) fn resolve(from: &str, href: &str) -> Option<String> {
    let href = href.replace('\\', "/");
    if href.is_empty() || href.starts_with('/') || href.contains(':') || href.contains('\0') {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in href.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// No file of rules is near this size; the largest published terminology has 14 MB.
const FILE: u64 = 64 << 20;
/// Files in one folder.
const COUNT: usize = 50_000;
/// Folders in folders.
const DEPTH: usize = 16;

/// A folder of the disk, listed when it is opened. Symbolic links are not followed.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    names: Names,
}

#[derive(Debug, Default)]
struct Names {
    exact: BTreeMap<String, ()>,
    folded: HashMap<String, String>,
}

impl Names {
    fn add(&mut self, name: String) {
        self.folded.entry(name.to_lowercase()).or_insert_with(|| name.clone());
        self.exact.insert(name, ());
    }

    fn find(&self, path: &str) -> Option<String> {
        if self.exact.contains_key(path) {
            return Some(path.to_owned());
        }
        self.folded.get(&path.to_lowercase()).cloned()
    }
}

impl Folder {
    /// Opens a folder.
    ///
    /// # Errors
    /// What the system says; more files or folders than a package has.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        let mut names = Names::default();
        let mut left = vec![(root.clone(), String::new(), 0)];
        while let Some((folder, prefix, depth)) = left.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let (kind, name) = (entry.file_type()?, format!("{prefix}{name}"));
                if kind.is_dir() && depth < DEPTH {
                    left.push((entry.path(), format!("{name}/"), depth + 1));
                } else if kind.is_file() {
                    names.add(name);
                }
                if names.exact.len() > COUNT {
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many files in the folder"));
                }
            }
        }
        Ok(Self { root, names })
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl Files for Folder {
    fn find(&self, path: &str) -> Option<String> {
        self.names.find(path)
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if !self.names.exact.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let file = self.root.join(path);
        if fs::metadata(&file)?.len() > FILE {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is too big"));
        }
        fs::read(file)
    }

    fn list(&self) -> Vec<String> {
        self.names.exact.keys().cloned().collect()
    }
}

/// Files in memory.
#[derive(Debug, Default)]
pub struct Memory {
    names: Names,
    files: HashMap<String, Vec<u8>>,
}

impl Memory {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.names.add(name.to_owned());
        self.files.insert(name.to_owned(), bytes.into());
        self
    }
}

impl Files for Memory {
    fn find(&self, path: &str) -> Option<String> {
        self.names.find(path)
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self) -> Vec<String> {
        self.names.exact.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below_the_root() {
        let cases = [
            ("a/x.sch", "../b/y.xml", Some("b/y.xml")),
            ("a/x.sch", "include/../y.xml", Some("a/y.xml")),
            ("a/x.sch", "b\\y.xml", Some("a/b/y.xml")),
            ("x.sch", "./y.xml", Some("y.xml")),
            ("x.sch", "../y.xml", None),
            ("a/x.sch", "../../y.xml", None),
            ("a/x.sch", "/etc/passwd", None),
            ("a/x.sch", "http://example.org/y.xml", None),
            ("a/x.sch", "c:\\y.xml", None),
            ("a/x.sch", "", None),
        ];
        for (from, href, expected) in cases {
            assert_eq!(resolve(from, href).as_deref(), expected, "{from} {href}");
        }
    }

    #[test]
    fn case_is_forgiven() {
        let files = Memory::new().with("Sections/A.sch", "x");
        assert_eq!(files.find("sections/a.SCH").as_deref(), Some("Sections/A.sch"));
        assert_eq!(files.find("sections/b.sch"), None);
    }
}
