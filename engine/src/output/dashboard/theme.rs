//! The looks: colours that can be read on dark and on light ground, or none at all. What a
//! colour means is always said in words or signs, too.

use ratatui::style::{Color, Modifier, Style};

/// How things look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Theme {
    colour: bool,
}

impl Theme {
    pub(super) fn new(colour: bool) -> Self {
        Theme { colour }
    }

    /// What is said beside the point: units, frames, axes.
    pub(super) fn faint(self) -> Style {
        match self.colour {
            true => Style::new().fg(Color::Indexed(244)),
            false => Style::new().add_modifier(Modifier::DIM),
        }
    }

    /// What stands out.
    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is chosen.
    pub(super) fn chosen(self) -> Style {
        self.accent()
            .add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }

    /// Users, and the engine's own colour.
    pub(super) fn accent(self) -> Style {
        self.fg(33)
    }

    /// What went well.
    pub(super) fn good(self) -> Style {
        self.fg(35)
    }

    /// What asks for attention.
    pub(super) fn warning(self) -> Style {
        self.fg(172).add_modifier(Modifier::BOLD)
    }

    /// What went wrong.
    pub(super) fn bad(self) -> Style {
        self.fg(167).add_modifier(Modifier::BOLD)
    }

    /// Low, middle and high percentiles.
    pub(super) fn percentiles(self) -> [Style; 3] {
        [self.fg(35), self.fg(172), self.fg(133)]
    }

    fn fg(self, index: u8) -> Style {
        match self.colour {
            true => Style::new().fg(Color::Indexed(index)),
            false => Style::new(),
        }
    }
}
