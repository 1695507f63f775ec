//! The files that are meant: named, found in folders, or matched by a pattern that no shell has expanded
//! (Windows has none that does).

use std::fs;
use std::path::{Path, PathBuf};

use socle_finding::Text;

/// One thing to judge.
#[derive(Debug)]
pub(super) enum Input {
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// What the user named and that cannot be opened.
    Unusable {
        name: String,
        why: Text,
        mend: Text,
    },
}

/// In a folder, files with these endings are taken; any file is when it is named.
const ENDINGS: [&str; 5] = ["json", "xml", "ndjson", "jsonl", "zip"];

/// A folder in a folder, no deeper than this.
pub(super) const DEEPEST: usize = 64;

/// What is meant by these arguments, in their order; inside a folder by name.
pub(super) fn expand(arguments: &[PathBuf]) -> Vec<Input> {
    arguments.iter().flat_map(|argument| expand_one(argument)).collect()
}

fn expand_one(argument: &Path) -> Vec<Input> {
    if argument.as_os_str() == "-" {
        return vec![Input::Stdin];
    }
    let is_pattern = argument.to_str().is_some_and(|text| text.contains(['*', '?', '[']));
    match fs::metadata(argument) {
        Ok(data) if data.is_dir() => in_folder(argument),
        Ok(_) => vec![Input::File(argument.to_owned())],
        Err(_) if is_pattern => matching(argument),
        Err(error) => vec![unusable(argument, &error)],
    }
}

fn in_folder(folder: &Path) -> Vec<Input> {
    let mut files = Vec::new();
    let mut inputs = Vec::new();
    walk(folder, DEEPEST, &mut files, &mut inputs);
    files.retain(|file| {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        ENDINGS.contains(&ending.as_str())
    });
    if files.is_empty() && inputs.is_empty() {
        let why = Text::fixed("ce dossier ne contient rien à valider", "there is nothing to validate in this folder");
        let mend = Text::fixed(
            "donnez un dossier qui contient des .json, .ndjson, .xml ou .zip, ou nommez les fichiers",
            "give a folder with .json, .ndjson, .xml or .zip files, or name the files",
        );
        return vec![Input::Unusable { name: folder.display().to_string(), why, mend }];
    }
    inputs.extend(files.into_iter().map(Input::File));
    inputs
}

/// All files below a folder, by name; links to folders are not followed: they may turn in a circle.
pub(super) fn walk(folder: &Path, left: usize, files: &mut Vec<PathBuf>, troubles: &mut Vec<Input>) {
    let items = match fs::read_dir(folder) {
        Ok(items) => items,
        Err(error) => {
            troubles.push(unusable(folder, &error));
            return;
        }
    };
    let mut paths: Vec<PathBuf> = items.filter_map(|item| Some(item.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let is_hidden = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with('.'));
        let Ok(data) = fs::symlink_metadata(&path) else { continue };
        if data.is_dir() && !is_hidden && left > 0 {
            walk(&path, left - 1, files, troubles);
        } else if path.is_file() && !is_hidden {
            files.push(path);
        }
    }
}

/// The files that a pattern matches: `*` and `?` inside a name, `[…]` for one sign, `**` for any folders.
fn matching(pattern: &Path) -> Vec<Input> {
    let steps: Vec<String> = pattern.components().map(|step| step.as_os_str().to_string_lossy().into_owned()).collect();
    let plain = steps.iter().take_while(|step| !step.contains(['*', '?', '['])).count();
    let root: PathBuf = steps[..plain].iter().collect();
    let start = if root.as_os_str().is_empty() { Path::new(".") } else { root.as_path() };
    let (mut files, mut troubles) = (Vec::new(), Vec::new());
    walk(start, DEEPEST, &mut files, &mut troubles);
    let wanted: Vec<&str> = steps[plain..].iter().map(String::as_str).collect();
    files.retain(|file| {
        let below = file.strip_prefix(start).unwrap_or(file);
        let names: Vec<String> =
            below.components().map(|step| step.as_os_str().to_string_lossy().into_owned()).collect();
        matches(&wanted, &names.iter().map(String::as_str).collect::<Vec<_>>())
    });
    if files.is_empty() {
        let why = Text::fixed("aucun fichier ne correspond à ce motif", "no file matches this pattern");
        let mend = Text::fixed("vérifiez le motif et le dossier courant", "check the pattern and the current folder");
        return vec![Input::Unusable { name: pattern.display().to_string(), why, mend }];
    }
    let shown = |file: PathBuf| {
        if root.as_os_str().is_empty() { file.strip_prefix(".").map(Path::to_owned).unwrap_or(file) } else { file }
    };
    files.into_iter().map(|file| Input::File(shown(file))).collect()
}

