//! A histogram of durations in a report, read without the library that wrote it. Knows the
//! encoding, and nothing of what was measured.

use std::io::Read;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::read::ZlibDecoder;

/// A histogram of three significant digits as other programs read it: `HdrHistogram`'s V2
/// compressed encoding, of values from 1 on.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// The middle of each bucket in microseconds, and how many values it holds.
    buckets: Vec<(f64, u64)>,
}

impl Histogram {
    /// # Panics
    /// When the text is something else.
    pub fn decode(text: &str) -> Self {
        /// Three digits take 2048 buckets before the first doubling, and 1024 for each.
        const HALF: u64 = 1024;
        let bytes = STANDARD.decode(text).expect("it is base64");
        let number = |bytes: &[u8], at: usize| {
            let bytes: [u8; 4] = bytes[at..at + 4].try_into().expect("four bytes");
            u32::from_be_bytes(bytes)
        };
        assert_eq!(number(&bytes, 0), 0x1c84_9314, "V2, compressed");
        let mut inner = Vec::new();
        ZlibDecoder::new(&bytes[8..])
            .read_to_end(&mut inner)
            .expect("it is compressed");
        assert_eq!(number(&inner, 0), 0x1c84_9313, "V2");
        assert_eq!(number(&inner, 12), 3, "significant digits");
        let length = number(&inner, 4) as usize;
        let mut payload = inner[40..40 + length].iter();
        let mut index = 0_u64;
        let mut buckets = Vec::new();
        while let Some(count) = zigzag(&mut payload) {
            if count <= 0 {
                // So many are empty; a single one is written as it is.
                index += count.unsigned_abs().max(1);
                continue;
            }
            let doublings = (index / HALF).saturating_sub(1);
            let low = (index - doublings * HALF) << doublings;
            let middle = low as f64 + ((1_u64 << doublings) / 2) as f64;
            buckets.push((middle, count.unsigned_abs()));
            index += 1;
        }
        Self { buckets }
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// What this share of the values (0 to 1) do not exceed, in milliseconds.
    ///
    /// # Panics
    /// When there are no values.
    pub fn percentile(&self, share: f64) -> f64 {
        let rank = (share * self.count() as f64).ceil() as u64;
        let mut seen = 0;
        let bucket = self.buckets.iter().find(|(_, count)| {
            seen += count;
            seen >= rank
        });
        bucket.expect("there are values").0 / 1e3
    }
}

/// The next number in zigzag LEB128, whose ninth byte has all of its bits.
fn zigzag<'a>(bytes: &mut impl Iterator<Item = &'a u8>) -> Option<i64> {
    let mut value = 0_u64;
    for at in 0..9 {
        let byte = u64::from(*bytes.next()?);
        if at == 8 {
            value |= byte << 56;
            break;
        }
        value |= (byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            break;
        }
    }
    Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}
