//! Histograms as texts that other programs read: the V2 compressed encoding of HdrHistogram,
//! in base64. Reading trusts nobody: the text may come from any file. Knows nothing of what
//! the values mean.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::read::ZlibDecoder;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};
use std::io::Read;

/// What a distribution knows beside its histogram, and a histogram cannot tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exact {
    /// How many values.
    pub count: u64,
    /// All of them together; of durations, in milliseconds as the others.
    pub sum: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

/// Why a text is no histogram of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHistogram {
    /// More than any histogram of a run takes.
    #[error("the histogram is larger than one can be")]
    TooLarge,
    /// Not the base64 of RFC 4648 with padding.
    #[error("the histogram is not base64")]
    NotBase64,
    /// Another encoding, or no histogram at all.
    #[error("the histogram is not in HdrHistogram's V2 compressed encoding")]
    OtherEncoding,
    /// A piece is missing, or altered.
    #[error("the histogram is incomplete or damaged")]
    Damaged,
    /// Not what the engine writes.
    #[error("the histogram has other settings than 3 significant digits from 1 on")]
    OtherSettings,
    /// More, or larger values than a run can have.
    #[error("the histogram holds larger numbers than it can")]
    OutOfRange,
    /// The distribution and its histogram do not belong together.
    #[error("the histogram holds {found} values, but `count` says {expected}")]
    OtherCount {
        /// In the histogram.
        found: u64,
        /// Beside it.
        expected: u64,
    },
    /// Such as a negative sum, or a minimum above the maximum.
    #[error("`sum`, `min` and `max` contradict each other")]
    Contradiction,
}

impl Exact {
    /// Whether a distribution of non-negative numbers can have these properties, and this
    /// histogram.
    pub(super) fn check(&self, histogram: &Histogram<u64>) -> Result<(), InvalidHistogram> {
        if histogram.len() != self.count {
            return Err(InvalidHistogram::OtherCount {
                found: histogram.len(),
                expected: self.count,
            });
        }
        // The sum of one value may differ from it in the last digit.
        let ascend = [
            0.0,
            self.min,
            self.max,
            self.sum * (1.0 + 1e-9),
            f64::INFINITY,
        ];
        match ascend.is_sorted() && self.sum.is_finite() {
            true => Ok(()),
            false => Err(InvalidHistogram::Contradiction),
        }
    }
}

/// Compressed cookie and length.
const ENVELOPE: usize = 8;
const COMPRESSED: u32 = 0x1c84_9314;
const PLAIN: u32 = 0x1c84_9313;
/// Cookie, length, offset, digits, lowest, highest and ratio, before the counts.
const HEADER: usize = 40;
/// No value is above 10^18, which is in bucket 52,000 or so, and a count takes at most 9 bytes.
const MAX_INFLATED: usize = 512 * 1024;
/// What does not compress takes a third more in base64.
const MAX_TEXT: usize = 1024 * 1024;
/// Sums of such counts do not overflow, and every reader of JSON knows them exactly.
const MAX_COUNT: u64 = 1 << 53;
/// Buckets of one unit, before they begin to double, and half of that.
const SINGLE: u64 = 2048;
const HALF: u64 = SINGLE / 2;

/// The text of a histogram of three digits.
pub(super) fn encode(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .expect("counts below 2^63 have an encoding, and memory takes all that is written");
    BASE64.encode(bytes)
}

