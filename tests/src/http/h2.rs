//! HTTP/2, frame by frame: header fields a client library would refuse, resets and early ends at will.
//! Frames as in RFC 9113, field blocks as in RFC 7541, every field a literal without Huffman coding.

use loona_hpack::Decoder;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::{
    h2_frame::{Frame, Kind, NEWEST, entered, flags, literal, read_frame},
    message::{Field, Payload, RawRequest, Response},
};
use crate::error::{IoContext, Result, unexpected};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The largest frame every peer must take.
const LARGEST_FRAME: usize = 16_384;

/// One client connection.
pub struct Connection<S> {
    stream: S,
    decoder: Decoder<'static>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Sends the preface and empty settings.
    ///
    /// # Errors
    /// A connection that breaks.
    pub async fn open(stream: S) -> Result<Self> {
        let mut connection = Self { stream, decoder: Decoder::new() };
        connection.write(PREFACE).await?;
        connection.send(&Frame::new(Kind::Settings, 0, 0, Vec::new())).await?;
        Ok(connection)
    }

    /// Sends a header section, split into CONTINUATION frames when it is long.
    ///
    /// # Errors
    /// A connection that breaks.
    pub async fn headers(&mut self, id: u32, fields: &[Field], end_stream: bool) -> Result<()> {
        let block: Vec<u8> = fields.iter().flat_map(|(name, value)| literal(name, value)).collect();
        self.send_block(id, &block, end_stream).await
    }

    /// Opens `count` streams, from stream 1 on and never ended, with `fields` and then `times` times `large`. The
    /// peer remembers `large`, so that all but the first cost one byte. Needs a fresh connection.
    ///
    /// # Errors
    /// A connection that breaks.
    pub async fn flood(&mut self, count: u32, fields: &[Field], large: &Field, times: usize) -> Result<()> {
        let common: Vec<u8> = fields.iter().flat_map(|(name, value)| literal(name, value)).collect();
        let mut first = entered(&large.0, &large.1);
        for index in 0..count {
            let repeated = vec![NEWEST; times - usize::from(!first.is_empty())];
            self.send_block(2 * index + 1, &[&common[..], &first, &repeated].concat(), false).await?;
            first.clear();
        }
        Ok(())
    }

    /// Reads until `count` streams have been answered, or the peer closes; the status codes in order of arrival.
    ///
    /// # Errors
    /// Frames that cannot be read.
    pub async fn statuses(&mut self, count: usize) -> Result<Vec<u16>> {
        let mut statuses = Vec::new();
        while statuses.len() < count {
            let Some(frame) = read_frame(&mut self.stream).await? else { break };
            if frame.kind == Kind::Headers {
                let mut response = Response::default();
                if absorb(&mut response, self.block(frame).await?)? {
                    statuses.push(response.status);
                }
            }
        }
        Ok(statuses)
    }

    /// Reads until `count` streams were reset, or the peer closes; their ids in order of arrival.
    ///
    /// # Errors
    /// Frames that cannot be read.
    pub async fn resets(&mut self, count: usize) -> Result<Vec<u32>> {
        let mut resets = Vec::new();
        while resets.len() < count {
            match self.next_frame().await? {
                Some(frame) if frame.kind == Kind::ResetStream => resets.push(frame.stream),
                Some(_) => {}
                None => break,
            }
        }
        Ok(resets)
    }

