//! The planner: from a [`Query`] to one SELECT, in two steps.
//!
//! A condition can be written in two ways: as a *test* of a resource at hand (`EXISTS`, answered by the clustered
//! tables), or as the *set* of the resources that meet it (answered by the index beside them). The smallest set
//! leads, counted up to [`ENOUGH`] beforehand; everything else is a test. When no set is small, the list of one word
//! or of all resources leads, newest first, and the tests sift it: a page is full after a few rows then, since most
//! rows pass. Chains and reverse chains are sets and tests around those of the other resource.
//!
//! What SQLite and PostgreSQL say differently is in [`dialect`]; the rest is SQL that both have.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::index::{cut, find_param, hash, unit};
use super::postings;
use super::resources::{find_space, version};
use super::sql::{to_i64, to_u64};
use crate::{Bounds, Filter, Found, Page, Query, Sort, SortBy, StoreError, TextTest, Version};

/// A set of up to so many resources is small: it is gathered, sorted and sifted at once.
const ENOUGH: i64 = 1000;

/// Where engines differ.
mod dialect {
    /// The rows of `folded` that begin with a text lie between it and this one, in the order of bytes.
    pub(super) fn after_all_that_begin(text: &str) -> Option<String> {
        let mut chars: Vec<char> = text.chars().collect();
        while let Some(last) = chars.pop() {
            let next = (last as u32 + 1..=char::MAX as u32).find_map(char::from_u32);
            if let Some(next) = next {
                chars.push(next);
                return Some(chars.into_iter().collect());
            }
        }
        None
    }

    /// Whether a column holds a text.
    pub(super) fn holds(column: &str) -> String {
        format!("instr({column}, ?) > 0")
    }
}

/// A piece of SQL, and what its question marks stand for.
#[derive(Debug, Clone, Default)]
struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    fn of(text: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Self {
        Self { text: text.into(), values: values.into_iter().collect() }
    }

    fn nothing() -> Self {
        Self::of("1 = 0", [])
    }

    fn push(&mut self, more: Self) -> &mut Self {
        self.text.push_str(&more.text);
        self.values.extend(more.values);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// `(a AND b)`; `otherwise` when there is none.
    fn joined(pieces: Vec<Self>, word: &str, otherwise: &str) -> Self {
        if pieces.is_empty() {
            return Self::of(otherwise, []);
        }
        let mut all = Self::of("(", []);
        for (at, piece) in pieces.into_iter().enumerate() {
            all.text(if at == 0 { "" } else { word }).push(piece);
        }
        all.text(")");
        all
    }
}

/// Answers a query on one snapshot.
pub(super) fn find(db: &Connection, query: &Query) -> Result<Found, StoreError> {
    let snapshot = db.unchecked_transaction()?;
    let Some(space) = find_space(&snapshot, &query.tenant, &query.kind)? else {
        return Ok(Found { versions: Vec::new(), total: query.count.then_some(0) });
    };
    let mut planner = Planner { db: &snapshot, tenant: &query.tenant, aliases: 0 };
    let matches = planner.matches(space, &query.filter)?;
    let total = if query.count { Some(count(&snapshot, &matches)?) } else { None };
    let versions = planner.page(query, space, matches)?;
    Ok(Found { versions, total })
}

fn count(db: &Connection, matches: &Matches) -> Result<u64, StoreError> {
    let mut select = Sql::of("SELECT count(*) ", []);
    select.push(matches.from.clone()).text(" WHERE ").push(matches.wheres.clone());
    to_u64(db.prepare_cached(&select.text)?.query_row(params_from_iter(&select.values), |row| row.get(0))?)
}

/// The lower and upper bound that a number has, if any.
fn between(column: &str, (least, most): (i64, i64)) -> Sql {
    let mut pieces = Vec::new();
    if least > i64::MIN {
        pieces.push(Sql::of(format!("{column} >= ?"), [least.into()]));
    }
    if most < i64::MAX {
        pieces.push(Sql::of(format!("{column} <= ?"), [most.into()]));
    }
    Sql::joined(pieces, " AND ", "1 = 1")
}

fn within(alias: &str, bounds: &Bounds) -> Sql {
    let mut both = between(&format!("{alias}.low"), bounds.low);
    both.text(" AND ").push(between(&format!("{alias}.high"), bounds.high));
    both
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

fn words(values: &[String]) -> impl Iterator<Item = Value> + '_ {
    values.iter().map(|value| Value::from(hash(value)))
}

/// Every resource that passes, once: `d` leads, `r` is the resource.
struct Matches {
    from: Sql,
    wheres: Sql,
}

struct Planner<'a> {
    db: &'a Connection,
    tenant: &'a str,
    aliases: usize,
}

