//! Texts of guests and servers in the cells of a screen: cut, filled and broken by what they
//! take up there, which is not the number of their characters.

use ratatui::style::Style;
use ratatui::text::Span;

use super::super::format::plain;

/// What takes the place of a character with a pile of marks upon it.
const STRANGE: &str = "\u{fffd}";
/// Bytes of one character with its marks, at most.
const MAX_MARKS: usize = 32;

/// How many cells a text takes.
pub(super) fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// The text in at most so many cells; with `…` at its end if it had more.
pub(super) fn fit(text: &str, cells: usize) -> String {
    let mut fitted = String::new();
    let mut used = 0;
    // How far it goes if a cell is needed for the dots.
    let mut whole = 0;
    let complete = each_symbol(&plain(text), |symbol, width| {
        if used + width > cells {
            return false;
        }
        used += width;
        fitted.push_str(symbol);
        if used < cells {
            whole = fitted.len();
        }
        true
    });
    if !complete {
        fitted.truncate(whole);
        if cells > 0 {
            fitted.push('…');
        }
    }
    fitted
}

/// The text in exactly so many cells, at the left of them.
pub(super) fn left(text: &str, cells: usize) -> String {
    let mut text = fit(text, cells);
    text.push_str(&gap(&text, cells));
    text
}

/// The text in exactly so many cells, at the right of them.
pub(super) fn right(text: &str, cells: usize) -> String {
    let text = fit(text, cells);
    gap(&text, cells) + &text
}

fn gap(text: &str, cells: usize) -> String {
    " ".repeat(cells.saturating_sub(width(text)))
}

/// The text on one to `most` lines of so many cells, broken between words where it can be.
pub(super) fn wrap(text: &str, cells: usize, most: usize) -> Vec<String> {
    let text = plain(text);
    if width(&text) <= cells || most <= 1 {
        return vec![fit(&text, cells)];
    }
    let mut lines = vec![String::new()];
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let line = lines.last_mut().map(std::mem::take).unwrap_or_default();
        let joined = match line.is_empty() {
            true => word.to_owned(),
            false => format!("{line} {word}"),
        };
        lines.pop();
        if lines.len() + 1 == most {
            // All that is left, and its end is cut off.
            let rest: Vec<_> = words.collect();
            lines.push(fit(&format!("{joined} {}", rest.join(" ")), cells));
            break;
        }
        if width(&joined) <= cells {
            lines.push(joined);
        } else if line.is_empty() {
            // Only a word that is longer than a line is cut.
            lines.push(fit(&joined, cells));
            if words.peek().is_some() {
                lines.push(String::new());
            }
        } else {
            lines.push(line);
            lines.push(fit(word, cells));
        }
    }
    lines
}

/// Goes through what is seen of a text, with the cells that each symbol takes, for as long
/// as `take` wants; whether it wanted all.
fn each_symbol(text: &str, mut take: impl FnMut(&str, usize) -> bool) -> bool {
    let span = Span::raw(text);
    let mut symbols = span.styled_graphemes(Style::new());
    symbols.all(|grapheme| {
        let symbol = match grapheme.symbol.len() > MAX_MARKS {
            true => STRANGE,
            false => grapheme.symbol,
        };
        match width(symbol) {
            // Signs that turn the direction of the text, say.
            0 => true,
            width => take(symbol, width),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fill_their_cells_and_no_more() {
        assert_eq!(fit("Login", 5), "Login");
        assert_eq!(fit("Login page", 6), "Login…");
        assert_eq!(fit("Login", 0), "");
        assert_eq!(left("Login", 7), "Login  ");
        assert_eq!(right("12", 4), "  12");
        // Each of these takes two cells.
        assert_eq!(fit("購入手続き", 7), "購入手…");
        assert_eq!(left("購入手続き", 6), "購入… ");
        assert_eq!(width(&left("購入手続き", 6)), 6);
    }

    #[test]
    fn nothing_steers_the_screen() {
        assert_eq!(fit("a\x1b[2J\nb", 20), "a [2J b");
        assert_eq!(fit("a\u{202e}b\u{200b}c", 20), "abc");
        let pile = format!("e{}", "\u{301}".repeat(1000));
        assert_eq!(fit(&pile, 20), STRANGE);
    }

    #[test]
    fn lines_are_broken_between_words() {
        let wrapped = |text, most| wrap(text, 12, most).join("|");
        assert_eq!(wrapped("one  line", 3), "one  line");
        assert_eq!(
            wrapped("the answer was not what we wanted", 9),
            "the answer|was not what|we wanted"
        );
        assert_eq!(
            wrapped("the answer was not what we wanted", 2),
            "the answer|was not wha…"
        );
        assert_eq!(
            wrapped("http://127.0.0.1:8080/ is down", 3),
            "http://127.…|is down"
        );
        assert_eq!(wrapped("", 3), "");
    }
}
