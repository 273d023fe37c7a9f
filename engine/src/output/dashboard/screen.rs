//! The alternate screen of standard error: entered, drawn upon, and always left again. Knows
//! nothing of what is on it.

use std::io::{self, BufWriter, Stderr, Write as _};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::style::ResetColor;
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, size,
};
use ratatui::crossterm::{execute, queue};

/// Whether the process has the alternate screen.
static ENTERED: AtomicBool = AtomicBool::new(false);
/// Held while something is drawn, and while a panic is told.
static DRAWING: Mutex<()> = Mutex::new(());
/// How long a panic waits for that; the panic may be the drawing's own.
const PATIENCE: Duration = Duration::from_millis(100);

/// The screen. Dropping it leaves it.
pub(super) struct Screen {
    /// A frame is one write, so that no half of one is seen.
    terminal: Option<Terminal<CrosstermBackend<BufWriter<Stderr>>>>,
    size: (u16, u16),
}

impl Screen {
    /// Not entered yet. Nothing, if the terminal has no size.
    pub(super) fn new() -> Option<Self> {
        let known = size().is_ok_and(|(width, height)| width > 0 && height > 0);
        known.then(|| {
            leave_on_panic();
            Screen {
                terminal: None,
                size: (0, 0),
            }
        })
    }

    /// Draws, and only what has changed since the last time.
    pub(super) fn draw(&mut self, paint: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        let _drawing = DRAWING.lock();
        let terminal = match &mut self.terminal {
            // Left, when there was a panic, say.
            Some(terminal) if ENTERED.load(Ordering::Acquire) => terminal,
            terminal => terminal.insert(enter()?),
        };
        queue!(terminal.backend_mut(), BeginSynchronizedUpdate)?;
        terminal.draw(|frame| paint(frame.buffer_mut()))?;
        self.size = size()?;
        execute!(terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Whether it has to be drawn, because it was left, or the window has another size.
    pub(super) fn is_outdated(&self) -> bool {
        !ENTERED.load(Ordering::Acquire) || size().is_ok_and(|size| size != self.size)
    }

    /// Gives the screen back as it was before. It is entered again when it is drawn upon.
    pub(super) fn leave(&mut self) {
        let _drawing = DRAWING.lock();
        leave();
    }

    /// The screen is somebody else's now: everything has to be drawn once it comes back.
    pub(super) fn forget(&mut self) {
        ENTERED.store(false, Ordering::Release);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
    }
}

fn enter() -> io::Result<Terminal<CrosstermBackend<BufWriter<Stderr>>>> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stderr());
    ENTERED.store(true, Ordering::Release);
    execute!(out, EnterAlternateScreen, Hide, Clear(ClearType::All))?;
    Terminal::new(CrosstermBackend::new(out))
}

fn leave() {
    if ENTERED.swap(false, Ordering::AcqRel) {
        let mut out = io::stderr().lock();
        // A terminal that is gone needs nothing.
        let _ = execute!(
            out,
            EndSynchronizedUpdate,
            ResetColor,
            LeaveAlternateScreen,
            Show
        );
        let _ = out.flush();
    }
}

/// A panic is told on the ordinary screen. The dashboard comes back with its next frame, if
/// there is one.
fn leave_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let _drawing = DRAWING.try_lock_for(PATIENCE);
            leave();
            tell(info);
        }));
    });
}
