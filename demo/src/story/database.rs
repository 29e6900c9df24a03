//! *database*: a task to see which databases there are, at an API with one path, where the query or a form says what is done.
//!
//! `policies/database.yaml` makes the action's name out of the parameter `Action`. The service behind it takes any
//! `action` it finds, in query and form, and of two the last.

use harness::Result;
use serde_json::json;

use crate::{
    curl::Answer,
    invite::Invitation,
    report::Report,
    road::{Visit, roads},
    service::database,
    tokens::{self, Task},
    world::World,
};

const HOST: &str = "database.internal";
const DESCRIBE: &str = "/?Action=DescribeDBInstances&Version=2014-10-31";
const DELETE: &str = "/?Action=DeleteDBInstance&Version=2014-10-31&DBInstanceIdentifier=orders";
/// The same in forms, which go to `/`.
const DESCRIBE_FORM: &str = "Action=DescribeDBInstances&Version=2014-10-31";
const DELETE_FORM: &str = "Action=DeleteDBInstance&Version=2014-10-31&DBInstanceIdentifier=orders";

/// See which databases there are.
fn task() -> Task {
    let grants = json!([
        {"type": "task_grant", "actions": ["rds:DescribeDBInstances"], "resources": ["rds://databases"]},
    ]);
    Task { client: "db-inspector", grants }
}

/// Plays the story on both paths.
///
/// # Errors
/// A part failed.
pub(super) async fn tell(world: &World, report: &mut Report) -> Result<()> {
    report.chapter("database: a task token is issued: describe databases");
    let why = "the policy lets this client request `rds:Describe*`";
    tokens::ask(world, report, "to describe", &task(), "200", why).await?;
    let grants = json!([
        {"type": "task_grant", "actions": ["rds:DeleteDBInstance"], "resources": ["rds://databases"]},
    ]);
    let (wanted, why) = ("400 invalid_authorization_details", "and nothing else");
    tokens::ask(world, report, "to delete", &Task { grants, ..task() }, wanted, why).await?;

    for road in &roads(world) {
        report.chapter(&format!("database: through Envoy with {}", road.name));
        let visit = Visit::start(world, road, HOST, &task(), 300).await?;
        describe(&visit, report).await?;
        delete(&visit, report).await?;
        // Had anything passed, the service would have done it.
        let all = ("and both databases", are_both as fn(&Answer) -> bool);
        let why = "nothing was deleted";
        visit.allowed(report, "they are all still there", visit.get(DESCRIBE), all, why).await?;
    }
    Ok(())
}

/// What the task is for.
async fn describe(visit: &Visit<'_>, report: &mut Report) -> Result<()> {
    let all = || ("and both databases", are_both);
    let why = "granted: rds:DescribeDBInstances";
    visit.allowed(report, "describes them", visit.get(DESCRIBE), all(), why).await?;
    let form = visit.get("/").with("-d", DESCRIBE_FORM);
    visit.allowed(report, "by a form", form, all(), "the same action, read from the form's body").await
}

fn are_both(answer: &Answer) -> bool {
    answer.body == database::describe(&database::INSTANCES).as_bytes()
}

/// What it is not for, said in every way that the service would understand.
async fn delete(visit: &Visit<'_>, report: &mut Report) -> Result<()> {
    let (not_granted, ambiguous) = ("403 not_granted", "400 ambiguous_request");
    let beside = |second: &str| format!("{DESCRIBE}&{second}=DeleteDBInstance&DBInstanceIdentifier=orders");
    for (what, curl, wanted, why) in [
        ("deletes one", visit.get(DELETE), not_granted, "no grant covers rds:DeleteDBInstance"),
        ("by a form", visit.get("/").with("-d", DELETE_FORM), not_granted, "the form says the same action"),
        (
            "by an encoded name",
            visit.get(&DELETE.replace("DeleteDB", "%44eleteDB")),
            not_granted,
            "decoded it is the same action",
        ),
        (
            "as a second `Action`",
            visit.get(&beside("Action")),
            ambiguous,
            "this service would take the last of two",
        ),
        (
            "as an `action` beside `Action`",
            visit.get(&beside("action")),
            ambiguous,
            "and it takes names in any case",
        ),
        (
            "in a form, beside a harmless query",
            visit.get(DESCRIBE).with("-d", DELETE_FORM),
            ambiguous,
            "an action in query and form at once",
        ),
        (
            "twice in a form",
            visit.get("/").with("-d", &format!("{DESCRIBE_FORM}&{DELETE_FORM}")),
            ambiguous,
            "the last of two, again",
        ),
        (
            "in a form that says it is JSON",
            visit.get("/").header("content-type: application/json").with("-d", DESCRIBE_FORM),
            "400 body_invalid",
            "the rule reads forms, and the service may read both",
        ),
        (
            "in the body of a GET",
            visit.get(DESCRIBE).with("-X", "GET").with("-d", DELETE_FORM),
            ambiguous,
            "that rule declares no body",
        ),
        ("without an action", visit.get("/?Version=2014-10-31"), ambiguous, "the rule requires one"),
        (
            "every action",
            visit.get(&DESCRIBE.replace("DescribeDBInstances", "*")),
            ambiguous,
            "`*` is no action",
        ),
        ("a stranger", visit.stranger(DESCRIBE), "401 missing_token", "nothing opens without a token"),
    ] {
        visit.refused(report, what, curl, wanted, why).await?;
    }
    Ok(())
}

/// What to try of it.
pub(super) fn invitation() -> Invitation {
    Invitation {
        title: "database: describe databases",
        host: HOST,
        task: task(),
        tries: &[
            ("", DESCRIBE, "both databases"),
            ("-d 'Action=DescribeDBInstances&Version=2014-10-31' ", "/", "the same"),
            ("", DELETE, "403 not_granted"),
            ("-d Action=DeleteDBInstance ", DESCRIBE, "400 ambiguous_request"),
            (
                "",
                "/?Action=DescribeDBInstances&action=DeleteDBInstance&Version=2014-10-31",
                "400 ambiguous_request",
            ),
        ],
    }
}
