//! What all commands share: help with examples, exit codes, colour, completions.

use std::process::Command;

use crate::support::{Setup, command::code_and_text};

const COMMANDS: [&[&str]; 16] = [
    &["serve"],
    &["policy", "check"],
    &["policy", "explain"],
    &["policy", "lint"],
    &["policy", "test"],
    &["policy", "status"],
    &["policy", "diff"],
    &["token", "issue"],
    &["token", "inspect"],
    &["token", "verify"],
    &["snapshot", "export"],
    &["snapshot", "show"],
    &["keys", "list"],
    &["dataplane", "list"],
    &["completions"],
    &[],
];

#[test]
fn every_command_has_help_with_examples_json_and_exit_codes() {
    let setup = Setup::bare();
    for command in COMMANDS {
        let (code, help, _) = setup.run_with(&[command, &["--help"]].concat(), "");
        assert_eq!(code, 0, "{command:?}");
        let is_one = !command.is_empty();
        assert_eq!(help.contains("Examples:\n  "), is_one, "{command:?}: {help}");
        if is_one && command != ["completions"] {
            assert!(help.contains("--json"), "{command:?}: {help}");
        }
        if !matches!(command, ["serve" | "completions"]) {
            assert!(help.contains("Exit codes: "), "{command:?}: {help}");
        }
        let (code, _, stderr) = setup.run_with(&[command, &["--nonsense"]].concat(), "");
        assert!(code == 2 && stderr.contains("--nonsense"), "{command:?}: {stderr}");
    }
}

#[test]
fn every_shell_gets_completions_of_every_command() {
    let setup = Setup::bare();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (code, script, stderr) = setup.run_with(&["completions", shell], "");
        assert_eq!((code, stderr.as_str()), (0, ""));
        for word in ["dataplane", "inspect", "explain", "secret-file"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    // As the shell reads it.
    let (_, script, _) = setup.run_with(&["completions", "bash"], "");
    let setup = setup.write("writ.bash", &script);
    let check = Command::new("bash").arg("-n").arg(setup.path("writ.bash")).output().unwrap();
    assert_eq!(code_and_text(check), (0, String::new(), String::new()));
}

/// A pipe is no terminal; a pseudo-terminal of `script` is one, unless somebody wants no colour.
#[test]
fn colour_is_for_terminals_only() {
    let setup = Setup::new().write("branch/a.yaml", "namespace: a\n");
    let diff = ["policy", "diff", "--from", "policies", "--policy-dir", "branch"];
    let (_, piped, _) = setup.run_with(&diff, "");
    assert!(piped.contains("- host logs.internal") && !piped.contains('\u{1b}'));
    let on_terminal = |no_color: Option<&str>| {
        let line = format!("{} {}", env!("CARGO_BIN_EXE_writ"), diff.join(" "));
        let mut command = Command::new("script");
        command.args(["--quiet", "--command", &line, "/dev/null"]).current_dir(setup.path(""));
        command.env("TERM", "xterm").env_remove("NO_COLOR").env_remove("CLICOLOR").env_remove("CI");
        command.envs(no_color.map(|value| ("NO_COLOR", value)));
        code_and_text(command.output().unwrap()).1
    };
    assert!(on_terminal(None).contains("\u{1b}[31m- host logs.internal"));
    assert!(!on_terminal(Some("1")).contains('\u{1b}'));
}

#[test]
fn errors_are_json_where_that_was_asked_for() {
    let setup = Setup::new();
    for command in
        [&["policy", "status"][..], &["dataplane", "list"], &["snapshot", "show"], &["keys", "list"]]
    {
        let (code, stdout, stderr) = setup.run_with(&[command, &["--json"]].concat(), "");
        assert!(code != 0 && stdout.is_empty());
        let errors: serde_json::Value = serde_json::from_str(&stderr).unwrap();
        assert_eq!(errors["errors"].as_array().unwrap().len(), 1, "{command:?}");
    }
}
