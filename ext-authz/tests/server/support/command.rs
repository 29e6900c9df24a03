//! Commands run to their end, beside a server that may be running.

use std::{
    io::Write as _,
    process::{Output, Stdio},
};

use serde_json::Value;

use super::Setup;

/// Exit code, standard output, standard error.
pub(crate) fn code_and_text(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

impl Setup {
    /// Runs a command with text on its standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> (i32, String, String) {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may refuse its arguments and end without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        code_and_text(child.wait_with_output().unwrap())
    }

    /// Runs a command for its JSON result.
    pub(crate) fn run_json(&self, arguments: &[&str], input: &str) -> (i32, Value) {
        let (code, stdout, stderr) = self.run_with(&[arguments, &["--json"]].concat(), input);
        (code, serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}")))
    }
}
