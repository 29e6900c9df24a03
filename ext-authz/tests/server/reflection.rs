//! Health and reflection, open to everyone.

use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::support::Setup;

const SERVICE: &str = "envoy.service.auth.v3.Authorization";
const FEED: &str = "writ.v1.DataPlane";
const TASKS: &str = "writ.v1.Tasks";

#[tokio::test]
async fn services_are_listed_and_described() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let here = vec![SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", FEED];
    let both = [here.clone(), vec![TASKS]].concat();
    for (channel, served) in [(writ.grpc_channel().await, both), (writ.socket_channel().await, here)] {
        let mut client = ServerReflectionClient::new(channel);
        let ask = |message_request| ServerReflectionRequest {
            host: String::new(),
            message_request: Some(message_request),
        };
        let questions = [
            ask(MessageRequest::ListServices(String::new())),
            ask(MessageRequest::FileContainingSymbol(SERVICE.to_owned())),
            ask(MessageRequest::FileContainingSymbol(FEED.to_owned())),
            ask(MessageRequest::FileContainingSymbol(TASKS.to_owned())),
        ];
        let mut answers =
            client.server_reflection_info(tokio_stream::iter(questions)).await.unwrap().into_inner();
        let Some(MessageResponse::ListServicesResponse(list)) =
            answers.message().await.unwrap().unwrap().message_response
        else {
            panic!("no list");
        };
        let mut names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
        names.sort();
        assert_eq!(names, served);
        for _ in [SERVICE, FEED, TASKS] {
            let described = answers.message().await.unwrap().unwrap().message_response;
            assert!(matches!(described, Some(MessageResponse::FileDescriptorResponse(_))), "{described:?}");
        }
    }
}

#[tokio::test]
async fn health_is_told_to_everyone() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    for service in ["", SERVICE, FEED, TASKS] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let response =
            HealthClient::new(writ.grpc_channel().await).check(request).await.unwrap().into_inner();
        assert_eq!(response.status, 1, "{service}: SERVING");
    }
}
