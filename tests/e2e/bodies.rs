//! Bodies that a verdict rests on, in a real Envoy: nothing goes upstream before the whole was judged, however it comes, and
//! whatever becomes of it.

use harness::{
    Result,
    envoy::{Config, Shipped},
    forge::{TokenSpec, Values},
    http::{
        Field, Payload, RawRequest, Response, h1,
        h2::{Connection, fields},
        wire::Wire,
    },
    surface::Proxy,
    wait,
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    workers,
    world::{World, now},
};

const ID: u32 = 1;
const HOST: &str = "airline.internal";
const GOOD: &[u8] = br#"{"offer":"o1","passenger":{"id":"u7"},"price":899.99}"#;
const BAD: &[u8] = br#"{"offer":"o1","passenger":{"id":"u8"},"price":899.99}"#;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_on_before_the_end_was_judged() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    let [fed, by_export, ext_authz] = [world.fed().await, world.wasm().await, world.ext_authz().await];
    for proxy in [fed.unwrap(), by_export.unwrap(), ext_authz.unwrap()] {
        for (body, status) in [(GOOD, 200), (BAD, 403)] {
            for over_trailers in [false, true] {
                let (first, rest) = body.split_at(30);
                let mut client = begin(&proxy, &booking(&world)).await.unwrap();
                client.data(ID, first, false).await.unwrap();
                until_pending(&proxy).await;
                assert_eq!(proxy.echo.take(), [], "half a body went on");
                client.data(ID, rest, !over_trailers).await.unwrap();
                if over_trailers {
                    let trailer: [Field; 1] = [(b"x-checksum".to_vec(), b"1".to_vec())];
                    client.headers(ID, &trailer, true).await.unwrap();
                }
                assert_eq!(answered(&mut client, ID).await.status, status);
                until_nothing_pending(&proxy).await;
                let seen = proxy.echo.take();
                let bodies: Vec<&[u8]> = seen.iter().map(|seen| seen.body.as_slice()).collect();
                assert_eq!(bodies, if status == 200 { vec![body] } else { Vec::new() });
            }
        }
        no_worker_is_harmed(&proxy, &world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_over_http_1_are_one_body() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    for proxy in [world.wasm().await.unwrap(), world.ext_authz().await.unwrap()] {
        for (body, status) in [(GOOD, 200), (BAD, 403)] {
            let mut wire = Wire::new(proxy.connect().await.unwrap());
            let head = h1::render(&booking(&world));
            let head = String::from_utf8(head)
                .unwrap()
                .replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n");
            wire.stream().write_all(head.as_bytes()).await.unwrap();
            for byte in body {
                wire.stream().write_all(&[b"1\r\n", &[*byte][..], b"\r\n"].concat()).await.unwrap();
            }
            until_pending(&proxy).await;
            assert_eq!(proxy.echo.take(), [], "a body without an end went on");
            wire.stream().write_all(b"0\r\n\r\n").await.unwrap();
            let response = h1::receive(&mut wire, false).await.unwrap().unwrap();
            assert_eq!(response.status, status, "{response:?}");
            let seen = proxy.echo.take();
            assert_eq!(seen.len(), usize::from(status == 200));
            assert!(seen.iter().all(|seen| seen.body == body));
        }
        no_worker_is_harmed(&proxy, &world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_cut_short_goes_nowhere() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    for proxy in [world.wasm().await.unwrap(), world.ext_authz().await.unwrap()] {
        for _ in 0..10 {
            let mut client = begin(&proxy, &booking(&world)).await.unwrap();
            client.data(ID, GOOD, false).await.unwrap();
            until_pending(&proxy).await;
            client.reset(ID).await.unwrap();
            until_nothing_pending(&proxy).await;

            // The whole value, and a promise of one byte more that is not kept.
            let mut request = booking(&world);
            request.headers.push((b"content-length".to_vec(), (GOOD.len() + 1).to_string().into_bytes()));
            let mut stream = proxy.connect().await.unwrap();
            stream.write_all(&[&h1::render(&request), GOOD].concat()).await.unwrap();
            until_pending(&proxy).await;
            drop(stream);
            until_nothing_pending(&proxy).await;
        }
        assert_eq!(proxy.echo.take(), [], "a body without its end went on");
        no_worker_is_harmed(&proxy, &world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_ended_by_envoy() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    world.export().await.unwrap();
    for which in [Shipped::Wasm, Shipped::ExtAuthz] {
        let hurried = |config: &mut Config| {
            config.connection_manager()?["request_timeout"] = "1s".into();
            Ok(())
        };
        let proxy = world.proxy(which, hurried).await.unwrap();
        let mut client = begin(&proxy, &booking(&world)).await.unwrap();
        client.data(ID, GOOD, false).await.unwrap();
        assert_eq!(answered(&mut client, ID).await.status, 408);
        until_nothing_pending(&proxy).await;
        assert_eq!(proxy.echo.take(), []);
        no_worker_is_harmed(&proxy, &world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_ended_by_the_filter_too() {
    let world = World::new().unwrap();
    world.export().await.unwrap();
    let patient = |config: &mut Config| {
        let manager = config.connection_manager()?;
        manager["request_timeout"] = "120s".into();
        manager["stream_idle_timeout"] = "120s".into();
        Ok(())
    };
    let proxy = world.proxy(Shipped::Wasm, patient).await.unwrap();
    let mut client = begin(&proxy, &booking(&world)).await.unwrap();
    client.data(ID, GOOD, false).await.unwrap();
    let response = answered(&mut client, ID).await;
    assert_eq!((response.status, code(&response)), (400, "body_invalid".to_owned()));
    until_nothing_pending(&proxy).await;
    assert_eq!(proxy.echo.take(), []);
    no_worker_is_harmed(&proxy, &world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_its_cap_is_answered_while_it_comes() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    for (proxy, enough) in [(world.wasm().await.unwrap(), 101), (world.ext_authz().await.unwrap(), 65_537)] {
        let mut client = begin(&proxy, &post(&world, "/short")).await.unwrap();
        client.data(ID, &vec![b' '; enough], false).await.unwrap();
        let response = answered(&mut client, ID).await;
        assert_eq!((response.status, code(&response)), (413, "body_too_large".to_owned()));
        // More of it comes after the answer, and the connection's next request is another one.
        let _ = client.data(ID, &[b' '; 10_000], true).await;
        let next = ID + 2;
        client.headers(next, &fields("http", &booking(&world)), false).await.unwrap();
        client.data(next, GOOD, true).await.unwrap();
        assert_eq!(answered(&mut client, next).await.status, 200);
        assert_eq!(proxy.echo.take().len(), 1);
        no_worker_is_harmed(&proxy, &world).await;
    }
}

/// Envoy asks Check when it has as much as it sends, whether or not that is the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_pauses_where_envoy_asks_gains_nothing() {
    const ASKS_AT: usize = 60;
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    for (announced, status, denial) in [(true, 413, "body_too_large"), (false, 503, "server_unavailable")] {
        let proxy = world
            .proxy(Shipped::ExtAuthz, |config| {
                config.patient()?;
                let asks = ext_authz(config);
                asks["with_request_body"]["max_request_bytes"] = ASKS_AT.into();
                asks["grpc_service"]["initial_metadata"] = if announced {
                    json!([{"key": "x-writ-max-request-bytes", "value": ASKS_AT.to_string()}])
                } else {
                    json!([])
                };
                Ok(())
            })
            .await
            .unwrap();
        let mut padded = GOOD.to_vec();
        padded.resize(ASKS_AT, b' ');
        let mut client = begin(&proxy, &booking(&world)).await.unwrap();
        client.data(ID, &padded, false).await.unwrap();
        let response = answered(&mut client, ID).await;
        assert_eq!((response.status, code(&response)), (status, denial.to_owned()));
        assert_eq!(proxy.echo.take(), []);

        // With a length nobody needs to guess.
        let sized = RawRequest { payload: Payload::Sized(padded), ..booking(&world) };
        assert_eq!(proxy.send(&sized).await.unwrap().unwrap().status, 200);
        proxy.echo.take();
    }
}

/// A stream that waits for an answer before it goes on does not wait for its own end.
#[tokio::test(flavor = "multi_thread")]
async fn calls_of_grpc_go_on_at_once_where_no_body_is_read() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    for proxy in [world.wasm().await.unwrap(), world.ext_authz().await.unwrap()] {
        let mut request = post(&world, "/raw");
        request.headers.retain(|(name, _)| name != b"content-type");
        request.headers.push((b"content-type".to_vec(), b"application/grpc".to_vec()));
        let mut client = begin(&proxy, &request).await.unwrap();
        client.data(ID, &[0, 0, 0, 0, 1, 8], false).await.unwrap();
        let seen = || async { Ok((!proxy.echo.take().is_empty()).then_some(())) };
        wait::until("the call upstream", seen).await.unwrap();
        client.reset(ID).await.unwrap();

        // And where one is read, such a call is none.
        for kind in ["application/grpc", "application/grpc+json"] {
            let mut request = post(&world, "/notes");
            request.headers.retain(|(name, _)| name != b"content-type");
            request.headers.push((b"content-type".to_vec(), kind.into()));
            let mut client = begin(&proxy, &request).await.unwrap();
            client.data(ID, b"5", false).await.unwrap();
            let response = answered(&mut client, ID).await;
            let message = response.header("grpc-message").unwrap_or_default();
            assert!(message.contains("body_invalid"), "{kind}: {response:?}");
            assert_eq!(proxy.echo.take(), []);
        }
    }
}

fn ext_authz(config: &mut Config) -> &mut Value {
    let filters = config.connection_manager().unwrap()["http_filters"].as_array_mut().unwrap();
    let filter = filters.iter_mut().find(|filter| filter["name"] == "envoy.filters.http.ext_authz");
    &mut filter.unwrap()["typed_config"]
}

/// A booking without its body.
fn booking(world: &World) -> RawRequest {
    post(world, "/bookings")
}

/// A request with a body of JSON that is still to come.
fn post(world: &World, target: &str) -> RawRequest {
    let spec = TokenSpec { grants: Some("airline".to_owned()), ..TokenSpec::default() };
    let token = world.forge.make(&spec, &Values { now: now(), ..Values::default() }).unwrap();
    RawRequest {
        method: b"POST".to_vec(),
        target: target.into(),
        authority: Some(HOST.into()),
        headers: vec![
            (b"authorization".to_vec(), [b"Bearer ".as_slice(), &token].concat()),
            (b"content-type".to_vec(), b"application/json".to_vec()),
        ],
        payload: Payload::Open,
    }
}

async fn begin(proxy: &Proxy, request: &RawRequest) -> Result<Connection<TcpStream>> {
    let mut client = Connection::open(proxy.connect().await?).await?;
    client.settle().await?;
    client.headers(ID, &fields("http", request), false).await?;
    Ok(client)
}

async fn answered(client: &mut Connection<TcpStream>, id: u32) -> Response {
    client.response(id).await.unwrap().unwrap_or_default()
}

fn code(response: &Response) -> String {
    let code = response.json().and_then(|body| Some(body.get("code")?.as_str()?.to_owned()));
    code.unwrap_or_default()
}

async fn active(proxy: &Proxy) -> Result<u64> {
    Ok(proxy.envoy.stats().await?.get("http.writ.downstream_rq_active"))
}

async fn until_pending(proxy: &Proxy) {
    let pending = || async { Ok((active(proxy).await? > 0).then_some(())) };
    wait::until("a request that is pending", pending).await.unwrap();
}

async fn until_nothing_pending(proxy: &Proxy) {
    let idle = || async { Ok((active(proxy).await? == 0).then_some(())) };
    wait::until("the end of every request", idle).await.unwrap();
}

async fn no_worker_is_harmed(proxy: &Proxy, world: &World) {
    assert_eq!(proxy.envoy.stats().await.unwrap().wasm_failures(), []);
    workers::all_answer(proxy, world).await.unwrap();
    proxy.echo.take();
}
