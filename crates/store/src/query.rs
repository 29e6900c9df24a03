//! Queries with any of several conditions.

use sqlx::AssertSqlSafe;

use crate::{
    Store,
    error::{Fault, StoreError},
    link::on_link,
    store::bounded,
};

/// A `SELECT` that is put together. All text in it is the program's own: values are bound.
pub(crate) struct Query {
    text: String,
    values: Vec<Value>,
    has_condition: bool,
}

#[derive(Clone)]
enum Value {
    Text(String),
    Number(i64),
}

impl Query {
    pub(crate) fn new(select: &str) -> Self {
        Self { text: select.to_owned(), values: Vec::new(), has_condition: false }
    }

    /// Adds a condition without a value.
    pub(crate) fn when(&mut self, condition: &str) {
        self.text.push_str(if self.has_condition { " AND " } else { " WHERE " });
        self.text.push_str(condition);
        self.has_condition = true;
    }

    /// Adds a condition, if there is a value for its `?`.
    pub(crate) fn text(&mut self, condition: &str, value: Option<String>) {
        if let Some(value) = value {
            self.bound(condition, Value::Text(value));
        }
    }

    /// As [`Query::text`]. A number that no database holds is as good as the largest.
    pub(crate) fn number(&mut self, condition: &str, value: Option<u64>) {
        if let Some(value) = value {
            self.bound(condition, Value::Number(i64::try_from(value).unwrap_or(i64::MAX)));
        }
    }

    /// Only rows of which `column` contains one of `texts`.
    pub(crate) fn any_contained(&mut self, column: &str, texts: &[String]) {
        let conditions = texts.iter().map(|text| {
            let pattern = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            self.values.push(Value::Text(format!("%{pattern}%")));
            format!("{column} LIKE ${} ESCAPE '\\'", self.values.len())
        });
        let condition = conditions.collect::<Vec<_>>().join(" OR ");
        self.when(&format!("({condition})"));
    }

    /// Only rows that follow one in the order of three columns, of which the second is a text.
    pub(crate) fn after(&mut self, [one, two, three]: [&str; 3], first: u64, second: String, third: u64) {
        let number = |number| Value::Number(i64::try_from(number).unwrap_or(i64::MAX));
        self.values.extend([number(first), Value::Text(second), number(third)]);
        let [a, b, c] = [2, 1, 0].map(|back| self.values.len() - back);
        self.when(&format!("({one}, {two}, {three}) > (${a}, ${b}, ${c})"));
    }

    fn bound(&mut self, condition: &str, value: Value) {
        self.values.push(value);
        let place = format!("${}", self.values.len());
        self.when(&condition.replace('?', &place));
    }

    /// Adds order and limit.
    pub(crate) fn ending(mut self, order: &str, limit: u32) -> Self {
        self.text.push_str(&format!(" ORDER BY {order} LIMIT {limit}"));
        self
    }
}

impl Store {
    pub(crate) async fn rows<R, T>(
        &self,
        query: Query,
        read: impl Fn(R) -> Result<T, Fault>,
    ) -> Result<Vec<T>, StoreError>
    where
        R: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
            + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>
            + Send
            + Unpin,
    {
        let mut lease = self.lease().await?;
        let Query { text, values, .. } = query;
        let rows: Result<Vec<R>, Fault> = on_link!(&mut lease.link, link => {
            let mut query = sqlx::query_as(AssertSqlSafe(text));
            for value in values {
                query = match value {
                    Value::Text(text) => query.bind(text),
                    Value::Number(number) => query.bind(number),
                };
            }
            bounded(query.fetch_all(link)).await
        });
        let rows = rows.and_then(|rows| rows.into_iter().map(read).collect());
        let rows = rows.map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(rows)
    }
}