/// The histogram of a text. None of its values is in a bucket above that of `highest`.
///
/// The library's own reader would take sizes and counts as they stand in the text, and
/// panic where they overflow.
pub(super) fn decode(text: &str, highest: u64) -> Result<Histogram<u64>, InvalidHistogram> {
    let plain = inflate(text)?;
    let (header, mut counts) = plain
        .split_at_checked(HEADER)
        .ok_or(InvalidHistogram::Damaged)?;
    if word(header, 0) != PLAIN {
        return Err(InvalidHistogram::OtherEncoding);
    }
    if usize::try_from(word(header, 4)).ok() != Some(counts.len()) {
        return Err(InvalidHistogram::Damaged);
    }
    let (offset, digits, lowest) = (word(header, 8), word(header, 12), long(header, 16));
    let ratio = f64::from_bits(long(header, 32));
    if (offset, digits, lowest, ratio) != (0, 3, 1, 1.0) {
        return Err(InvalidHistogram::OtherSettings);
    }
    let mut histogram = super::histogram::histogram();
    let mut index = 0u64;
    let mut total = 0;
    while !counts.is_empty() {
        // A negative number stands for that many empty buckets.
        let number = take_number(&mut counts).ok_or(InvalidHistogram::Damaged)?;
        if number < 0 {
            index = index.saturating_add(number.unsigned_abs());
            continue;
        }
        let count = number.unsigned_abs();
        if count > 0 {
            let value = lowest_value(index).filter(|value| *value <= highest);
            let value = value.ok_or(InvalidHistogram::OutOfRange)?;
            total += count;
            if count > MAX_COUNT || total > MAX_COUNT {
                return Err(InvalidHistogram::OutOfRange);
            }
            let recorded = histogram.record_n(value, count);
            recorded.map_err(|_| InvalidHistogram::OutOfRange)?;
        }
        index = index.saturating_add(1);
    }
    Ok(histogram)
}

/// The bytes of the text, unpacked.
fn inflate(text: &str) -> Result<Vec<u8>, InvalidHistogram> {
    if text.len() > MAX_TEXT {
        return Err(InvalidHistogram::TooLarge);
    }
    let bytes = BASE64
        .decode(text)
        .map_err(|_| InvalidHistogram::NotBase64)?;
    let (envelope, packed) = bytes
        .split_at_checked(ENVELOPE)
        .ok_or(InvalidHistogram::OtherEncoding)?;
    if word(envelope, 0) != COMPRESSED {
        return Err(InvalidHistogram::OtherEncoding);
    }
    if usize::try_from(word(envelope, 4)).ok() != Some(packed.len()) {
        return Err(InvalidHistogram::Damaged);
    }
    let mut plain = Vec::new();
    ZlibDecoder::new(packed)
        .take(MAX_INFLATED as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(|_| InvalidHistogram::Damaged)?;
    if plain.len() > MAX_INFLATED {
        return Err(InvalidHistogram::TooLarge);
    }
    Ok(plain)
}

/// The lowest value of a bucket; nothing for those above 2^62.
fn lowest_value(index: u64) -> Option<u64> {
    if index < SINGLE {
        return Some(index);
    }
    let doublings = index / HALF - 1;
    (doublings <= 51).then(|| (index % HALF + HALF) << doublings)
}

/// Takes a signed number of one to nine bytes, seven bits each and eight in the ninth, the
/// lowest first, the sign in the lowest bit.
fn take_number(bytes: &mut &[u8]) -> Option<i64> {
    let mut folded = 0u64;
    for at in 0..9 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let is_last = at == 8 || byte < 0x80;
        let bits = if at == 8 { byte } else { byte & 0x7f };
        folded |= u64::from(bits) << (7 * at);
        if is_last {
            break;
        }
    }
    Some(((folded >> 1) as i64) ^ -((folded & 1) as i64))
}

/// A big-endian number at a place that is known to be there.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4]
        .iter()
        .fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

