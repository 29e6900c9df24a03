//! The key-encryption key: where it is from, and what is encrypted under it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use test_databases::Database;

use crate::{
    keys::{PEM, kid_of},
    support::{
        Setup,
        http::get,
        policy::opening,
        replicas::{first_replica, replica},
    },
};

const KEK: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn refused(setup: &Setup) -> String {
    let (code, stderr) = setup.refuse_to_serve();
    assert_eq!(code, 64, "{stderr}");
    assert!(!stderr.contains(KEK) && !stderr.contains(OTHER), "{stderr}");
    // Nor is anything exported that another key would have to open.
    assert_eq!(setup.run(&["snapshot", "export"]).status.code(), Some(64));
    stderr
}

#[tokio::test]
async fn a_file_or_a_command_has_the_key() {
    let setup = Setup::new().write_secret("kek", &format!("{KEK}\n")).config("key_encryption: {file: kek}\n");
    let mut writ = setup.serve().await;
    let before = get(writ.http, "/.well-known/jwks.json").await.body;
    writ.log("listening").await;
    let (_, _, log) = writ.stop().await;
    assert!(!log.contains("lies beside the data") && !log.contains(KEK), "{log}");
    assert!(!setup.data("keys").exists(), "nothing is kept in files");

    let base64 = STANDARD.encode(base16ct::lower::decode_vec(KEK).unwrap());
    for written in ["{command: [cat, kek]}", "{command: [echo, BASE64]}"] {
        let setup_again =
            setup.write_again(&format!("key_encryption: {}\n", written.replace("BASE64", &base64)));
        let writ = setup_again.serve().await;
        assert_eq!(get(writ.http, "/.well-known/jwks.json").await.body, before, "{written}");
        writ.stop().await;
    }
    let setup = setup.write_again("key_encryption: {env: WRIT_TEST_KEK}\n");
    let export =
        |kek: &str| setup.command(&["snapshot", "export"]).env("WRIT_TEST_KEK", kek).output().unwrap();
    assert_eq!((export(KEK).status.code(), export(OTHER).status.code()), (Some(0), Some(64)));
}

#[tokio::test]
async fn another_key_opens_nothing_and_is_never_made_anew() {
    let setup = Setup::new().write_secret("kek", KEK).config("key_encryption: {file: kek}\n");
    setup.serve().await.stop().await;
    std::fs::write(setup.path("kek"), OTHER).unwrap();
    let said = refused(&setup);
    assert!(said.contains("the file `kek`") && said.contains("it is another key"), "{said}");
    std::fs::write(setup.path("kek"), "rubbish").unwrap();
    assert!(refused(&setup).contains("does not hold 32 bytes"));
    std::fs::write(setup.path("kek"), KEK).unwrap();
    setup.set_mode("kek", 0o644);
    assert!(refused(&setup).contains("mode 644"));
    setup.set_mode("kek", 0o600);

    for (written, said) in [
        ("{env: WRIT_TEST_NO_SUCH_VARIABLE}", "`WRIT_TEST_NO_SUCH_VARIABLE` is not set"),
        ("{command: [\"false\"]}", "the command `false` ended with"),
        ("{command: [/nonexistent]}", "the command `/nonexistent` cannot be run"),
        ("{file: nowhere}", "`nowhere`"),
        ("{}", "needs one of"),
        ("{file: kek, env: KEK}", "needs one of"),
    ] {
        let setup = setup.write_again(&format!("key_encryption: {written}\n"));
        let stderr = refused(setup);
        assert!(stderr.contains(said), "{stderr}");
    }

    // Without a word about it, no key is made where one is needed.
    let setup = setup.write_again("");
    assert!(refused(setup).contains("put it back, or say in `key_encryption` where it is"));
    assert!(!setup.data("keys/kek").exists());
    setup.write_again("key_encryption: {file: kek}\n").serve().await;
}

#[tokio::test]
async fn a_key_beside_the_data_is_warned_of() {
    let setup = Setup::new();
    let mut writ = setup.serve().await;
    writ.log("the key-encryption key lies beside the data").await;
    writ.stop().await;
    std::fs::remove_file(setup.data("keys/kek")).unwrap();
    assert!(refused(&setup).contains("keys/kek"));
}

/// Neither the store nor a log holds what opens anything.
#[tokio::test]
async fn private_keys_are_nowhere_in_the_clear() {
    let kid = kid_of(PEM);
    let setup = Setup::new().write_secret(&format!("writ-data/keys/{kid}.pem"), PEM);
    let writ = setup.serve().await;
    writ.access_token(crate::support::MAY).await;
    let hash_key = writ.watch_anew().await.1.document["hash_key"].as_str().unwrap().to_owned();
    let done = setup.run(&["keys", "rotate"]);
    assert!(done.status.success(), "{done:?}");
    let shown = get(writ.admin, "/config").await.body;
    let (_, stdout, log) = writ.stop().await;
    let kek = std::fs::read_to_string(setup.data("keys/kek")).unwrap();
    let line = PEM.lines().nth(1).unwrap();
    let seed = STANDARD.decode(line).unwrap()[16..].to_vec();
    let hash_bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&hash_key).unwrap();
    let secrets = [
        seed.clone(),
        base16ct::lower::encode_string(&seed).into_bytes(),
        line.as_bytes()[22..].to_vec(),
        kek.clone().into_bytes(),
        base16ct::lower::decode_vec(kek.trim()).unwrap(),
        hash_key.into_bytes(),
        hash_bytes,
    ];
    let mut seen: Vec<Vec<u8>> =
        ["writ.db", "writ.db-wal"].iter().filter_map(|name| std::fs::read(setup.data(name)).ok()).collect();
    let has_kid = |text: &Vec<u8>| text.windows(kid.len()).any(|part| part == kid.as_bytes());
    assert!(seen.iter().any(has_kid), "this is where it is");
    let (_, listed, _) = setup.run_with(&["keys", "list"], "");
    seen.extend([stdout, log, shown, listed].map(String::into_bytes));
    for text in seen {
        for secret in &secrets {
            assert!(!text.windows(secret.len()).any(|part| part == secret.as_slice()));
        }
    }
}

/// Each replica has its own files: the one that comes second has the wrong key, and says so.
#[tokio::test]
async fn a_replica_with_another_key_does_not_start() {
    let database = Database::sqlite();
    let one = first_replica(&database, &opening("/open"));
    let other = replica(&database, &one, &opening("/open"));
    let config = std::fs::read_to_string(other.path("writ.yaml")).unwrap();
    let with = |kek: &str| format!("{config}key_encryption: {{file: {kek}}}\n");
    let other = other.write_secret("kek", OTHER).config(&with("kek"));
    one.serve().await.stop().await;
    let (code, stderr) = other.refuse_to_serve();
    assert_eq!((code, stderr.contains("it is another key")), (64, true), "{stderr}");
    let shared = one.path("shared-keys/kek").display().to_string();
    other.config(&with(&shared)).serve().await;
}

impl Setup {
    /// The same directory with another configuration.
    fn write_again(&self, yaml: &str) -> &Self {
        std::fs::write(self.path("writ.yaml"), yaml).unwrap();
        self
    }
}
