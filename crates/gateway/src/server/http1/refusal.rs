//! Why a request was refused before any of it was believed.

use crate::fault::EngineFault;

/// One rule of HTTP/1.1 framing or size that a client broke. Answered with the engine's fault and a closed
/// connection; never repaired, never forwarded (hostile-input §4.2 line 1, §4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    BareLineFeed,
    BadRequestLine,
    BadPath,
    UnsupportedVersion,
    /// HTTP/2's first line: on a fresh connection it is no mistake.
    SpeaksHttp2,
    ConnectMethod,
    TooBigLine,
    TooBigHeaders,
    FoldedHeader,
    NoColon,
    EmptyHeaderName,
    NonAsciiHeaderName,
    HeaderNameChar,
    HeaderValueChar,
    DuplicateHost,
    NoHost,
    BadHost,
    DuplicateContentLength,
    BadContentLength,
    DuplicateTransferEncoding,
    BadTransferEncoding,
    UnknownTransferEncoding,
    TransferEncodingOnHttp10,
    LengthAndTransferEncoding,
    BadChunk,
    HeadTimeout,
}

impl Refusal {
    /// The fault the client gets.
    pub(crate) fn fault(self) -> EngineFault {
        match self {
            Self::BadPath => EngineFault::BadPath(self.text().into()),
            Self::TooBigLine => EngineFault::TooBigLine,
            Self::TooBigHeaders => EngineFault::TooBigHeaders,
            Self::FoldedHeader | Self::NoColon | Self::HeaderNameChar | Self::HeaderValueChar => {
                EngineFault::HeaderWithInvalidChar
            }
            Self::EmptyHeaderName => EngineFault::EmptyHeaderName,
            Self::NonAsciiHeaderName => EngineFault::HeaderNameWithNonAsciiChar,
            Self::DuplicateHost => EngineFault::DuplicateHeader("Host".into()),
            Self::DuplicateContentLength => EngineFault::DuplicateHeader("Content-Length".into()),
            Self::DuplicateTransferEncoding => EngineFault::DuplicateHeader("Transfer-Encoding".into()),
            Self::UnknownTransferEncoding | Self::ConnectMethod => EngineFault::NotImplemented(self.text()),
            Self::HeadTimeout => EngineFault::RequestTimeOut,
            _ => EngineFault::BadRequest(self.text()),
        }
    }

    /// The rule, for people.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::BareLineFeed => "A line of the request does not end with CR LF",
            Self::BadRequestLine => "The request line is not method, target and version",
            Self::BadPath => "the request target holds a character that must be encoded",
            Self::UnsupportedVersion | Self::SpeaksHttp2 => "Only HTTP/1.0 and HTTP/1.1 are spoken here",
            Self::ConnectMethod => "The method CONNECT is not served",
            Self::TooBigLine => "The request line is too long",
            Self::TooBigHeaders => "The headers are too long or too many",
            Self::FoldedHeader => "A header is continued on a second line",
            Self::NoColon => "A header line has no colon",
            Self::EmptyHeaderName => "A header has no name",
            Self::NonAsciiHeaderName => "A header name holds a character outside ASCII",
            Self::HeaderNameChar => "A header name holds a blank or another forbidden character",
            Self::HeaderValueChar => "A header value holds a control character",
            Self::DuplicateHost => "Host is sent twice",
            Self::NoHost => "An HTTP/1.1 request must have a Host header",
            Self::BadHost => "The Host header is not a host and a port",
            Self::DuplicateContentLength => "Content-Length is sent twice",
            Self::BadContentLength => "Content-Length is not a whole number",
            Self::DuplicateTransferEncoding => "Transfer-Encoding is sent twice",
            Self::BadTransferEncoding => "Transfer-Encoding is not exactly chunked",
            Self::UnknownTransferEncoding => "The only transfer encoding served is chunked",
            Self::TransferEncodingOnHttp10 => "HTTP/1.0 has no Transfer-Encoding",
            Self::LengthAndTransferEncoding => "Content-Length and Transfer-Encoding are sent together",
            Self::BadChunk => "The chunked body is not framed correctly",
            Self::HeadTimeout => "The request did not arrive in time",
        }
    }
}
