//! What comes up, decoded so that a message takes little more memory than its bytes: decisions stay encoded until one
//! is looked at.

use bytes::Bytes;
use proto::v1::{Ack, Hello, Nack, Refused};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WatchRequest {
    #[prost(oneof = "Message", tags = "1, 2, 3, 4")]
    pub(super) message: Option<Message>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Message {
    #[prost(message, tag = "1")]
    Hello(Hello),
    #[prost(message, tag = "2")]
    Ack(Ack),
    #[prost(message, tag = "3")]
    Nack(Nack),
    #[prost(message, tag = "4")]
    Report(Report),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Report {
    /// `proto::v1::Decision`s.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(super) decisions: Vec<Bytes>,
    #[prost(uint64, tag = "2")]
    pub(super) dropped: u64,
    #[prost(uint64, tag = "3")]
    pub(super) decided: u64,
    #[prost(message, repeated, tag = "4")]
    pub(super) refused: Vec<Refused>,
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use proto::v1::{self, watch_request};

    use super::*;

    #[test]
    fn these_are_the_messages_of_the_proto() {
        let decision = v1::Decision { verdict: "allow".into(), at: 7, ..v1::Decision::default() };
        let refused = vec![Refused { code: "missing_token".into(), host: "a".into(), count: 4 }];
        let report = v1::Report {
            decisions: vec![decision.clone()],
            dropped: 2,
            decided: 3,
            refused: refused.clone(),
        };
        let bytes = decision.encode_to_vec().into();
        for (sent, read) in [
            (
                watch_request::Message::Report(report),
                Message::Report(Report { decisions: vec![bytes], dropped: 2, decided: 3, refused }),
            ),
            (watch_request::Message::Ack(Ack::default()), Message::Ack(Ack::default())),
            (watch_request::Message::Nack(Nack::default()), Message::Nack(Nack::default())),
            (watch_request::Message::Hello(Hello::default()), Message::Hello(Hello::default())),
        ] {
            let sent = v1::WatchRequest { message: Some(sent) }.encode_to_vec();
            assert_eq!(WatchRequest::decode(&sent[..]).unwrap().message, Some(read));
        }
    }
}
