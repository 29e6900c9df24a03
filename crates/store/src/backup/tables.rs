//! The tables that a backup holds.

use crate::link::Link;

/// A table: its columns, and the order of its rows.
pub(super) struct Table {
    pub(super) name: &'static str,
    columns: &'static [&'static str],
    key: &'static str,
}

/// All that outlives a server, but for what is of one moment: replicas, and the row of the store itself.
pub(super) const TABLES: [Table; 10] = [
    Table {
        name: "policy_generations",
        columns: &["generation", "digest", "directory_digest", "sources", "published_at", "published_by"],
        key: "generation",
    },
    Table { name: "client_secrets", columns: &["client", "secret_sha256", "made_at"], key: "client" },
    Table {
        name: "tasks",
        columns: &[
            "id",
            "parent",
            "path",
            "client",
            "subject",
            "agent",
            "audience",
            "grants",
            "cnf",
            "max_depth",
            "note",
            "state",
            "created_at",
            "expires_at",
            "ended_at",
        ],
        key: "id",
    },
    Table {
        name: "revocations",
        columns: &[
            "seq",
            "level",
            "name",
            "audience",
            "reason",
            "revoked_by",
            "revoked_at",
            "expires_at",
            "lifted_seq",
            "lifted_by",
            "lifted_at",
        ],
        key: "seq",
    },
    Table { name: "limits", columns: &["task", "id", "uses", "used", "expires_at"], key: "task, id" },
    Table { name: "uses", columns: &["decision", "remaining", "used_at"], key: "decision" },
    Table {
        name: "signing_keys",
        columns: &[
            "kid",
            "alg",
            "public_key",
            "sealed",
            "state",
            "created_at",
            "active_at",
            "retired_at",
            "last_exp",
        ],
        key: "kid",
    },
    Table { name: "sealed_secrets", columns: &["name", "sealed", "made_at"], key: "name" },
    Table {
        name: "audit_batches",
        columns: &["writer", "seq", "sealed_at", "events", "body", "previous", "hash", "mac"],
        key: "writer, seq",
    },
    Table {
        name: "audit_writers",
        columns: &[
            "writer",
            "started_at",
            "head_seq",
            "head_hash",
            "head_mac",
            "pruned_seq",
            "pruned_hash",
            "pruned_mac",
        ],
        key: "writer",
    },
];

impl Table {
    /// A statement that reads each row as one JSON object.
    pub(super) fn select(&self, link: &Link) -> String {
        let Self { name, columns, key } = self;
        match link {
            Link::Sqlite(..) => {
                let pairs: Vec<String> =
                    columns.iter().map(|column| format!("'{column}', {column}")).collect();
                format!("SELECT json_object({}) FROM {name} ORDER BY {key}", pairs.join(", "))
            }
            Link::Postgres(_) => {
                let columns = columns.join(", ");
                format!("SELECT row_to_json(r)::text FROM (SELECT {columns} FROM {name} ORDER BY {key}) AS r")
            }
        }
    }

    /// A statement that adds the rows of a JSON list. Rows that are there already stay.
    pub(super) fn insert(&self, link: &Link) -> String {
        let Self { name, columns, .. } = self;
        let list = columns.join(", ");
        let rows = match link {
            Link::Sqlite(..) => {
                let values: Vec<String> =
                    columns.iter().map(|column| format!("value ->> '{column}'")).collect();
                format!("SELECT {} FROM json_each($1) WHERE TRUE", values.join(", "))
            }
            Link::Postgres(_) => {
                format!("SELECT {list} FROM json_populate_recordset(NULL::{name}, $1::json)")
            }
        };
        format!("INSERT INTO {name} ({list}) {rows} ON CONFLICT DO NOTHING")
    }
}