    /// Reads until stream `id` has brought a body that ends like this; false if it was reset or the peer closed.
    ///
    /// # Errors
    /// Frames that cannot be read.
    pub async fn hears(&mut self, id: u32, end: &[u8]) -> Result<bool> {
        let mut heard = Vec::new();
        while let Some(frame) = self.next_frame().await? {
            match frame.kind {
                Kind::ResetStream if frame.stream == id => return Ok(false),
                Kind::Data if frame.stream == id => heard.extend_from_slice(&frame.payload),
                _ => {}
            }
            if heard.ends_with(end) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next frame, after what every peer answers by itself.
    async fn next_frame(&mut self) -> Result<Option<Frame>> {
        let Some(frame) = read_frame(&mut self.stream).await? else { return Ok(None) };
        if frame.kind == Kind::Settings && !frame.has(flags::ACK) {
            self.send(&Frame::new(Kind::Settings, flags::ACK, 0, Vec::new())).await?;
        }
        Ok(Some(frame))
    }

    async fn send_block(&mut self, id: u32, block: &[u8], end_stream: bool) -> Result<()> {
        let mut pieces = block.chunks(LARGEST_FRAME).peekable();
        let mut kind = Kind::Headers;
        let mut flag = if end_stream { flags::END_STREAM } else { 0 };
        while let Some(piece) = pieces.next() {
            let last = if pieces.peek().is_none() { flags::END_HEADERS } else { 0 };
            self.send(&Frame::new(kind, flag | last, id, piece.to_vec())).await?;
            (kind, flag) = (Kind::Continuation, 0);
        }
        Ok(())
    }

    /// Sends body bytes.
    ///
    /// # Errors
    /// A connection that breaks.
    pub async fn data(&mut self, id: u32, bytes: &[u8], end_stream: bool) -> Result<()> {
        let flag = if end_stream { flags::END_STREAM } else { 0 };
        let mut rest = bytes;
        while let Some((piece, after)) = rest.split_at_checked(LARGEST_FRAME)
            && !after.is_empty()
        {
            self.send(&Frame::new(Kind::Data, 0, id, piece.to_vec())).await?;
            rest = after;
        }
        self.send(&Frame::new(Kind::Data, flag, id, rest.to_vec())).await
    }

    /// Waits for the peer's settings and takes them: before that a stream has the smaller window that all begin with.
    ///
    /// # Errors
    /// Frames that cannot be read.
    pub async fn settle(&mut self) -> Result<()> {
        while let Some(frame) = self.next_frame().await? {
            if frame.kind == Kind::Settings && !frame.has(flags::ACK) {
                return Ok(());
            }
        }
        Err(unexpected("closed before its settings"))
    }

    /// Resets a stream with CANCEL.
    ///
    /// # Errors
    /// A connection that breaks.
    pub async fn reset(&mut self, id: u32) -> Result<()> {
        const CANCEL: [u8; 4] = [0, 0, 0, 8];
        self.send(&Frame::new(Kind::ResetStream, 0, id, CANCEL.to_vec())).await
    }

    /// Reads until stream `id` ends; `None` if the peer reset it or closed the connection.
    ///
    /// # Errors
    /// Frames that cannot be read.
    pub async fn response(&mut self, id: u32) -> Result<Option<Response>> {
        let mut response = Response::default();
        while let Some(frame) = read_frame(&mut self.stream).await? {
            match frame.kind {
                Kind::Settings if !frame.has(flags::ACK) => {
                    self.send(&Frame::new(Kind::Settings, flags::ACK, 0, Vec::new())).await?;
                }
                Kind::Ping if !frame.has(flags::ACK) => {
                    self.send(&Frame::new(Kind::Ping, flags::ACK, 0, frame.payload)).await?;
                }
                Kind::GoAway => return Ok(None),
                Kind::ResetStream if frame.stream == id => return Ok(None),
                Kind::Headers => {
                    let end = frame.has(flags::END_STREAM);
                    let of = frame.stream;
                    let fields = self.block(frame).await?;
                    if of == id && absorb(&mut response, fields)? && end {
                        return Ok(Some(response));
                    }
                }
                Kind::Data if frame.stream == id => {
                    response.body.extend_from_slice(&frame.payload);
                    if frame.has(flags::END_STREAM) {
                        return Ok(Some(response));
                    }
                }
                _ => {}
            }
        }
        Ok(None)
    }

    async fn block(&mut self, first: Frame) -> Result<Vec<Field>> {
        let mut done = first.has(flags::END_HEADERS);
        let mut block = first.payload;
        while !done {
            let next =
                read_frame(&mut self.stream).await?.ok_or_else(|| unexpected("a field block cut short"))?;
            done = next.has(flags::END_HEADERS);
            block.extend(next.payload);
        }
        self.decoder.decode(&block).map_err(|error| unexpected(format!("{error:?}")))
    }

    async fn send(&mut self, frame: &Frame) -> Result<()> {
        self.write(&frame.encode()).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await.context(|| "write frames".to_owned())
    }
}

/// Sends `request` on a fresh connection and reads its response; `None` if it was reset.
///
/// # Errors
/// Frames that cannot be read.
pub async fn exchange<S>(stream: S, scheme: &str, request: &RawRequest) -> Result<Option<Response>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const ID: u32 = 1;
    let mut connection = Connection::open(stream).await?;
    let fields = fields(scheme, request);
    if request.payload.bytes().len() > LARGEST_FRAME {
        connection.settle().await?;
    }
    connection.headers(ID, &fields, request.payload == Payload::None).await?;
    match &request.payload {
        Payload::None | Payload::Open => {}
        Payload::Sized(body) | Payload::Streamed(body) | Payload::Unframed(body) => {
            connection.data(ID, body, true).await?;
        }
        Payload::Trailers(body, trailer) => {
            connection.data(ID, body, false).await?;
            connection.headers(ID, std::slice::from_ref(trailer), true).await?;
        }
    }
    connection.response(ID).await
}

/// The header section of `request`: pseudo-headers first, then its own fields.
pub fn fields(scheme: &str, request: &RawRequest) -> Vec<Field> {
    let mut fields: Vec<Field> = vec![(b":method".to_vec(), request.method.clone())];
    if !request.target.is_empty() {
        fields.push((b":path".to_vec(), request.target.clone()));
        fields.push((b":scheme".to_vec(), scheme.as_bytes().to_vec()));
    }
    if let Some(authority) = &request.authority {
        fields.push((b":authority".to_vec(), authority.clone()));
    }
    fields.extend(request.headers.iter().cloned());
    if let Payload::Sized(body) = &request.payload {
        fields.push((b"content-length".to_vec(), body.len().to_string().into_bytes()));
    }
    fields
}

/// Takes a header section into `response`; false if it was a 1xx one.
fn absorb(response: &mut Response, fields: Vec<Field>) -> Result<bool> {
    for (name, value) in fields {
        if name == b":status" {
            let text = String::from_utf8_lossy(&value).into_owned();
            response.status = text.parse().map_err(unexpected)?;
        } else {
            response.headers.push((name, value));
        }
    }
    Ok(response.status >= 200)
}
