//! Signing keys in the data directory.

use crate::support::{Setup, http::get};

/// The private key of RFC 8410 section 10.3, whose thumbprint is `KID`.
const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                   -----END PRIVATE KEY-----\n";

/// The `kid` that a key file must be named after, as the server says.
fn kid_of(pem: &str) -> String {
    let setup = Setup::new().write_secret("writ-data/keys/unknown.pem", pem);
    let (code, stderr) = setup.refuse_to_serve();
    assert_eq!(code, 64);
    stderr.split('`').nth(3).unwrap().to_owned()
}

#[tokio::test]
async fn a_key_that_is_there_is_used() {
    let kid = kid_of(PEM);
    let setup = Setup::new().write_secret(&format!("writ-data/keys/{kid}.pem"), PEM);
    let writ = setup.serve().await;
    let keys = get(writ.http, "/.well-known/jwks.json").await.json();
    assert_eq!(keys["keys"][0]["kid"], kid.as_str());
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn of_several_keys_one_is_chosen() {
    let kid = kid_of(PEM);
    let setup = Setup::new();
    setup.serve().await.stop().await;
    let setup = setup.write_secret(&format!("writ-data/keys/{kid}.pem"), PEM);
    let (code, stderr) = setup.refuse_to_serve();
    assert_eq!((code, stderr.contains("several signing keys")), (64, true), "{stderr}");

    let setup = setup.write("writ-data/keys/active", &format!("{kid}\n"));
    let writ = setup.serve().await;
    let keys = get(writ.http, "/.well-known/jwks.json").await.json();
    assert_eq!(keys["keys"][0]["kid"], kid.as_str());
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
}

#[test]
fn what_is_no_key_is_refused() {
    for content in ["", "rubbish", &PEM.replace("PRIVATE KEY", "PUBLIC KEY"), &PEM.replace("MC4C", "MC5C")] {
        let setup = Setup::new().write_secret("writ-data/keys/a.pem", content);
        let (code, stderr) = setup.refuse_to_serve();
        assert_eq!(code, 64, "{stderr}");
        assert!(stderr.contains("keys/a.pem`: not "), "{stderr}");
        assert!(
            !stderr.contains("rubbish") && !stderr.contains("MC4C"),
            "a key's text is not shown: {stderr}"
        );
    }
}

#[tokio::test]
async fn a_key_that_others_may_use_is_refused() {
    let kid = kid_of(PEM);
    let key = format!("writ-data/keys/{kid}.pem");
    let setup = Setup::new().write_secret(&key, PEM);
    setup.serve().await.stop().await;
    for (name, mode) in
        [(key.as_str(), 0o640), (&key, 0o604), (&key, 0o602), ("writ-data/keys/hash.key", 0o644)]
    {
        setup.set_mode(name, mode);
        let (code, stderr) = setup.refuse_to_serve();
        assert_eq!(code, 64, "{stderr}");
        assert!(stderr.contains(name) && stderr.contains(&format!("mode {mode:o}")), "{stderr}");
        assert_eq!(setup.run(&["snapshot", "export"]).status.code(), Some(64));
        setup.set_mode(name, 0o600);
    }
    setup.serve().await;
}
