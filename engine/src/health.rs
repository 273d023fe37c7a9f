//! How the engine itself is doing: whether it had enough CPU for its numbers to be
//! trusted. Knows the process, not the run.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Share of the cores above which response times include the engine's own queueing.
const SATURATED: f64 = 0.8;
/// The least time between two samples.
const SHORTEST: Duration = Duration::from_millis(500);
/// Share of the samples above which the whole run counts as saturated.
const MUCH: f64 = 0.25;

/// Watches the CPU time of the process.
#[derive(Debug)]
pub struct Health {
    cores: f64,
    last: (Instant, Duration),
    samples: u32,
    saturated: u32,
    cpu: f64,
}

impl Health {
    /// Begins to watch.
    pub fn start() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        Health {
            cores,
            last: (Instant::now(), cpu_time()),
            samples: 0,
            saturated: 0,
            cpu: 0.0,
        }
    }

    /// Takes the time since the last sample into account, unless it is too short to say
    /// anything.
    pub fn sample(&mut self) {
        let (now, cpu) = (Instant::now(), cpu_time());
        let wall = now.duration_since(self.last.0);
        if wall < SHORTEST {
            return;
        }
        let wall = wall.as_secs_f64();
        let used = cpu.saturating_sub(self.last.1).as_secs_f64();
        self.last = (now, cpu);
        self.cpu = used / wall;
        self.samples += 1;
        self.saturated += u32::from(self.cpu > SATURATED * self.cores);
    }

    /// CPU of the last sample in percent of one core.
    pub fn cpu_percent(&self) -> f64 {
        self.cpu * 100.0
    }

    /// Cores that the process may use.
    pub fn cores(&self) -> u64 {
        self.cores as u64
    }

    /// Whether much of the time the engine was short of CPU.
    pub fn was_saturated(&self) -> bool {
        f64::from(self.saturated) > MUCH * f64::from(self.samples)
    }
}

/// Memory of the process that is in use now; 0 where the system does not tell.
pub fn memory_bytes() -> u64 {
    memory_stats::memory_stats().map_or(0, |memory| memory.physical_mem as u64)
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
