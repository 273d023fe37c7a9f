//! The lines that a run wrote, the last of them.

use std::collections::VecDeque;

use crate::report::LogLine;

/// Lines kept.
const LINES: usize = 1000;
/// Bytes kept of each.
const BYTES: usize = 2000;

/// The last lines, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Log {
    lines: VecDeque<LogLine>,
    /// All lines ever.
    written: u64,
}

impl Log {
    pub(super) fn push(&mut self, mut line: LogLine) {
        line.text.truncate(line.text.floor_char_boundary(BYTES));
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
        self.written += 1;
    }

    /// Adds what was written later.
    pub(super) fn append(&mut self, later: Log) {
        let lost = later.written - later.lines.len() as u64;
        later.lines.into_iter().for_each(|line| self.push(line));
        self.written += lost;
    }

    /// Those kept.
    pub(super) fn lines(&self) -> &VecDeque<LogLine> {
        &self.lines
    }

    /// How many there ever were.
    pub(super) fn written(&self) -> u64 {
        self.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(level: &str, class: &str, text: &str) -> LogLine {
        LogLine {
            at_seconds: 1.0,
            level: level.to_owned(),
            class: class.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn neither_many_lines_nor_long_ones_fill_the_memory() {
        let mut log = Log::default();
        for n in 0..2500 {
            log.push(line("info", "", &format!("{n} {}", "ä".repeat(5000))));
        }
        assert_eq!((log.lines().len(), log.written()), (LINES, 2500));
        assert!(log.lines()[0].text.starts_with("1500 ä"));
        assert!(log.lines().iter().all(|line| line.text.len() <= BYTES));
    }
}