fn long(bytes: &[u8], at: usize) -> u64 {
    (u64::from(word(bytes, at)) << 32) | u64::from(word(bytes, at + 4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use hdrhistogram::serialization::Deserializer;
    use proptest::prelude::*;
    use std::io::Write;

    const HIGHEST: u64 = 1_000_000_000_000_000_000;

    fn histogram(values: &[u64]) -> Histogram<u64> {
        let mut all = crate::metrics::histogram::histogram();
        for value in values {
            all.record(*value).unwrap();
        }
        all
    }

    /// The text around a plain encoding.
    fn packed(plain: &[u8]) -> String {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(plain).unwrap();
        let zlib = zlib.finish().unwrap();
        let mut bytes = COMPRESSED.to_be_bytes().to_vec();
        bytes.extend(u32::try_from(zlib.len()).unwrap().to_be_bytes());
        bytes.extend(zlib);
        BASE64.encode(bytes)
    }

    /// A plain encoding with these settings and counts.
    fn plain(digits: u32, lowest: u64, highest: u64, counts: &[u8]) -> Vec<u8> {
        let length = u32::try_from(counts.len()).unwrap();
        let mut bytes = Vec::new();
        for number in [PLAIN, length, 0, digits] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(lowest.to_be_bytes());
        bytes.extend(highest.to_be_bytes());
        bytes.extend(1f64.to_be_bytes());
        bytes.extend(counts);
        bytes
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn what_was_written_is_read(values in prop::collection::vec(0..HIGHEST, 0..200), shift in 0..60) {
            let values: Vec<u64> = values.iter().map(|value| value >> shift).collect();
            let all = histogram(&values);
            prop_assert_eq!(&decode(&encode(&all), HIGHEST).unwrap(), &all);
        }

        #[test]
        fn the_library_reads_what_was_written(values in prop::collection::vec(0..HIGHEST, 0..200)) {
            let all = histogram(&values);
            let bytes = BASE64.decode(encode(&all)).unwrap();
            let read: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).unwrap();
            prop_assert_eq!(read, all);
        }

        #[test]
        fn no_text_of_any_kind_is_a_panic(
            counts in prop::collection::vec(any::<u8>(), 0..100), digits in 2..5u32
        ) {
            if let Ok(read) = decode(&packed(&plain(digits, 1, u64::MAX, &counts)), HIGHEST) {
                prop_assert!(read.max() <= HIGHEST + HIGHEST / 1000);
                prop_assert_eq!(digits, 3);
                prop_assert_eq!(decode(&encode(&read), HIGHEST).unwrap(), read);
            }
            let _ = decode(&packed(&counts), HIGHEST);
            let _ = decode(&BASE64.encode(&counts), HIGHEST);
        }

        #[test]
        fn a_damaged_text_is_no_panic(at in 0..200usize, byte in any::<u8>()) {
            let mut bytes = BASE64.decode(encode(&histogram(&[1, 5, 5, 90_000]))).unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = decode(&BASE64.encode(&bytes), HIGHEST);
            let cut = decode(&BASE64.encode(&bytes[..at]), HIGHEST);
            prop_assert!(cut.is_err());
        }
    }

    #[test]
    fn what_is_no_histogram_is_told_apart() {
        use InvalidHistogram::*;
        let one = [2];
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        // 53 doublings further than any value there is: 2^20 empty buckets, then a value.
        let far = [0xff, 0xff, 0x7f, 2];
        let cases = [
            ("§".to_owned(), NotBase64),
            (String::new(), OtherEncoding),
            (BASE64.encode(plain(3, 1, 2, &one)), OtherEncoding),
            (packed(&[0; 40]), OtherEncoding),
            (packed(&plain(3, 1, 2, &one)[..39]), Damaged),
            (packed(&plain(3, 1, 2, &[0x80])), Damaged),
            (packed(&plain(5, 1, u64::MAX, &one)), OtherSettings),
            (packed(&plain(3, 1000, u64::MAX, &one)), OtherSettings),
            (packed(&plain(3, 1, 2, &far)), OutOfRange),
            (
                packed(&plain(3, 1, 2, &[&[0xfe], &huge[..8]].concat())),
                OutOfRange,
            ),
            ("A".repeat(MAX_TEXT + 4), TooLarge),
        ];
        for (text, error) in cases {
            let shown = text.get(..text.len().min(80));
            assert_eq!(decode(&text, HIGHEST).unwrap_err(), error, "{shown:?}");
        }
        // The smallest of all numbers, which has no positive counterpart.
        let none = decode(&packed(&plain(3, 1, 2, &huge)), HIGHEST).unwrap();
        assert!(none.is_empty());
    }

    #[test]
    fn a_text_that_unpacks_to_gigabytes_is_left_packed() {
        let zeros = vec![0; 8 * MAX_INFLATED];
        let text = packed(&zeros);
        assert!(text.len() < 10_000, "{}", text.len());
        assert_eq!(decode(&text, HIGHEST), Err(InvalidHistogram::TooLarge));
    }

    #[test]
    fn values_above_the_range_are_refused() {
        let hour = 3_600_000_000;
        assert!(decode(&encode(&histogram(&[hour])), hour).is_ok());
        let two = encode(&histogram(&[2 * hour]));
        assert_eq!(decode(&two, hour), Err(InvalidHistogram::OutOfRange));
    }
}
