//! What is on the screen: what the run last said of itself, and what whoever looks at it
//! wants to see. Knows neither terminals nor how anything is drawn.

use std::sync::Arc;

use super::history::History;
use super::log::Log;
use super::troubles::Troubles;
use crate::keyboard::{self, Key};
use crate::lifecycle::State;
use crate::report::{NamedRequests, Report, Requests};
use crate::steering::{Order, Status};

/// For how many reports there is something to say.
const ANSWER: u8 = 8;

/// A page of the dashboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum View {
    #[default]
    Overview,
    Requests,
    Errors,
    Log,
}

impl View {
    pub(super) const ALL: [View; 4] = [View::Overview, View::Requests, View::Errors, View::Log];

    pub(super) fn title(self) -> &'static str {
        match self {
            View::Overview => "Overview",
            View::Requests => "Requests",
            View::Errors => "Errors",
            View::Log => "Log",
        }
    }

    fn after(self, steps: usize) -> View {
        let at = View::ALL.iter().position(|view| *view == self);
        View::ALL[(at.unwrap_or(0) + steps) % View::ALL.len()]
    }
}

/// What the table of names goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sorting {
    #[default]
    Requests,
    Rate,
    Failures,
    P95,
    Name,
}

impl Sorting {
    const ALL: [Sorting; 5] = [
        Sorting::Requests,
        Sorting::Rate,
        Sorting::Failures,
        Sorting::P95,
        Sorting::Name,
    ];

    fn next(self) -> Sorting {
        let at = Sorting::ALL.iter().position(|sorting| *sorting == self);
        Sorting::ALL[(at.unwrap_or(0) + 1) % Sorting::ALL.len()]
    }

    /// What the order is called.
    pub(super) fn title(self) -> &'static str {
        match self {
            Sorting::Requests => "requests",
            Sorting::Rate => "req/s",
            Sorting::Failures => "failures",
            Sorting::P95 => "p95",
            Sorting::Name => "name",
        }
    }

    /// What stands higher has more of this.
    fn weight(self, requests: &Requests) -> f64 {
        match self {
            Sorting::Requests => requests.requests as f64,
            Sorting::Rate => requests.recent.unwrap_or_default().per_second,
            Sorting::Failures => requests.failures as f64,
            Sorting::P95 => requests.time_ms.p95,
            Sorting::Name => 0.0,
        }
    }
}

/// What a key asks of others.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wish {
    /// Follow an order.
    Order(Order),
    /// What Ctrl-C does.
    Interrupt,
    /// What Ctrl-Z does.
    Suspend,
}

/// Everything on the screen.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) report: Arc<Report>,
    pub(super) history: History,
    pub(super) troubles: Troubles,
    pub(super) log: Log,
    pub(super) state: State,
    pub(super) users: u64,
    pub(super) target: u64,
    pub(super) view: View,
    pub(super) sorting: Sorting,
    pub(super) help: bool,
    /// What there is to say to who presses keys, and for how many reports more.
    answer: Option<(String, u8)>,
    /// Lines that the view is scrolled down; in the log, up from its end.
    pub(super) scrolled: usize,
    /// Lines that the view had room for when it was last drawn, and how far it can scroll.
    pub(super) page: (usize, usize),
    rows: Vec<usize>,
    interrupted: bool,
}

impl Model {
    pub(super) fn new(report: Arc<Report>) -> Self {
        let mut model = Model {
            report: report.clone(),
            history: History::default(),
            troubles: Troubles::default(),
            log: Log::default(),
            state: State::Ready,
            users: 0,
            target: 0,
            view: View::default(),
            sorting: Sorting::default(),
            help: false,
            answer: None,
            scrolled: 0,
            page: (1, 0),
            rows: Vec::new(),
            interrupted: false,
        };
        model.update(report);
        model
    }

    /// The run has been looked at again.
    pub(super) fn update(&mut self, report: Arc<Report>) {
        self.history.take(&report);
        self.troubles.take(&report);
        self.answer = self.answer.take().and_then(|(words, left)| {
            let left = left.checked_sub(1)?;
            Some((words, left))
        });
        let known = |state: &State| state.as_str() == report.run.state;
        self.state = State::ALL.into_iter().find(known).unwrap_or(self.state);
        let classes = report.users.classes.values();
        self.users = classes
            .map(|c| c.starting + c.running + c.stopping + c.restarting)
            .sum();
        self.target = report.users.target;
        self.report = report;
        self.sort();
    }

