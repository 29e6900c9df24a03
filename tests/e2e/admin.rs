//! Envoy's admin interface as it ships: for Envoy's own user, and not for who shares the loopback address.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use harness::{
    envoy::{Config, Envoy, Shipped},
    http::h1,
    wait,
};
use tokio::net::UnixStream;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn only_its_own_user_may_open_the_admin_socket() {
    let world = World::new().unwrap();
    // Makes the directories, as for an operator.
    let _server = world.server().await.unwrap();
    for which in [Shipped::Wasm, Shipped::ExtAuthz, Shipped::Chained] {
        let config = Config::shipped_as_is(which, &world.data()).unwrap();
        let socket = config.admin_socket().expect("a Unix socket").to_owned();
        let mut envoy = Envoy::spawn(&config, &world.envoy_directory(which)).unwrap();
        wait::until("the admin socket", || {
            let ready = envoy.check();
            let socket = &socket;
            async move {
                ready?;
                let Ok(stream) = UnixStream::connect(socket).await else { return Ok(None) };
                let response = h1::exchange(stream, b"GET /ready HTTP/1.1\r\nhost: envoy\r\n\r\n").await?;
                Ok(response.filter(|response| response.status == 200))
            }
        })
        .await
        .unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(Path::new(&socket)), 0o600, "{which:?}");
        assert_eq!(mode(&world.data()), 0o700, "the directory it is made in");
    }
}
