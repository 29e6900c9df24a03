//! Requests by `curl`: what is printed is what is run.

use std::path::Path;

use harness::{
    Result,
    error::{IoContext, unexpected},
};
use serde_json::Value;
use tokio::process::Command;

/// One `curl` command.
#[derive(Debug, Clone)]
pub(crate) struct Curl {
    arguments: Vec<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Curl {
    /// A GET of `url`, path sent as it is written.
    pub(crate) fn new(url: &str) -> Self {
        Self { arguments: vec!["--path-as-is".into(), url.into()] }
    }

    pub(crate) fn with(mut self, option: &str, value: &str) -> Self {
        self.arguments.extend([option.to_owned(), value.to_owned()]);
        self
    }

    pub(crate) fn header(self, field: &str) -> Self {
        self.with("-H", field)
    }

    /// Runs it; the body goes through a file in `scratch`, so that it may be any bytes.
    ///
    /// # Errors
    /// `curl` is not installed, or there was no HTTP answer at all.
    pub(crate) async fn run(&self, scratch: &Path) -> Result<Answer> {
        let file = scratch.join("body");
        let _ = std::fs::remove_file(&file);
        let output = Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--max-time",
                "20",
                "--noproxy",
                "*",
                "--write-out",
                "%{http_code}",
                "--output",
            ])
            .arg(&file)
            .args(&self.arguments)
            .output()
            .await
            .context(|| "run `curl` (is it installed?)".to_owned())?;
        if !output.status.success() {
            return Err(unexpected(format!("curl: {}", String::from_utf8_lossy(&output.stderr).trim())));
        }
        let status = String::from_utf8_lossy(&output.stdout).trim().parse().map_err(unexpected)?;
        Ok(Answer { status, body: std::fs::read(&file).unwrap_or_default() })
    }

    /// The command as it could be typed.
    pub(crate) fn command(&self) -> String {
        let mut line = String::from("curl");
        for argument in &self.arguments {
            let plain =
                argument.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:=@%".contains(&byte));
            if plain {
                line.push_str(&format!(" {argument}"));
            } else {
                line.push_str(&format!(" '{}'", argument.replace('\'', r"'\''")));
            }
        }
        line
    }

    /// The command with its long or secret arguments cut, to be read.
    pub(crate) fn short(&self) -> String {
        let mut copy = self.clone();
        for argument in &mut copy.arguments {
            for before in ["Bearer ", "access_token=", "subject_token="] {
                if let Some(at) = argument.find(before) {
                    let cut = at + before.len();
                    let shown: String = argument[cut..].chars().take(8).collect();
                    *argument = format!("{}{shown}…", &argument[..cut]);
                }
            }
        }
        copy.command()
    }
}

impl Answer {
    /// The status, and the code where a denial or an OAuth error has one: `403 not_granted`.
    pub(crate) fn summary(&self) -> String {
        let body = self.json();
        let code = body.get("code").or_else(|| body.get("error")).and_then(Value::as_str);
        match code {
            Some(code) => format!("{} {code}", self.status),
            None => self.status.to_string(),
        }
    }

    /// The body, `null` where it is no JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
