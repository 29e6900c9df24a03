//! Credentials: what data planes learn of them, what stays at the server, and who may name which secret.

mod support;

use policy::{ClientCredentials, Inject, Namespaces, Policy, SecretSource, StoredSecret, TokenExchange};
use support::{compiled, errors, errors_of};

/// A file with one credential, which has `members` on line 3, and a host that sends it.
fn with(members: &str) -> String {
    format!(
        "namespace: n\ncredentials:\n  c: {members}\nroutes:\n  - hosts: [a.internal]\n    audience: mesh\n    \
         credential: c\n    rules: [{{method: GET, path: /, action: \"n:A\", resource: \"n://a\"}}]\n"
    )
}

fn with_secret(secret: &str) -> String {
    with(&format!("{{clusters: [a], inject: {{header: x-api-key}}, secret: {secret}}}"))
}

#[test]
fn a_data_plane_learns_the_name_and_where_it_may_go() {
    let secret = "clusters: [a, outbound|80||a.internal], inject: {header: Authorization, format: \"Bearer {secret}\"}";
    let policy = compiled(&with(&format!("{{{secret}, secret: {{file: /etc/writ/a-secret}}}}")));
    let document = policy.hosts()[0].credential.clone().unwrap();
    assert_eq!((document.name.as_str(), document.header.as_str()), ("n/c", "authorization"));
    assert_eq!(document.clusters, ["a", "outbound|80||a.internal"]);
    let text = serde_json::to_string(policy.hosts()).unwrap();
    assert!(!text.contains("a-secret") && !text.contains("Bearer"), "{text}");

    let credential = &policy.credentials()["n/c"];
    let inject =
        Inject::Header { name: "authorization".into(), before: "Bearer ".into(), after: String::new() };
    assert_eq!(credential.inject, inject);
    assert_eq!(credential.secret, SecretSource::Stored(StoredSecret::File("/etc/writ/a-secret".into())));
    assert_eq!(credential.lease.as_secs(), 30);
}

#[test]
fn every_way_to_a_secret_is_read() {
    let source = |secret: &str| compiled(&with_secret(secret)).credentials()["n/c"].secret.clone();
    assert_eq!(source("{env: API_KEY}"), SecretSource::Stored(StoredSecret::Environment("API_KEY".into())));
    let asking = source(
        "{oauth2: {token_url: \"https://id.example.org/token\", client_id: w, client_secret: {env: S}, scope: \"a b\"}}",
    );
    let SecretSource::ClientCredentials(ClientCredentials { token_url, client, scope, audience }) = asking
    else {
        panic!("{asking:?}")
    };
    assert_eq!((token_url.as_str(), client.id.as_str()), ("https://id.example.org/token", "w"));
    assert_eq!((scope.as_deref(), audience), (Some("a b"), None));
    let asking =
        source("{token_exchange: {token_url: \"http://127.0.0.1:1/t\", subject_token: {file: /run/token}}}");
    let SecretSource::TokenExchange(TokenExchange { client, subject_token_type, .. }) = asking else {
        panic!("{asking:?}")
    };
    assert_eq!((client, subject_token_type.as_str()), (None, "urn:ietf:params:oauth:token-type:jwt"));
}

#[test]
fn what_cannot_be_meant_is_refused_at_its_place() {
    let rest = "clusters: [a], secret: {env: A}";
    for (members, error) in [
        (format!("{{{rest}}}"), "3:6: credentials.c: `inject` is missing"),
        (format!("{{{rest}, inject: {{header: host}}}}"), "inject.header: this header means something else"),
        (
            format!("{{{rest}, inject: {{header: X-Writ-Task}}}}"),
            "inject.header: this header means something else",
        ),
        (format!("{{{rest}, inject: {{header: \"a b\"}}}}"), "inject.header: a header name has"),
        (format!("{{{rest}, inject: {{header: x_api_key}}}}"), "inject.header: a header name has"),
        (
            format!("{{{rest}, inject: {{header: a, format: b}}}}"),
            "inject.format: must be visible ASCII with `{secret}`",
        ),
        (
            format!("{{{rest}, inject: {{header: a, format: \"{{secret}}{{secret}}\"}}}}"),
            "inject.format: must be visible ASCII with `{secret}`",
        ),
        (
            format!("{{{rest}, inject: {{header: a, format: \"{{secret}}\\r\\nx: y\"}}}}"),
            "inject.format: must be visible ASCII with `{secret}`",
        ),
        (format!("{{{rest}, inject: {{header: a, basic: {{username: b}}}}}}"), "inject: must be `header`"),
        (
            format!("{{{rest}, inject: {{basic: {{username: \"a:b\"}}}}}}"),
            "username: a user's name has neither",
        ),
        (format!("{{{rest}, inject: {{header: a}}, lease: 2h}}"), "credentials.c.lease: is over 60 minutes"),
        (
            "{clusters: [a, a], secret: {env: A}, inject: {header: a}}".to_owned(),
            "credentials.c.clusters[1]: is already listed",
        ),
        (
            "{clusters: [], secret: {env: A}, inject: {header: a}}".to_owned(),
            "clusters: must not be an empty list",
        ),
    ] {
        let errors = errors(&with(&members));
        assert!(errors.contains(error), "{members}: {errors}");
    }
}