fn matches(wanted: &[&str], names: &[&str]) -> bool {
    match (wanted.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            matches(rest, names) || names.split_first().is_some_and(|(_, names)| matches(wanted, names))
        }
        (Some((step, rest)), Some((name, names))) => {
            let signs: Vec<char> = step.chars().collect();
            name_matches(&signs, &name.chars().collect::<Vec<_>>()) && matches(rest, names)
        }
        _ => false,
    }
}

/// One name against one step, in time of their product: a `*` is only ever tried again from its last place.
fn name_matches(step: &[char], name: &[char]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        if let Some(length) = step.get(at..).and_then(|rest| one_matches(rest, name[from])) {
            at += length;
            from += 1;
        } else if step.get(at) == Some(&'*') {
            star = Some((at + 1, from));
            at += 1;
        } else if let Some((after, tried)) = star {
            star = Some((after, tried + 1));
            (at, from) = (after, tried + 1);
        } else {
            return false;
        }
    }
    step[at..].iter().all(|sign| *sign == '*')
}

/// How many signs of the step stand for this one of the name; none when they do not.
fn one_matches(step: &[char], sign: char) -> Option<usize> {
    match step.first()? {
        '*' => None,
        '?' => Some(1),
        '[' => {
            let end = step.iter().skip(2).position(|sign| *sign == ']')? + 2;
            let is_not = matches!(step[1], '!' | '^');
            let set = &step[1 + usize::from(is_not)..end];
            let ranged = set.windows(3).any(|part| part[1] == '-' && (part[0]..=part[2]).contains(&sign));
            ((ranged || set.contains(&sign)) != is_not).then_some(end + 1)
        }
        other => (*other == sign).then_some(1),
    }
}

/// A file or folder that the system does not give.
pub(super) fn unusable(path: &Path, error: &std::io::Error) -> Input {
    let (why, mend) = refused(error);
    Input::Unusable { name: path.display().to_string(), why, mend }
}

/// What the system says, in the user's words.
pub(super) fn refused(error: &std::io::Error) -> (Text, Text) {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => (
            Text::fixed("ce fichier n'existe pas", "this file does not exist"),
            Text::fixed("vérifiez le chemin", "check the path"),
        ),
        ErrorKind::PermissionDenied => (
            Text::fixed("ce fichier n'est pas lisible : droits insuffisants", "this file may not be read: no right to"),
            Text::fixed("vérifiez les droits du fichier", "check the rights of the file"),
        ),
        _ => (
            Text::new(format!("ce fichier ne se lit pas ({error})"), format!("this file cannot be read ({error})")),
            Text::fixed("vérifiez le fichier et le disque", "check the file and the disk"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_a_shell_would() {
        let cases = [
            (&["*.xml"][..], "a.xml", true),
            (&["*.xml"], "d/a.xml", false),
            (&["**", "*.xml"], "d/e/a.xml", true),
            (&["**", "*.xml"], "a.xml", true),
            (&["d", "*", "a.xml"], "d/e/a.xml", true),
            (&["d", "*", "a.xml"], "d/a.xml", false),
            (&["a?.json"], "a1.json", true),
            (&["a?.json"], "a.json", false),
            (&["[ab]*.json"], "b.json", true),
            (&["[!ab]*.json"], "b.json", false),
            (&["[0-9].xml"], "7.xml", true),
            (&["[0-9].xml"], "x.xml", false),
            (&["*a*b*c"], "xxaxxbxxc", true),
            (&["*a*b*c"], "xxaxxcxxb", false),
            (&["["], "[", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, &name.split('/').collect::<Vec<_>>()), expected, "{pattern:?} {name}");
        }
        let (bomb, name) = (format!("{}b", "*a".repeat(40)), "a".repeat(5000));
        assert!(!matches(&[&bomb], &[&name]));
    }
}
