//! Grants as they are typed.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{exit::Failure, input};

/// What is asked for: a list, or grants one by one, or the words of a single one.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(super) struct GrantArgs {
    /// File with the JSON list of grants, or `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["grant", "action", "resource"])]
    grants: Option<PathBuf>,
    /// A grant as JSON; may be given more than once
    #[arg(long, value_name = "JSON", conflicts_with_all = ["action", "resource"])]
    grant: Vec<String>,
    /// An action of the one grant; may be given more than once
    #[arg(long, value_name = "ACTION", requires = "resource")]
    action: Vec<String>,
    /// A resource of the one grant; may be given more than once
    #[arg(long, value_name = "RESOURCE", requires = "action")]
    resource: Vec<String>,
}

impl GrantArgs {
    /// Whether standard input is the grants.
    pub(super) fn takes_input(&self) -> bool {
        self.grants.as_deref() == Some(Path::new("-"))
    }

    /// The JSON list. What is in it is the server's to judge: it has the words for every mistake.
    pub(super) fn text(&self) -> Result<String, Failure> {
        let Self { grants, grant, action, resource } = self;
        if let Some(file) = grants {
            return input::read_text(file, "the grants");
        }
        if grant.is_empty() {
            return Ok(json!([{"type": "task_grant", "actions": action, "resources": resource}]).to_string());
        }
        // Each alone, so that one that is no JSON cannot become two with the text around it. Its text goes on as it is:
        // a repeated member is the server's to refuse.
        for text in grant {
            serde_json::from_str::<serde::de::IgnoredAny>(text)
                .map_err(|error| Failure::failed(&format!("--grant: {error}")))?;
        }
        Ok(format!("[{}]", grant.join(",")))
    }
}
