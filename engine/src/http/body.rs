//! Reads a response body within its limit and decompresses it. Knows nothing of
//! connections beyond the pieces they deliver.

use std::borrow::Cow;
use std::io::{self, Read};

use bytes::{Bytes, BytesMut};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use super::connection::Payload;
use super::error::{Error, ErrorKind};
use super::fault::Fault;

/// How many encodings may lie over each other.
const MAX_LAYERS: usize = 3;
/// Space reserved ahead for a body whose length is announced, in bytes.
const MAX_RESERVE: u64 = 64 * 1024;

/// Why a body is not there.
pub(super) enum Failure {
    Fault(Fault),
    TooLarge,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The error for a body of more than `limit` bytes.
pub(super) fn too_large(limit: u64) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!("the response body exceeds the limit of {limit} bytes"),
    )
}

/// Reads to the end; adds what came to `received`. Without `keep` the result is empty.
pub(super) async fn read(
    payload: &mut Payload,
    limit: u64,
    keep: bool,
    received: &mut u64,
) -> Result<Bytes, Failure> {
    let announced = payload.length().unwrap_or(0);
    if announced > limit {
        return Err(Failure::TooLarge);
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(piece) = std::future::poll_fn(|cx| payload.poll_data(cx)).await {
        let piece = piece?;
        *received += piece.len() as u64;
        if *received > limit {
            return Err(Failure::TooLarge);
        }
        if !keep {
            continue;
        }
        // A body that comes in one piece, as most do, is not copied.
        if first.is_empty() {
            first = piece;
        } else {
            if rest.is_empty() {
                rest.reserve(announced.min(MAX_RESERVE) as usize);
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&piece);
        }
    }
    Ok(if rest.is_empty() {
        first
    } else {
        rest.freeze()
    })
}

/// Undoes the content encodings that this module knows; a body with another is returned as
/// it is.
pub(super) fn decode(headers: &HeaderMap, body: Bytes, limit: u64) -> Result<Bytes, Error> {
    if body.is_empty() || !headers.contains_key(CONTENT_ENCODING) {
        return Ok(body);
    }
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes());
        for name in value.split(',').map(str::trim) {
            match Coding::parse(name) {
                Some(Coding::Identity) => {}
                Some(coding) => codings.push(coding),
                None => return Ok(body),
            }
        }
    }
    if codings.len() > MAX_LAYERS {
        return Err(Error::new(
            ErrorKind::Decode,
            format!("the response body has more than {MAX_LAYERS} encodings"),
        ));
    }
    codings
        .into_iter()
        .rev()
        .try_fold(body, |body, coding| coding.decode(&body, limit))
}

#[derive(Clone, Copy)]
enum Coding {
    Identity,
    Gzip,
    Deflate,
    Brotli,
}

impl Coding {
    fn parse(name: &str) -> Option<Self> {
        let name: Cow<'_, str> = if name.bytes().any(|b| b.is_ascii_uppercase()) {
            name.to_ascii_lowercase().into()
        } else {
            name.into()
        };
        match &*name {
            "" | "identity" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "brotli",
        }
    }

    fn decode(self, body: &[u8], limit: u64) -> Result<Bytes, Error> {
        let decoded = match self {
            Self::Identity => read_limited(body, limit),
            Self::Gzip => read_limited(MultiGzDecoder::new(body), limit),
            // Servers disagree on whether "deflate" has the zlib header it should have.
            Self::Deflate if has_zlib_header(body) => read_limited(ZlibDecoder::new(body), limit),
            Self::Deflate => read_limited(DeflateDecoder::new(body), limit),
            Self::Brotli => read_limited(brotli::Decompressor::new(body, 4096), limit),
        };
        let decoded = decoded.map_err(|_| {
            Error::new(
                ErrorKind::Decode,
                format!("the response body is not valid {}", self.name()),
            )
        })?;
        if decoded.len() as u64 > limit {
            return Err(too_large(limit));
        }
        Ok(decoded.into())
    }
}

fn has_zlib_header(body: &[u8]) -> bool {
    match body {
        [method, flags, ..] => {
            method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0
        }
        _ => false,
    }
}

/// Stops one byte after the limit, so that a bomb costs no more than a body of that size.
fn read_limited(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut decoded = Vec::new();
    reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut decoded)?;
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use http::HeaderValue;

    use super::*;

    fn encoded(by: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(by))])
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Default::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Default::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(data: &[u8]) -> Vec<u8> {
        let mut encoded = Vec::new();
        brotli::CompressorWriter::new(&mut encoded, 4096, 5, 20)
            .write_all(data)
            .unwrap();
        encoded
    }

    #[test]
    fn every_coding_is_undone() {
        let text = b"hello hello hello hello hello";
        let cases = [
            ("gzip", gzip(text)),
            ("X-GZIP", gzip(text)),
            ("deflate", deflate(text)),
            ("deflate", zlib(text)),
            ("br", brotli(text)),
            ("gzip, br", brotli(&gzip(text))),
            ("identity", text.to_vec()),
            ("zstd", text.to_vec()),
        ];
        for (name, body) in cases {
            let decoded = decode(&encoded(name), body.into(), 1000).unwrap();
            assert_eq!(&decoded[..], text, "{name}");
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let zeros = vec![0; 10 << 20];
        for (name, body) in [
            ("gzip", gzip(&zeros)),
            ("deflate", deflate(&zeros)),
            ("br", brotli(&zeros)),
        ] {
            let error = decode(&encoded(name), body.into(), 1 << 20).unwrap_err();
            assert_eq!(error.kind, ErrorKind::TooLarge, "{name}");
        }
        let exact = decode(&encoded("gzip"), gzip(&zeros).into(), zeros.len() as u64);
        assert_eq!(exact.unwrap().len(), zeros.len());
    }

    #[test]
    fn what_is_no_such_coding_is_an_error() {
        let mut cut = gzip(b"hello hello hello hello");
        cut.truncate(15);
        for (name, body) in [
            ("gzip", cut),
            ("br", vec![0xff; 20]),
            ("deflate", vec![0xff; 20]),
        ] {
            let error = decode(&encoded(name), body.into(), 1000).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Decode, "{name}");
        }
        let error = decode(&encoded("gzip,gzip,gzip,gzip"), gzip(b"x").into(), 9).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Decode);
    }
}
