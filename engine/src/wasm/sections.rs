//! Custom sections at the end of a component: what a built script brings with it. They are
//! no part of its code, and of what the cache knows it by.

use wasmparser::BinaryReader;

/// Magic number and version.
const HEADER: usize = 8;
const CUSTOM: u8 = 0;
const SCRIPT: &str = "aiotest:script";
const LIBRARY: &str = "aiotest:library";

/// A component and what was added to it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parts<'a> {
    /// All the rest, in order.
    pub(super) code: Vec<&'a [u8]>,
    /// The bundle of a script.
    pub(super) script: Option<&'a [u8]>,
    /// The library of its language.
    pub(super) library: Option<&'a [u8]>,
}

/// Tells a component from what was added. A file that is no component is code as a whole.
pub(super) fn split(bytes: &[u8]) -> Parts<'_> {
    read(bytes).unwrap_or_else(|| Parts {
        code: vec![bytes],
        ..Parts::default()
    })
}

fn read(bytes: &[u8]) -> Option<Parts<'_>> {
    let mut parts = Parts {
        code: vec![bytes.get(..HEADER)?],
        ..Parts::default()
    };
    let mut reader = BinaryReader::new(bytes.get(HEADER..)?, HEADER);
    while !reader.eof() {
        let start = reader.original_position();
        let id = reader.read_u8().ok()?;
        let length = reader.read_var_u32().ok()? as usize;
        let content = reader.read_bytes(length).ok()?;
        let section = &bytes[start..reader.original_position()];
        let mut inner = BinaryReader::new(content, 0);
        let name = (id == CUSTOM).then(|| inner.read_string().ok()).flatten();
        let rest = &content[inner.original_position()..];
        match name {
            Some(SCRIPT) if parts.script.is_none() => parts.script = Some(rest),
            Some(LIBRARY) if parts.library.is_none() => parts.library = Some(rest),
            _ => parts.code.push(section),
        }
    }
    Some(parts)
}

/// Adds a script and its library to a component that has none.
pub(super) fn add(component: &mut Vec<u8>, script: &[u8], library: &[u8]) {
    for (name, content) in [(SCRIPT, script), (LIBRARY, library)] {
        let length = 1 + name.len() + content.len();
        component.push(CUSTOM);
        leb128(component, length);
        component.push(name.len() as u8);
        component.extend(name.as_bytes());
        component.extend(content);
    }
}

fn leb128(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
    /// A custom section of another kind.
    const OTHER: &[u8] = b"\0\x07\x04nameabc";

    #[test]
    fn what_was_added_is_found_and_left_out() {
        let component = [EMPTY, &OTHER[..9]].concat();
        let script = vec![7; 300];
        let mut built = component.clone();
        add(&mut built, &script, b"library");
        let parts = split(&built);
        assert_eq!(parts.script, Some(&script[..]));
        assert_eq!(parts.library, Some(&b"library"[..]));
        assert_eq!(parts.code.concat(), component);
        wasmparser::Validator::new().validate_all(&built).unwrap();
    }

    #[test]
    fn code_is_left_as_it_is() {
        for bytes in [
            &b""[..],
            b"\0asm",
            EMPTY,
            b"def f(): pass",
            &[EMPTY, b"\0\xff"].concat(),
        ] {
            let parts = split(bytes);
            assert_eq!(parts.code.concat(), bytes);
            assert!(parts.script.is_none() && parts.library.is_none());
        }
    }

    #[test]
    fn a_second_script_is_code() {
        let mut twice = EMPTY.to_vec();
        add(&mut twice, b"one", b"");
        let end = twice.len();
        add(&mut twice, b"two", b"");
        let parts = split(&twice);
        assert_eq!(parts.script, Some(&b"one"[..]));
        assert_eq!(parts.code.concat(), [EMPTY, &twice[end..]].concat());
    }

    proptest! {
        #[test]
        fn nothing_is_lost(script: Vec<u8>, library: Vec<u8>, tail: Vec<u8>) {
            let mut built = EMPTY.to_vec();
            add(&mut built, &script, &library);
            let parts = split(&built);
            prop_assert_eq!(parts.script, Some(&script[..]));
            prop_assert_eq!(parts.library, Some(&library[..]));
            // Whatever follows does not panic.
            split(&[&built[..], &tail].concat());
        }
    }
}
