//! What is on the screen, in sizes that people have; and what keys do to it.

use super::draw::draw;
use super::fixture::{many_names, nothing, shop};
use super::model::{Model, Sorting, View, Wish};
use super::theme::Theme;
use crate::keyboard::Key;
use crate::lifecycle::State;
use crate::report::LogLine;
use crate::steering::{Order, PlanStatus, Status};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn terminal(model: &mut Model, width: u16, height: u16, colour: bool) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let paint =
        |frame: &mut ratatui::Frame<'_>| draw(model, Theme::new(colour), frame.buffer_mut());
    terminal.draw(paint).unwrap();
    terminal
}

fn screen(model: &mut Model, width: u16, height: u16) -> String {
    let terminal = terminal(model, width, height, true);
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for y in 0..height {
        let mut line = String::new();
        let mut x = 0;
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += super::text::width(symbol).max(1) as u16;
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Compares a screen with what it was when somebody last looked at it and found it good.
/// `UPDATE_GOLDENS=1` writes it down anew.
#[track_caller]
fn assert_golden(name: &str, model: &mut Model, (width, height): (u16, u16)) {
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/output/dashboard/goldens");
    let path = goldens.join(format!("{name}-{width}x{height}.txt"));
    let screen = screen(model, width, height);
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::create_dir_all(&goldens).unwrap();
        std::fs::write(&path, &screen).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(screen == golden, "{} is not\n{screen}", path.display());
}

const SMALL: (u16, u16) = (80, 24);
const MIDDLE: (u16, u16) = (120, 40);
const LARGE: (u16, u16) = (200, 60);
const TINY: (u16, u16) = (60, 15);

#[test]
fn a_run_looks_good_in_every_size() {
    for size in [TINY, SMALL, MIDDLE, LARGE] {
        assert_golden("shop", &mut shop(140, false), size);
    }
    assert_golden("early", &mut shop(9, false), SMALL);
}

#[test]
fn trouble_is_seen() {
    for size in [TINY, SMALL, MIDDLE, LARGE] {
        assert_golden("trouble", &mut shop(75, true), size);
    }
}

#[test]
fn a_run_without_anything_yet_says_so() {
    for size in [SMALL, MIDDLE] {
        assert_golden("nothing", &mut Model::new(Arc::new(nothing())), size);
    }
}

#[test]
fn a_thousand_names_are_scrolled_through() {
    let mut model = many_names(1000);
    model.press(Key::Char('2'));
    for size in [SMALL, MIDDLE] {
        model.press(Key::Home);
        assert_golden("names", &mut model, size);
        model.press(Key::PageDown);
        assert_golden("names-second-page", &mut model, size);
        model.press(Key::End);
        assert!(screen(&mut model, size.0, size.1).contains("/article/0999/"));
    }
}

#[test]
fn every_page_has_its_look() {
    let mut model = shop(75, true);
    for (key, name) in [('2', "requests"), ('3', "errors"), ('4', "log")] {
        model.press(Key::Char(key));
        for size in [SMALL, MIDDLE] {
            assert_golden(name, &mut model, size);
        }
    }
    model.press(Key::Char('?'));
    assert_golden("help", &mut model, SMALL);
}

#[test]
fn any_size_is_drawn() {
    let mut models = [
        shop(75, true),
        many_names(3),
        Model::new(Arc::new(nothing())),
    ];
    for model in &mut models {
        for view in ['1', '2', '3', '4'] {
            for help in [false, true] {
                model.press(Key::Char(view));
                model.help = help;
                for (width, height) in sizes() {
                    screen(model, width, height);
                }
            }
        }
    }
}

/// Those around which something changes.
fn sizes() -> impl Iterator<Item = (u16, u16)> {
    let widths = [1, 20, 39, 40, 52, 61, 72, 80, 109, 131];
    let heights = [1, 7, 8, 9, 14, 19, 20, 24, 31, 32];
    widths
        .into_iter()
        .flat_map(move |width| heights.map(|height| (width, height)))
}

#[test]
fn nothing_that_guests_say_steers_the_terminal() {
    let mut model = shop(75, true);
    for view in ['1', '2', '3', '4'] {
        model.press(Key::Char(view));
        let terminal = terminal(&mut model, 200, 60, true);
        let cells = terminal.backend().buffer().content();
        assert!(
            !cells
                .iter()
                .any(|cell| cell.symbol().contains(char::is_control))
        );
    }
    assert!(screen(&mut model, 200, 60).contains("a line that  ]0;steers  the terminal"));
}

#[test]
fn without_colours_everything_is_still_said() {
    let mut model = shop(75, true);
    let plain = terminal(&mut model, 120, 40, false);
    let colour = terminal(&mut model, 120, 40, true);
    let cells = plain.backend().buffer().content();
    assert!(
        cells
            .iter()
            .all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
    );
    assert!(
        cells
            .iter()
            .any(|cell| cell.modifier.contains(Modifier::REVERSED))
    );
    let symbols = |terminal: &Terminal<TestBackend>| {
        let cells = terminal.backend().buffer().content().iter();
        cells
            .map(|cell| cell.symbol().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(symbols(&plain), symbols(&colour));
}

#[test]
fn keys_change_the_view() {
    let mut model = shop(5, false);
    let mut views = Vec::new();
    for key in [
        Key::Tab,
        Key::Right,
        Key::Tab,
        Key::Tab,
        Key::BackTab,
        Key::Char('2'),
    ] {
        assert_eq!(model.press(key), None);
        views.push(model.view);
    }
    use View::{Errors, Log, Overview, Requests};
    assert_eq!(views, [Requests, Errors, Log, Overview, Log, Requests]);
    model.press(Key::Char('?'));
    assert!(model.help);
    model.press(Key::Escape);
    assert!(!model.help);
}

#[test]
fn the_table_has_several_orders() {
    let mut model = shop(75, true);
    let first = |model: &Model| model.rows().next().unwrap().name.clone();
    assert_eq!(
        (model.sorting, first(&model).as_str()),
        (Sorting::Requests, "/product/{id}")
    );
    let mut orders = Vec::new();
    for _ in 0..5 {
        model.press(Key::Char('o'));
        orders.push((model.sorting, first(&model)));
    }
    let expected = [
        (Sorting::Rate, "/product/{id}"),
        (Sorting::Failures, "/product/{id}"),
        (Sorting::P95, "/cart/{item}"),
        (Sorting::Name, "/"),
        (Sorting::Requests, "/product/{id}"),
    ];
    assert_eq!(
        orders,
        expected.map(|(sorting, name)| (sorting, name.to_owned()))
    );
}

#[test]
fn letters_are_orders_in_every_view() {
    let mut model = shop(5, false);
    assert_eq!(model.press(Key::Char('p')), Some(Wish::Order(Order::Pause)));
    assert!(matches!(
        model.press(Key::Char('W')),
        Some(Wish::Order(Order::Load(_)))
    ));
    assert_eq!(model.press(Key::Suspend), Some(Wish::Suspend));
    let plan = PlanStatus {
        users: 61,
        ..PlanStatus::default()
    };
    model.stands(&Status {
        state: State::Paused,
        elapsed: Duration::ZERO,
        paused: Duration::ZERO,
        users: 44,
        plans: vec![plan],
    });
    assert_eq!(
        model.press(Key::Char('p')),
        Some(Wish::Order(Order::Resume))
    );
    let screen = screen(&mut model, 80, 24);
    assert!(
        screen.contains("‖ paused") && screen.contains("44 / 61"),
        "{screen}"
    );
}

#[test]
fn who_stops_is_told_how_to_end_it_at_once() {
    let mut model = shop(9, false);
    assert_eq!(model.press(Key::Char('q')), Some(Wish::Interrupt));
    let screen = screen(&mut model, 80, 24);
    assert!(
        screen.contains("q or Ctrl-C once more ends at once"),
        "{screen}"
    );
    assert_eq!(model.press(Key::Char('q')), Some(Wish::Interrupt));
}

#[test]
fn what_the_run_says_is_shown_for_a_while() {
    let mut model = shop(9, false);
    let says = |model: &mut Model, text: &str| {
        let mut lines = super::log::Log::default();
        lines.push(LogLine {
            text: text.to_owned(),
            ..LogLine::default()
        });
        model.wrote(lines);
    };
    let shown = |model: &mut Model| screen(model, 80, 24).contains("cannot do that");
    says(&mut model, "cannot do that");
    assert!(shown(&mut model));
    let report = model.report.clone();
    for _ in 0..20 {
        model.update(report.clone());
    }
    assert!(!shown(&mut model));
    says(&mut model, "cannot do that");
    model.press(Key::Down);
    assert!(!shown(&mut model), "a key has been pressed since");
}