#[test]
fn secrets_go_only_where_nobody_listens() {
    for url in [
        "http://id.example.org/token",
        "http://localhost/token",
        "http://127.0.0.1.example.org/",
        "ftp://a/",
        "https:///token",
        "https://user:password@a/token",
        "https://a/token#x",
        "//a/token",
    ] {
        let secret = format!("{{oauth2: {{token_url: \"{url}\", client_id: w, client_secret: {{env: S}}}}}}");
        let errors = errors(&with_secret(&secret));
        assert!(errors.contains("secret.oauth2.token_url: must be an `https` URL"), "{url}: {errors}");
    }
    for (secret, error) in [
        ("{}", "secret: must be exactly one of `file`, `env`, `oauth2`, `token_exchange`"),
        ("{file: /a, env: A}", "secret: must be exactly one of"),
        ("{file: a}", "secret.file: must be an absolute path without `..`"),
        ("{file: /etc/writ/../shadow}", "secret.file: must be an absolute path without `..`"),
        ("{env: A=B}", "secret.env: a variable's name has"),
        (
            "{token_exchange: {token_url: \"https://a/\", client_id: a, subject_token: {env: A}}}",
            "`client_id` and `client_secret` come together",
        ),
        ("{value: abc}", "secret.value: unknown field"),
    ] {
        let errors = errors(&with_secret(secret));
        assert!(errors.contains(error), "{secret}: {errors}");
    }
}

/// Nothing is wrong with a host whose credential is: one fault is told once.
#[test]
fn a_faulty_credential_is_told_at_its_own_place_only() {
    for (members, error) in [
        (
            "{clusters: [a], inject: {header: a}, secret: {env: A=B}}",
            "3:57: credentials.c.secret.env: a variable's",
        ),
        ("7", "3:6: credentials.c: "),
    ] {
        let errors = errors(&with(members));
        assert!(errors.starts_with(&format!("p.yaml:{error}")) && errors.lines().count() == 1, "{errors}");
    }
}

/// Whoever can have a secret sent to a cluster of its own has the secret.
#[test]
fn a_namespace_has_only_its_own_secrets() {
    let claims = |secrets: &str| -> Namespaces {
        let text = format!("{{n: {{hosts: [a.internal], actions: [\"*\"], secrets: [{secrets}]}}}}");
        serde_saphyr::from_str(&text).unwrap()
    };
    let file = with_secret("{file: /etc/writ/secrets/n/key}");
    let variable =
        with_secret("{oauth2: {token_url: \"https://a/\", client_id: w, client_secret: {env: N_KEY}}}");
    assert!(Policy::from_sources(&[("p.yaml", &file)], &claims("/etc/writ/secrets/n/*")).is_ok());
    assert!(Policy::from_sources(&[("p.yaml", &variable)], &claims("\"env:N_*\"")).is_ok());
    for (file, secrets, name) in [
        (&file, "", "/etc/writ/secrets/n/key"),
        (&file, "/etc/writ/secrets/m/*", "/etc/"),
        (&variable, "\"env:M_*\"", "env:N_KEY"),
    ] {
        let errors = errors_of(&[("p.yaml", file)], &claims(secrets));
        let expected = format!("namespace `n` may not claim secret `{name}");
        assert!(errors.contains(&expected), "{errors}");
    }
}

#[test]
fn a_host_names_a_credential_of_its_own_namespace() {
    let other = "namespace: m\ncredentials: {c: {clusters: [a], inject: {header: a}, secret: {env: A}}}\n";
    let host = "namespace: n\nroutes:\n  - hosts: [a.internal]\n    audience: mesh\n    credential: c\n    \
                rules: [{method: GET, path: /, action: none}]\n";
    let found = errors_of(&[("a.yaml", host), ("b.yaml", other)], &Namespaces::open());
    assert_eq!(found, "a.yaml:5:17: routes[0].credential: namespace `n` has no credential `c`");
    // Of another file, before or after, it may be.
    let own = other.replace("namespace: m", "namespace: n");
    assert!(Policy::from_sources(&[("a.yaml", host), ("b.yaml", &own)], &Namespaces::open()).is_ok());
    let twice = errors_of(&[("a.yaml", &own), ("b.yaml", &own)], &Namespaces::open());
    assert!(
        twice.contains("b.yaml:2:15: credentials.c: credential `c` is already defined at a.yaml:2"),
        "{twice}"
    );
}