impl Planner<'_> {
    fn alias(&mut self, letter: &str) -> String {
        self.aliases += 1;
        format!("{letter}{}", self.aliases)
    }

    fn param(&self, space: i64, name: &str) -> Result<Option<i64>, StoreError> {
        find_param(self.db, space, name)
    }

    fn space(&self, kind: &str) -> Result<Option<i64>, StoreError> {
        if kind.is_empty() { Ok(Some(0)) } else { find_space(self.db, self.tenant, kind) }
    }

    fn matches(&mut self, space: i64, filter: &Filter) -> Result<Matches, StoreError> {
        let mut from = Sql::default();
        let mut wheres = Sql::default();
        if let Some(set) = self.smallest(space, filter)? {
            from.text("FROM (SELECT DISTINCT rid FROM (").push(set).text(")) d");
        } else if let Some((param, word)) = self.listed(space, filter)? {
            from.text("FROM entry_exact d");
            wheres.push(Sql::of("d.param = ? AND d.hash = ? AND ", [param.into(), word.into()]));
        } else {
            from.text("FROM posting d");
            wheres.push(Sql::of("d.term = ? AND ", [postings::everything(space).into()]));
        }
        from.text(" CROSS JOIN resource r ON r.rid = d.rid");
        wheres.push(Sql::of("r.space = ? AND r.deleted = 0 AND ", [space.into()])).push(self.test(space, "r", filter)?);
        Ok(Matches { from, wheres })
    }

    /// What must hold of every match.
    fn conjuncts(filter: &Filter) -> Vec<&Filter> {
        match filter {
            Filter::All(all) => all.iter().flat_map(Self::conjuncts).collect(),
            one => vec![one],
        }
    }

    /// The smallest of the sets that hold every match, if it is small.
    fn smallest(&mut self, space: i64, filter: &Filter) -> Result<Option<Sql>, StoreError> {
        let mut best: Option<(i64, Sql)> = None;
        for conjunct in Self::conjuncts(filter) {
            let Some(set) = self.set(space, conjunct)? else { continue };
            let most = best.as_ref().map_or(ENOUGH, |(size, _)| *size);
            let size = self.size(&set, most)?;
            if size < most {
                best = Some((size, set));
            }
        }
        Ok(best.map(|(_, set)| set))
    }

    /// How large a set is, counted up to `most`.
    fn size(&self, set: &Sql, most: i64) -> Result<i64, StoreError> {
        let select = format!("SELECT count(*) FROM (SELECT 1 FROM ({}) LIMIT {most})", set.text);
        Ok(self.db.prepare_cached(&select)?.query_row(params_from_iter(&set.values), |row| row.get(0))?)
    }

    /// One word that every match has: its list is in the order of the answer.
    fn listed(&self, space: i64, filter: &Filter) -> Result<Option<(i64, i64)>, StoreError> {
        for conjunct in Self::conjuncts(filter) {
            if let Filter::Exact(name, values) = conjunct
                && let [only] = values.as_slice()
                && let Some(param) = self.param(space, name)?
            {
                return Ok(Some((param, hash(only))));
            }
        }
        Ok(None)
    }

    /// The resources that meet a condition, as `SELECT rid`; none for a condition that no index answers.
    fn set(&mut self, space: i64, filter: &Filter) -> Result<Option<Sql>, StoreError> {
        Ok(match filter {
            Filter::Exact(name, values) => self.param(space, name)?.map(|param| {
                let select =
                    format!("SELECT rid FROM entry_exact WHERE param = ? AND hash IN ({})", marks(values.len()));
                Sql::of(select, std::iter::once(param.into()).chain(words(values)))
            }),
            Filter::Id(ids) => {
                let select = format!("SELECT rid FROM resource WHERE space = ? AND id IN ({})", marks(ids.len()));
                Some(Sql::of(select, std::iter::once(space.into()).chain(ids.iter().cloned().map(Value::from))))
            }
            Filter::Text(name, test) => {
                let (Some(param), Some(test)) = (self.param(space, name)?, indexed_text(test)) else { return Ok(None) };
                let mut select = Sql::of("SELECT rid FROM entry_text WHERE param = ? AND ", [param.into()]);
                select.push(test);
                Some(select)
            }
            Filter::Range(name, of, bounds) => self.param(space, name)?.map(|param| {
                let values = [param.into(), unit(of).into()];
                let mut select =
                    Sql::of("SELECT e.rid FROM entry_range e WHERE e.param = ? AND e.unit = ? AND ", values);
                select.push(within("e", bounds));
                select
            }),
            Filter::Link(name, targets) => {
                let Some(param) = self.param(space, name)? else { return Ok(None) };
                let mut select = Sql::of("SELECT rid FROM entry_link WHERE param = ? AND ", [param.into()]);
                select.push(self.targets("", targets)?);
                Some(select)
            }
            Filter::LinksTo(name, kind, inner) => self.set_of_linking(space, name, kind, inner)?,
            Filter::LinkedFrom(kind, name, inner) => self.set_of_linked(space, kind, name, inner)?,
            Filter::Any(any) => {
                let mut sets = Vec::new();
                for one in any {
                    let Some(set) = self.set(space, one)? else { return Ok(None) };
                    sets.push(set);
                }
                let mut union = Sql::default();
                for (at, set) in sets.into_iter().enumerate() {
                    union.text(if at == 0 { "" } else { " UNION ALL " }).push(set);
                }
                (!union.text.is_empty()).then_some(union)
            }
            Filter::All(all) => {
                for one in all {
                    if let Some(set) = self.set(space, one)? {
                        return Ok(Some(set));
                    }
                }
                None
            }
            Filter::Not(_) | Filter::Present(_) | Filter::Updated(_) => None,
        })
    }

    fn set_of_linking(
        &mut self,
        space: i64,
        name: &str,
        kind: &str,
        inner: &Filter,
    ) -> Result<Option<Sql>, StoreError> {
        let (Some(param), Some(other)) = (self.param(space, name)?, self.space(kind)?) else { return Ok(None) };
        let Some(targets) = self.set(other, inner)? else { return Ok(None) };
        let (target, link) = (self.alias("t"), self.alias("l"));
        let mut select = Sql::of(format!("SELECT {link}.rid FROM (SELECT DISTINCT rid FROM ("), []);
        select.push(targets).text(&format!(
            ")) q CROSS JOIN resource {target} ON {target}.rid = q.rid CROSS JOIN entry_link {link} \
             ON {link}.param = ? AND {link}.space = {target}.space AND {link}.id = {target}.id \
             WHERE {target}.deleted = 0 AND "
        ));
        select.values.push(param.into());
        select.push(self.test(other, &target, inner)?);
        Ok(Some(select))
    }

    fn set_of_linked(&mut self, space: i64, kind: &str, name: &str, inner: &Filter) -> Result<Option<Sql>, StoreError> {
        let Some(other) = self.space(kind)? else { return Ok(None) };
        let Some(param) = self.param(other, name)? else { return Ok(None) };
        let Some(sources) = self.set(other, inner)? else { return Ok(None) };
        let (source, link, target) = (self.alias("o"), self.alias("l"), self.alias("t"));
        let mut select = Sql::of(format!("SELECT {target}.rid FROM (SELECT DISTINCT rid FROM ("), []);
        select.push(sources).text(&format!(
            ")) q CROSS JOIN resource {source} ON {source}.rid = q.rid CROSS JOIN entry_link {link} \
             ON {link}.rid = q.rid AND {link}.param = ? AND {link}.space = ? \
             CROSS JOIN resource {target} ON {target}.space = {link}.space AND {target}.id = {link}.id \
             WHERE {source}.deleted = 0 AND "
        ));
        select.values.extend([param.into(), space.into()]);
        select.push(self.test(other, &source, inner)?);
        Ok(Some(select))
    }

    /// `(space = ? AND id IN (…)) OR …` for the targets of a link.
    fn targets(&self, prefix: &str, targets: &[(String, String)]) -> Result<Sql, StoreError> {
        let mut pieces = Vec::new();
        for (kind, id) in targets {
            if let Some(space) = self.space(kind)? {
                let one = format!("({prefix}space = ? AND {prefix}id = ?)");
                pieces.push(Sql::of(one, [space.into(), id.clone().into()]));
            }
        }
        Ok(Sql::joined(pieces, " OR ", "1 = 0"))
    }

    /// A condition on the resource that `at` names.
    fn test(&mut self, space: i64, at: &str, filter: &Filter) -> Result<Sql, StoreError> {
        Ok(match filter {
            Filter::All(all) => Sql::joined(self.tests(space, at, all)?, " AND ", "1 = 1"),
            Filter::Any(any) => Sql::joined(self.tests(space, at, any)?, " OR ", "1 = 0"),
            Filter::Not(not) => {
                let mut sql = Sql::of("NOT ", []);
                sql.push(self.test(space, at, not)?);
                sql
            }
            Filter::Id(ids) => {
                Sql::of(format!("{at}.id IN ({})", marks(ids.len())), ids.iter().cloned().map(Value::from))
            }
            Filter::Updated(bounds) => {
                let alias = self.alias("v");
                let mut sql =
                    Sql::of(format!("EXISTS (SELECT 1 FROM version {alias} WHERE {alias}.seq = {at}.seq AND "), []);
                let column = format!("{alias}.at");
                sql.push(between(&column, bounds.low)).text(" AND ").push(between(&column, bounds.high)).text(")");
                sql
            }
            Filter::Present(name) => self.present(space, at, name)?,
            Filter::Exact(name, values) => {
                let test = Sql::of(format!("e.hash IN ({})", marks(values.len())), words(values));
                self.entry(space, at, "entry_exact", name, test)?
            }
            Filter::Text(name, test) => {
                let test = indexed_text(test).unwrap_or_else(|| sifted_text(test));
                self.entry(space, at, "entry_text", name, test)?
            }
            Filter::Range(name, of, bounds) => {
                let mut test = Sql::of("e.unit = ? AND ", [unit(of).into()]);
                test.push(within("e", bounds));
                self.entry(space, at, "entry_range", name, test)?
            }
            Filter::Link(name, targets) => {
                let test = self.targets("e.", targets)?;
                self.entry(space, at, "entry_link", name, test)?
            }
            Filter::LinksTo(name, kind, inner) => {
                let (Some(param), Some(other)) = (self.param(space, name)?, self.space(kind)?) else {
                    return Ok(Sql::nothing());
                };
                let (link, target) = (self.alias("l"), self.alias("t"));
                let mut sql = Sql::of(
                    format!(
                        "EXISTS (SELECT 1 FROM entry_link {link} CROSS JOIN resource {target} \
                         ON {target}.space = {link}.space AND {target}.id = {link}.id \
                         WHERE {link}.rid = {at}.rid AND {link}.param = ? AND {link}.space = ? AND {target}.deleted = 0 AND "
                    ),
                    [param.into(), other.into()],
                );
                sql.push(self.test(other, &target, inner)?).text(")");
                sql
            }
            Filter::LinkedFrom(kind, name, inner) => {
                let Some(other) = self.space(kind)? else { return Ok(Sql::nothing()) };
                let Some(param) = self.param(other, name)? else { return Ok(Sql::nothing()) };
                let (link, source) = (self.alias("l"), self.alias("o"));
                let mut sql = Sql::of(
                    format!(
                        "EXISTS (SELECT 1 FROM entry_link {link} CROSS JOIN resource {source} ON {source}.rid = {link}.rid \
                         WHERE {link}.param = ? AND {link}.space = {at}.space AND {link}.id = {at}.id \
                         AND {source}.deleted = 0 AND "
                    ),
                    [param.into()],
                );
                sql.push(self.test(other, &source, inner)?).text(")");
                sql
            }
        })
    }

    fn tests(&mut self, space: i64, at: &str, filters: &[Filter]) -> Result<Vec<Sql>, StoreError> {
        filters.iter().map(|filter| self.test(space, at, filter)).collect()
    }

    fn entry(&self, space: i64, at: &str, table: &str, name: &str, test: Sql) -> Result<Sql, StoreError> {
        let Some(param) = self.param(space, name)? else { return Ok(Sql::nothing()) };
        let mut sql = Sql::of(
            format!("EXISTS (SELECT 1 FROM {table} e WHERE e.rid = {at}.rid AND e.param = ? AND "),
            [param.into()],
        );
        sql.push(test).text(")");
        Ok(sql)
    }

    fn present(&self, space: i64, at: &str, name: &str) -> Result<Sql, StoreError> {
        let tables = ["entry_exact", "entry_text", "entry_range", "entry_link"];
        let each: Result<Vec<Sql>, StoreError> =
            tables.iter().map(|table| self.entry(space, at, table, name, Sql::of("1 = 1", []))).collect();
        Ok(Sql::joined(each?, " OR ", "1 = 0"))
    }

    /// One page of the matches.
    fn page(&self, query: &Query, space: i64, matches: Matches) -> Result<Vec<Version>, StoreError> {
        let limit = query.page.limit.min(Page::MAX) as i64;
        if limit == 0 {
            return Ok(Vec::new());
        }
        let order = self.order(space, &query.sort)?;
        let mut select = Sql::of("SELECT r.id, v.version, v.at, v.deleted, v.body, r.rid ", []);
        select.push(matches.from).text(" CROSS JOIN version v ON v.seq = r.seq WHERE ").push(matches.wheres);
        if let Some(after) = query.page.after {
            let last = to_i64(after.to_u64());
            let values = self.sorted_by(&order, last)?;
            select.text(" AND ").push(order::after(&order, &values, last));
        }
        select.push(order::by(&order)).text(" LIMIT ?");
        select.values.push(limit.into());
        let mut statement = self.db.prepare_cached(&select.text)?;
        let mut rows = statement.query(params_from_iter(&select.values))?;
        let mut versions = Vec::new();
        while let Some(row) = rows.next()? {
            versions.push(version(row, 1, &query.kind, row.get(0)?, to_u64(row.get(5)?)?)?);
        }
        Ok(versions)
    }

    fn order(&self, space: i64, sort: &[Sort]) -> Result<Vec<order::Step>, StoreError> {
        sort.iter().map(|sort| self.step(space, sort)).collect()
    }

    fn step(&self, space: i64, sort: &Sort) -> Result<order::Step, StoreError> {
        let (table, name, column, and) = match (&sort.by, sort.descending) {
            (SortBy::Updated, descending) => return Ok(order::Step::column("r.seq", descending)),
            (SortBy::Id, descending) => return Ok(order::Step::column("r.id", descending)),
            (SortBy::Text(name), false) => ("entry_text", name, "min(folded)", ""),
            (SortBy::Text(name), true) => ("entry_text", name, "max(folded)", ""),
            (SortBy::Range(name), false) => ("entry_range", name, "min(low)", " AND unit = 0"),
            (SortBy::Range(name), true) => ("entry_range", name, "max(high)", " AND unit = 0"),
            (SortBy::Link(name), false) => ("entry_link", name, "min(id)", ""),
            (SortBy::Link(name), true) => ("entry_link", name, "max(id)", ""),
        };
        let value = match self.param(space, name)? {
            Some(param) => {
                let select = format!("(SELECT {column} FROM {table} WHERE rid = r.rid AND param = ?{and})");
                Sql::of(select, [param.into()])
            }
            None => Sql::of("NULL", []),
        };
        Ok(order::Step { value, descending: sort.descending })
    }

    /// What the last resource of a page is sorted by.
    fn sorted_by(&self, order: &[order::Step], rid: i64) -> Result<Vec<Value>, StoreError> {
        if order.is_empty() {
            return Ok(Vec::new());
        }
        let mut select = Sql::of("SELECT ", []);
        for (at, step) in order.iter().enumerate() {
            select.text(if at == 0 { "" } else { ", " }).push(step.value.clone());
        }
        select.text(" FROM resource r WHERE r.rid = ? AND r.deleted = 0");
        select.values.push(rid.into());
        let mut statement = self.db.prepare_cached(&select.text)?;
        let mut rows = statement.query(params_from_iter(&select.values))?;
        let Some(row) = rows.next()? else {
            return Err(StoreError::Invalid {
                what: "page",
                rule: "the resource that it goes on after is still there",
            });
        };
        (0..order.len()).map(|at| Ok(row.get(at)?)).collect()
    }
}

