//! Guest fixture.
