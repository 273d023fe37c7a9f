//! The first content of a memory: written into the one module of a component that has a
//! memory, in few pieces.

use std::ops::Range;

use wasm_encoder::{
    Component, ConstExpr, DataCountSection, DataSection, Module, ModuleSection, RawSection,
};
use wasmparser::{BinaryReader, BinaryReaderError};

/// Magic number and version, of modules and components alike.
const HEADER: usize = 8;
/// A module in a component.
const MODULE: u8 = 1;
/// Sections of a module.
const MEMORY: u8 = 5;
const DATA: u8 = 11;
const DATA_COUNT: u8 = 12;
/// A module may have 100,000 pieces.
const MAX_PIECES: usize = 50_000;
/// Zeros that are left out, if that does not make too many pieces.
const GAP: usize = 64;

/// The component with this content of its memory, in the place of what it had.
pub(super) fn fill(component: &[u8], memory: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
    let mut data = DataSection::new();
    for piece in pieces(memory, MAX_PIECES) {
        // Addresses above 2 GiB are negative for WebAssembly.
        let offset = ConstExpr::i32_const(piece.start as u32 as i32);
        data.active(0, &offset, memory[piece].iter().copied());
    }
    let count = DataCountSection { count: data.len() };
    let mut filled = Component::new();
    for (id, content) in sections(component)? {
        let inner = match id {
            MODULE => sections(content)?,
            _ => Vec::new(),
        };
        if !inner.iter().any(|(id, _)| *id == MEMORY) {
            filled.section(&RawSection { id, data: content });
            continue;
        }
        let mut module = Module::new();
        for (id, content) in inner {
            match id {
                DATA => module.section(&data),
                DATA_COUNT => module.section(&count),
                _ => module.section(&RawSection { id, data: content }),
            };
        }
        filled.section(&ModuleSection(&module));
    }
    Ok(filled.finish())
}

fn sections(bytes: &[u8]) -> Result<Vec<(u8, &[u8])>, BinaryReaderError> {
    let mut reader = BinaryReader::new(bytes, 0);
    reader.read_bytes(HEADER)?;
    let mut sections = Vec::new();
    while !reader.eof() {
        let id = reader.read_u8()?;
        let length = reader.read_var_u32()? as usize;
        sections.push((id, reader.read_bytes(length)?));
    }
    Ok(sections)
}

/// What of a memory is not zero, in so many pieces at most.
fn pieces(memory: &[u8], most: usize) -> Vec<Range<usize>> {
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let add = |pieces: &mut Vec<Range<usize>>, piece: Range<usize>, gap| match pieces.last_mut() {
        Some(last) if piece.start - last.end <= gap => last.end = piece.end,
        _ => pieces.push(piece),
    };
    let bytes = memory.iter().enumerate();
    for (at, _) in bytes.filter(|(_, byte)| **byte != 0) {
        add(&mut pieces, at..at + 1, GAP);
    }
    let mut gap = GAP;
    while pieces.len() > most {
        gap *= 2;
        for piece in std::mem::take(&mut pieces) {
            add(&mut pieces, piece, gap);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::{Parser, Payload};

    #[test]
    fn pieces_are_few_and_lose_nothing() {
        let mut memory = vec![0; 10_000];
        for at in [0, 1, 60, 200, 201, 600, 9000, 9999] {
            memory[at] = 7;
        }
        assert_eq!(
            pieces(&memory, 100),
            [0..61, 200..202, 600..601, 9000..9001, 9999..10_000]
        );
        assert_eq!(
            pieces(&memory, 4),
            [0..202, 600..601, 9000..9001, 9999..10_000]
        );
        assert_eq!(pieces(&memory, 3), [0..601, 9000..9001, 9999..10_000]);
        assert!(
            pieces(&memory, 1)
                .into_iter()
                .eq(std::iter::once(0..10_000))
        );
        assert!(pieces(&[0; 100], 1).is_empty());
    }

    #[test]
    fn the_module_with_the_memory_is_filled() {
        let mut with = Module::new();
        for (id, data) in [
            (MEMORY, &[1, 0, 1][..]),
            (DATA_COUNT, &[1]),
            (DATA, &[1, 0, 0x41, 0, 0x0b, 1, b'x']),
        ] {
            with.section(&RawSection { id, data });
        }
        let mut component = Component::new();
        component.section(&ModuleSection(&Module::new()));
        component.section(&ModuleSection(&with));
        let mut memory = vec![0; 1000];
        memory[300..305].copy_from_slice(b"hello");
        let filled = fill(&component.finish(), &memory).unwrap();
        wasmparser::Validator::new().validate_all(&filled).unwrap();
        let mut found = Vec::new();
        for payload in Parser::new(0).parse_all(&filled) {
            if let Payload::DataSection(pieces) = payload.unwrap() {
                found.extend(pieces.into_iter().map(|piece| piece.unwrap().data.to_vec()));
            }
        }
        assert_eq!(found, [b"hello"]);
        assert!(fill(b"\0asm", &memory).is_err());
    }
}