/// A text that the index finds.
fn indexed_text(test: &TextTest) -> Option<Sql> {
    Some(match test {
        TextTest::Is(text) => Sql::of("folded = ?", [cut(text).to_owned().into()]),
        TextTest::Written(folded, written) => {
            Sql::of("folded = ? AND written = ?", [cut(folded).to_owned().into(), cut(written).to_owned().into()])
        }
        TextTest::Begins(text) => {
            let from = cut(text).to_owned();
            match dialect::after_all_that_begin(&from) {
                Some(to) => Sql::of("folded >= ? AND folded < ?", [from.into(), to.into()]),
                None => Sql::of("folded >= ?", [from.into()]),
            }
        }
        TextTest::Holds(_) => return None,
    })
}

/// A text that each row is asked for.
fn sifted_text(test: &TextTest) -> Sql {
    match test {
        TextTest::Holds(text) => Sql::of(dialect::holds("folded"), [text.clone().into()]),
        other => indexed_text(other).unwrap_or_else(Sql::nothing),
    }
}

/// The order of an answer, and where a page of it begins.
mod order {
    use rusqlite::types::Value;

    use super::Sql;

    pub(super) struct Step {
        pub(super) value: Sql,
        pub(super) descending: bool,
    }

    impl Step {
        pub(super) fn column(name: &str, descending: bool) -> Self {
            Self { value: Sql::of(name, []), descending }
        }
    }

    pub(super) fn by(steps: &[Step]) -> Sql {
        let mut sql = Sql::of(" ORDER BY ", []);
        for step in steps {
            let way = if step.descending { " DESC NULLS LAST, " } else { " NULLS LAST, " };
            sql.push(step.value.clone()).text(way);
        }
        sql.text("d.rid DESC");
        sql
    }

    /// What comes after a resource whose steps have these values.
    pub(super) fn after(steps: &[Step], values: &[Value], rid: i64) -> Sql {
        let (Some((step, steps)), Some((value, values))) = (steps.split_first(), values.split_first()) else {
            return Sql::of("d.rid < ?", [rid.into()]);
        };
        let mut sql = Sql::of("(", []);
        if *value == Value::Null {
            sql.push(step.value.clone()).text(" IS NULL AND ").push(after(steps, values, rid)).text(")");
            return sql;
        }
        let than = if step.descending { " < ? OR " } else { " > ? OR " };
        sql.push(step.value.clone()).text(than);
        sql.values.push(value.clone());
        sql.push(step.value.clone()).text(" IS NULL OR (").push(step.value.clone()).text(" = ? AND ");
        sql.values.push(value.clone());
        sql.push(after(steps, values, rid)).text("))");
        sql
    }
}