    /// The run says where it stands, sooner than the next report.
    pub(super) fn stands(&mut self, status: &Status) {
        self.state = status.state;
        self.users = status.users;
        self.target = status.plans.iter().map(|plan| u64::from(plan.users)).sum();
    }

    /// The rows of the table, in their order.
    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = &NamedRequests> {
        self.rows.iter().map(|at| &self.report.requests[*at])
    }

    /// The run or the scenario wrote lines. What the run itself says is shown for a while.
    pub(super) fn wrote(&mut self, lines: Log) {
        // Who reads earlier lines keeps them before his eyes.
        if self.view == View::Log && self.scrolled > 0 {
            self.scrolled += lines.lines().len();
        }
        let own = lines.lines().iter().rfind(|line| line.class.is_empty());
        if let Some(line) = own {
            self.answer = Some((line.text.clone(), ANSWER));
        }
        self.log.append(lines);
    }

    /// What there is to say to who presses keys.
    pub(super) fn answer(&self) -> Option<&str> {
        self.answer.as_ref().map(|(words, _)| words.as_str())
    }

    /// Whether it was asked to stop, so that asking once more ends it at once.
    pub(super) fn is_stopping(&self) -> bool {
        self.interrupted || self.state == State::Stopping
    }

    /// A key was pressed.
    pub(super) fn press(&mut self, key: Key) -> Option<Wish> {
        self.answer = None;
        if self.help {
            // Any key closes it, and those that mean something else do that as well.
            self.help = false;
            if let Key::Escape | Key::Char('?' | 'h' | ' ') = key {
                return None;
            }
        }
        let (page, furthest) = self.page;
        let at = self.scrolled.min(furthest);
        // The log is scrolled from its end.
        let backwards = self.view == View::Log;
        let up = |lines| at.saturating_sub(lines);
        let down = |lines| at.saturating_add(lines).min(furthest);
        let scrolled = match (key, backwards) {
            (Key::Up, false) | (Key::Down, true) => up(1),
            (Key::Down, false) | (Key::Up, true) => down(1),
            (Key::PageUp, false) | (Key::PageDown, true) => up(page),
            (Key::PageDown, false) | (Key::PageUp, true) => down(page),
            (Key::Home, false) | (Key::End, true) => 0,
            (Key::End, false) | (Key::Home, true) => furthest,
            _ => at,
        };
        self.scrolled = scrolled;
        match key {
            Key::Tab | Key::Right => self.show(self.view.after(1)),
            Key::BackTab | Key::Left => self.show(self.view.after(View::ALL.len() - 1)),
            Key::Char(digit @ '1'..='4') => {
                self.show(View::ALL[usize::from(digit as u8 - b'1')]);
            }
            Key::Char('o') => {
                self.sorting = self.sorting.next();
                self.sort();
                self.scrolled = 0;
            }
            Key::Char('?' | 'h') => self.help = true,
            Key::Char('q') => {
                self.interrupted = true;
                return Some(Wish::Interrupt);
            }
            Key::Suspend => return Some(Wish::Suspend),
            Key::Char(letter) => {
                return keyboard::order(letter, self.state).map(Wish::Order);
            }
            _ => {}
        }
        None
    }

    fn show(&mut self, view: View) {
        if self.view != view {
            self.view = view;
            self.scrolled = 0;
        }
    }

    fn sort(&mut self) {
        let requests = &self.report.requests;
        let weight = |at: &usize| self.sorting.weight(&requests[*at].requests);
        let name = |at: &usize| {
            let row = &requests[*at];
            (&row.name, &row.method, &row.tags)
        };
        self.rows = (0..requests.len()).collect();
        self.rows.sort_by(|a, b| {
            weight(b)
                .total_cmp(&weight(a))
                .then_with(|| name(a).cmp(&name(b)))
        });
    }
}
